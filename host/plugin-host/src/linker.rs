//! Two linkers for one component. The one of `fetch` has the network and no sink; the one of
//! `normalize` has the sink and no network. What a linker lacks traps when it is called, so that
//! purity is a fact, not a promise.

use wasmtime::Engine;
use wasmtime::component::{Component, HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::random::WasiRandom;

use crate::bindings::ConnectorPre;
use crate::bindings::portolan::plugin::{files, http, log, signer, sink};
use crate::state::HostState;

/// A component bound to both linkers.
pub struct Linked {
    pub fetching: ConnectorPre<HostState>,
    pub pure: ConnectorPre<HostState>,
}

/// Errors: what the component exports or imports that the contract does not have.
pub fn link(engine: &Engine, component: &Component) -> wasmtime::Result<Linked> {
    let mut fetching = basics(engine)?;
    http::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
    signer::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
    files::add_to_linker::<_, HasSelf<HostState>>(&mut fetching, |state| state)?;
    let mut pure = basics(engine)?;
    sink::add_to_linker::<_, HasSelf<HostState>>(&mut pure, |state| state)?;
    Ok(Linked { fetching: bind(fetching, component)?, pure: bind(pure, component)? })
}

fn bind(mut linker: Linker<HostState>, component: &Component) -> wasmtime::Result<ConnectorPre<HostState>> {
    linker.define_unknown_imports_as_traps(component)?;
    ConnectorPre::new(linker.instantiate_pre(component)?)
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
