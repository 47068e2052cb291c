//! A sandbox with the hostile plugin installed, and the words in which the tests talk to it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use portolan_connector::{
    CheckReport, ChunkInfo, ConnectionContext, EgressGrant, Fault, FetchRequest, NormalizeRequest,
    Normalized, Page, Payload, PluginRef, PluginRuntime, SecretValue, SliceMode, SliceSpec, StagedFile,
};
use portolan_core::{ConnectionId, Duration, Instant, TenantId};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};
use serde_json::{Value, json};

pub const NOW: Instant = Instant(1_790_000_000_123_456);
pub const TOKEN: &str = "canary-token-58213";

/// The hostile component.
pub fn component() -> Bytes {
    guest("hostile")
}

/// The connector with every optional export.
pub fn full_component() -> Bytes {
    guest("full")
}

/// A component of `tests/guests`: prebuilt where `PORTOLAN_PLUGINS_DIR` has it, else built here.
fn guest(name: &str) -> Bytes {
    let prebuilt = prebuilt_plugins().map(|folder| folder.join(format!("guests/{name}.wasm")));
    let path = prebuilt.filter(|path| path.exists()).unwrap_or_else(|| build(name));
    Bytes::from(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Where `cargo xtask plugins` left the plugins of this repository, when it runs the tests.
pub fn prebuilt_plugins() -> Option<PathBuf> {
    std::env::var_os("PORTOLAN_PLUGINS_DIR").map(PathBuf::from)
}

fn build(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", &format!("portolan-{name}-plugin")])
        .args(["--target", "wasm32-wasip2", "--profile", "plugin", "--target-dir"])
        .arg(&target)
        .current_dir(&root)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "the {name} plugin was not built; `rustup target add wasm32-wasip2` may help:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target.join(format!("wasm32-wasip2/plugin/portolan_{name}_plugin.wasm"))
}

/// Options whose cache the tests share, so that one of them compiles for all.
pub fn options() -> Options {
    Options::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox"), CacheKey::new([7; 32]))
}

pub struct Sandbox {
    pub runtime: SandboxRuntime,
    pub plugin: PluginRef,
}

impl Sandbox {
    pub async fn new() -> Self {
        Self::with(options()).await
    }

    pub async fn with(options: Options) -> Self {
        let runtime = SandboxRuntime::new(options).expect("the sandbox starts");
        let plugin = runtime.install(component()).await.expect("the hostile plugin installs").plugin;
        Self { runtime, plugin }
    }

    pub async fn check(&self, connection: Connection) -> Result<CheckReport, Fault> {
        self.runtime.check(&self.plugin, connection.context(), NOW).await
    }

    pub async fn fetch(&self, connection: Connection) -> Result<Page, Fault> {
        self.fetch_within(connection, Duration::from_minutes(10)).await
    }

    /// Fetches with so much of the run's time left.
    pub async fn fetch_within(&self, connection: Connection, left: Duration) -> Result<Page, Fault> {
        let request = FetchRequest {
            connection: connection.context(),
            slice: SliceSpec {
                stream: "orders".to_owned(),
                partition: None,
                since: None,
                until: None,
                mode: SliceMode::Snapshot,
            },
            token: None,
            now: NOW,
            deadline: NOW + left,
        };
        self.runtime.fetch(&self.plugin, request).await
    }

    /// What the guest put into its first chunk.
    pub async fn fetched_text(&self, connection: Connection) -> String {
        let page = self.fetch(connection).await.expect("a page");
        match &page.chunks[0].payload {
            Payload::Inline(body) => String::from_utf8_lossy(body).into_owned(),
            Payload::Staged(id) => format!("staged {id}"),
        }
    }

    pub async fn normalize(&self, behaviour: &str, body: &str) -> Result<Normalized, Fault> {
        let request = NormalizeRequest {
            info: ChunkInfo {
                stream: "orders".to_owned(),
                framing: "json".to_owned(),
                content_type: "application/json".to_owned(),
            },
            body: Bytes::copy_from_slice(body.as_bytes()),
            config: Arc::from(json!({ "behaviour": behaviour }).to_string()),
            time_zone: "UTC".to_owned(),
            received_at: NOW,
        };
        self.runtime.normalize(&self.plugin, request).await
    }
}

/// A connection of a test, with a canary for a secret.
pub struct Connection {
    number: u32,
    config: Value,
    grants: Vec<EgressGrant>,
    files: Vec<StagedFile>,
}

/// A connection whose plugin behaves so.
pub fn behaving(behaviour: &str, argument: &str) -> Connection {
    Connection {
        number: 1,
        config: json!({ "behaviour": behaviour, "argument": argument, "shop": "acme" }),
        grants: Vec::new(),
        files: Vec::new(),
    }
}

impl Connection {
    pub fn set(mut self, field: &str, value: &str) -> Self {
        self.config[field] = json!(value);
        self
    }

    /// Grants egress to exactly this scheme, host and port.
    pub fn granted(mut self, scheme: &str, host: &str, port: u16) -> Self {
        self.grants.push(EgressGrant { scheme: scheme.to_owned(), host: host.to_owned(), port });
        self
    }

    /// Talks to a loopback upstream in place of the shop.
    pub fn at_sandbox(self, port: u16) -> Self {
        self.set("sandbox_url", &format!("http://127.0.0.1:{port}")).granted("http", "127.0.0.1", port)
    }

    /// Another connection of the same tenant.
    pub fn numbered(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    pub fn file(mut self, file: StagedFile) -> Self {
        self.files.push(file);
        self
    }

    pub fn context(self) -> ConnectionContext {
        ConnectionContext {
            tenant: "01890a5d-ac96-774b-bcce-b302099a8056".parse::<TenantId>().expect("an id"),
            id: format!("01890a5d-ac96-774b-bcce-{:012x}", self.number)
                .parse::<ConnectionId>()
                .expect("an id"),
            config: Arc::from(self.config.to_string()),
            secrets: vec![
                ("token".to_owned(), SecretValue::new(TOKEN)),
                ("signing_key".to_owned(), SecretValue::new("canary-signing-key")),
            ],
            egress_grants: self.grants,
            time_zone: "Europe/Berlin".to_owned(),
            files: self.files,
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "what was tried and what was left out is to be seen in the test's output"
)]
pub fn say(text: &str) {
    println!("{text}");
}

/// The limit that stopped a call, or the whole fault where something else happened.
pub fn limit_of<T: std::fmt::Debug>(answer: Result<T, Fault>) -> String {
    match answer {
        Err(Fault::Stopped { limit, .. }) => limit,
        other => format!("{other:?}"),
    }
}
