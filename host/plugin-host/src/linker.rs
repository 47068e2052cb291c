//! Two linkers for one component. The one of `fetch` has the network and no sink; the one of
//! `normalize` has the sink and no network. What a linker lacks traps when it is called, so that
//! purity is a fact, not a promise.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::random::WasiRandom;

use crate::bindings::ConnectorPre;
use crate::bindings::portolan::plugin::{files, http, log, signer, sink};
use crate::limits::Stop;
use crate::state::HostState;

/// A component bound to both linkers.
pub struct Linked {
    pub fetching: ConnectorPre<HostState>,
    pub pure: ConnectorPre<HostState>,
}

/// What components are bound to, put together once per engine.
pub struct Linkers {
    fetching: Linker<HostState>,
    pure: Linker<HostState>,
}

impl Linkers {
    /// Errors: two host functions of one name, which would be a mistake of this crate.
    pub fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let basics = basics(engine)?;
        let mut fetching = basics.clone();
        http::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
        signer::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
        files::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
        let mut pure = basics;
        sink::add_to_linker::<_, HasSelf<HostState>>(&mut pure, |state| state)?;
        Ok(Self { fetching, pure })
    }

    /// Errors: what the component exports or imports that the contract does not have.
    pub fn link(&self, component: &Component) -> wasmtime::Result<Linked> {
        let mut fetching = self.fetching.clone();
        forbid(&mut fetching, component, &["sink"])?;
        let mut pure = self.pure.clone();
        forbid(&mut pure, component, &["http", "signer", "files"])?;
        Ok(Linked {
            fetching: ConnectorPre::new(fetching.instantiate_pre(component)?)?,
            pure: ConnectorPre::new(pure.instantiate_pre(component)?)?,
        })
    }
}

/// Makes every function of these interfaces trap, as far as the component imports them.
fn forbid(
    linker: &mut Linker<HostState>,
    component: &Component,
    interfaces: &[&str],
) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let interface = name.strip_prefix("portolan:plugin/").and_then(|rest| rest.split('@').next());
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        if !interface.is_some_and(|interface| interfaces.contains(&interface)) {
            continue;
        }
        let mut stub = linker.instance(name)?;
        for (function, export) in instance.exports(&engine) {
            if !matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                continue;
            }
            let called = format!("{name}#{function}");
            stub.func_new(function, move |mut store, _, _, _| {
                let detail = format!(
                    "it called {called} where that does not exist: fetch has no sink, and normalize is pure (log and sink alone)"
                );
                Err(store.data_mut().meter.stop(Stop::Bug(detail)))
            })?;
        }
    }
    Ok(())
}

/// What both have: the log, and the WASI that language runtimes need.
fn basics(engine: &Engine) -> wasmtime::Result<Linker<HostState>> {
    let mut linker = Linker::new(engine);
    log::add_to_linker::<_, HasSelf<HostState>>(&mut linker, |state| state)?;
    let wasi = &mut linker;
    wasmtime_wasi_io::bindings::wasi::io::error::add_to_linker::<HostState, HasTable>(wasi, |state| {
        state.ctx().table
    })?;
    wasmtime_wasi_io::bindings::wasi::io::poll::add_to_linker::<HostState, HasTable>(wasi, |state| {
        state.ctx().table
    })?;
    wasmtime_wasi_io::bindings::wasi::io::streams::add_to_linker::<HostState, HasTable>(wasi, |state| {
        state.ctx().table
    })?;
    clocks::wall_clock::add_to_linker::<HostState, WasiClocks>(wasi, HostState::clocks)?;
    clocks::monotonic_clock::add_to_linker::<HostState, WasiClocks>(wasi, HostState::clocks)?;
    random::random::add_to_linker::<HostState, WasiRandom>(wasi, |state| state.ctx().ctx.random())?;
    random::insecure::add_to_linker::<HostState, WasiRandom>(wasi, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<HostState, WasiRandom>(wasi, |state| state.ctx().ctx.random())?;
    cli::exit::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::environment::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::stdin::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::stdout::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::stderr::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::terminal_input::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::terminal_output::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::terminal_stdin::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::terminal_stdout::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    cli::terminal_stderr::add_to_linker::<HostState, WasiCli>(wasi, HostState::cli)?;
    Ok(linker)
}

/// Gives WASI's io interfaces the table of resources.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}
