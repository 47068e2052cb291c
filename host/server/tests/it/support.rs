//! A Portolan of a test's own: a data folder, a database, the binary.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use portolan_db::DatabaseConfig;
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

/// How long a story may wait for something that should happen.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The folder with compiled plugins, as `cargo xtask plugins` leaves them.
pub fn plugins_dir() -> PathBuf {
    let named = std::env::var_os("PORTOLAN_PLUGINS_DIR").map(PathBuf::from);
    let beside = || {
        // …/target/debug/portolan → …/target/plugins
        let binary = Path::new(env!("CARGO_BIN_EXE_portolan"));
        binary.ancestors().nth(2).expect("target folder").join("plugins")
    };
    let folder = named.unwrap_or_else(beside);
    assert!(
        folder.join("csv.wasm").is_file(),
        "build the plugins first: cargo xtask plugins ({})",
        folder.display()
    );
    folder
}

/// A file of the data beside the repository; says so and gives `None` where it is absent.
pub fn shared_file(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if file.is_file() {
        return Some(file);
    }
    println!("skipped: ../shared not present");
    None
}

/// One Portolan.
pub struct Portolan {
    pub folder: TempDir,
    database_url: Option<String>,
}

impl Portolan {
    /// On embedded SQLite.
    pub fn embedded() -> Self {
        Self { folder: TempDir::new().expect("temporary folder"), database_url: None }
    }

    /// On embedded SQLite, on the disk of this folder.
    pub fn embedded_below(folder: &Path) -> Self {
        Self { folder: TempDir::new_in(folder).expect("temporary folder"), database_url: None }
    }

    /// On PostgreSQL, in this empty database.
    pub fn on_postgres(database_url: String) -> Self {
        Self { folder: TempDir::new().expect("temporary folder"), database_url: Some(database_url) }
    }

    /// The database, to look into it from outside.
    pub fn database(&self) -> DatabaseConfig {
        match &self.database_url {
            Some(url) => DatabaseConfig { accept_data_loss: true, ..DatabaseConfig::new(url.clone()) },
            None => DatabaseConfig::sqlite(&self.folder.path().join("portolan.db")),
        }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
        command.args(words).arg("--data-dir").arg(self.folder.path());
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url, "--accept-data-loss"]);
        }
        command.env("PORTOLAN_LOG", "warn");
        command
    }

    /// Runs a command that has to succeed; what it printed.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "portolan {words:?} failed:\n{text}\n{log}");
        text
    }

    pub fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("run portolan")
    }

    /// Connects the sandbox shop and a retail file, and queues their first syncs.
    pub fn set_up_demo(&self, shopify_url: &str, csv: &Path) {
        self.set_up_demo_with(shopify_url, csv, &[]);
    }

    /// The same with further words: `--stripe-url` connects the shop's payments, too.
    pub fn set_up_demo_with(&self, shopify_url: &str, csv: &Path, further: &[&str]) {
        let plugins = plugins_dir();
        let words = [
            "setup-demo",
            "--plugins",
            plugins.to_str().expect("utf-8 path"),
            "--shopify-url",
            shopify_url,
            "--csv",
            csv.to_str().expect("utf-8 path"),
        ];
        self.run(&[&words[..], further].concat());
    }

    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with further words.
    pub fn serve_with(&self, words: &[&str]) -> Server {
        let port = free_port();
        let log = NamedTempFile::new().expect("log");
        let listen = format!("127.0.0.1:{port}");
        let child = self
            .command(&[&["serve", "--listen", &listen], words].concat())
            .stdout(Stdio::null())
            .stderr(log.reopen().expect("log"))
            .spawn()
            .expect("start portolan");
        Server { child, port, log }
    }

    pub fn syncs(&self) -> Vec<Value> {
        let text = self.run(&["sync", "status", "--json"]);
        serde_json::from_str(&text).expect("sync status is JSON")
    }

    /// Waits until every sync has ended.
    pub fn wait_for_syncs(&self) -> Vec<Value> {
        let mut waited = Duration::ZERO;
        loop {
            let syncs = self.syncs();
            if !syncs.is_empty() && syncs.iter().all(is_over) {
                return syncs;
            }
            assert!(waited < PATIENCE, "syncs did not end: {syncs:#?}");
            sleep(LOOK_EVERY);
            waited += LOOK_EVERY;
        }
    }

    /// Waits until the newest sync of a connection has ended.
    pub fn wait_for_sync_of(&self, connection: &str) -> Value {
        let mut waited = Duration::ZERO;
        loop {
            let found = self.syncs().into_iter().find(|sync| sync["connection"] == connection);
            let sync = found.unwrap_or_else(|| panic!("{connection} has no sync"));
            if is_over(&sync) {
                return sync;
            }
            assert!(waited < PATIENCE, "sync did not end: {sync:#}");
            sleep(LOOK_EVERY);
            waited += LOOK_EVERY;
        }
    }

    /// The answer of `portolan query --json`.
    pub fn query(&self, words: &[&str]) -> Value {
        let mut all = vec!["query", "--json"];
        all.extend(words);
        serde_json::from_str(&self.run(&all)).expect("answer is JSON")
    }
}

fn is_over(sync: &Value) -> bool {
    matches!(sync["state"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// A running `portolan serve`; killed when it goes out of scope.
pub struct Server {
    child: Child,
    pub port: u16,
    log: NamedTempFile,
}

impl Server {
    /// Waits until the server listens.
    pub fn wait_until_up(&self) {
        let mut waited = Duration::ZERO;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(waited < PATIENCE, "the server did not come up");
            sleep(Duration::from_millis(20));
            waited += Duration::from_millis(20);
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("log")
    }

    /// Waits until the log says this.
    pub fn wait_for_log(&self, words: &str) {
        wait_until(&format!("the log says {words:?}"), || self.log().contains(words));
    }

    /// Sends a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("send a signal").success(), "kill -{name}");
    }

    /// Tells it to stop, and waits until it has: how it ended, and after how long.
    pub fn stop(mut self) -> (ExitStatus, Duration) {
        self.signal("TERM");
        let mut waited = Duration::ZERO;
        loop {
            if let Some(status) = self.child.try_wait().expect("ask for portolan") {
                return (status, waited);
            }
            assert!(waited < PATIENCE, "the server does not stop");
            sleep(Duration::from_millis(20));
            waited += Duration::from_millis(20);
        }
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("kill portolan");
        self.child.wait().expect("reap portolan");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut waited = Duration::ZERO;
    while !is_so() {
        assert!(waited < PATIENCE, "never was: {what}");
        sleep(LOOK_EVERY);
        waited += LOOK_EVERY;
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("free port").local_addr().expect("address").port()
}

/// The cells of one column, by the labels or dates of another.
pub fn column(table: &Value, name: &str) -> Vec<Value> {
    let columns = table["columns"].as_array().expect("columns");
    let index =
        columns.iter().position(|column| column["id"] == name).unwrap_or_else(|| panic!("no column {name}"));
    table["rows"].as_array().expect("rows").iter().map(|row| row["cells"][index].clone()).collect()
}

/// The only money or count in a one-row answer.
pub fn single(table: &Value, name: &str) -> i64 {
    let cells = column(table, name);
    assert_eq!(cells.len(), 1, "one row expected: {table:#}");
    number(&cells[0])
}

pub fn number(cell: &Value) -> i64 {
    cell.as_i64().or_else(|| cell["amount_minor"].as_i64()).unwrap_or_else(|| panic!("no number: {cell}"))
}
