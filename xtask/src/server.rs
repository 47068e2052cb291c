//! A running Portolan with a sandbox Shopify and a sandbox Stripe beside it: for the demo and for the tests of the pages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{self, Background};
use crate::workspace::Workspace;

/// Says how much `portolan` logs: its short commands share the terminal with what is shown there.
const LOG: &str = "PORTOLAN_LOG";

/// What to run, and where it keeps its data.
pub struct Plan<'a> {
    pub workspace: &'a Workspace,
    /// Cargo profile that the binaries were built with.
    pub profile: &'static str,
    pub data_dir: PathBuf,
    pub port: u16,
    /// Size of the demo world, as the sandboxes' `--size` takes it.
    pub size: String,
}

/// All programs; dropping it stops them.
pub struct Running<'a> {
    plan: Plan<'a>,
    pub server: Background,
    pub sandboxes: [Background; 2],
}

impl<'a> Running<'a> {
    /// Starts the sandboxes, sets the demo company up where it is not there yet, and starts the server.
    pub fn start(plan: Plan<'a>, csv: Option<&Path>) -> Result<Self> {
        let (shopify, shopify_port) = plan.start_sandbox("sandbox-shopify", "sandbox-port")?;
        let (stripe, stripe_port) = plan.start_sandbox("sandbox-stripe", "sandbox-stripe-port")?;
        let csv = match csv {
            Some(file) => file.to_owned(),
            None => plan.export_csv()?,
        };
        let mut set_up = plan.portolan(&["setup-demo"]);
        set_up.env(LOG, "warn");
        set_up.arg("--plugins").arg(plan.workspace.plugins_dir());
        set_up.args(["--shopify-url", &format!("http://127.0.0.1:{shopify_port}")]);
        set_up.args(["--stripe-url", &format!("http://127.0.0.1:{stripe_port}")]).arg("--csv").arg(&csv);
        process::run(&mut set_up).context("the demo company could not be set up")?;

        let mut serve = plan.portolan(&["serve"]);
        serve.args(["--listen", &format!("127.0.0.1:{}", plan.port), "--public-address", &plan.address()]);
        serve.arg("--plugins").arg(plan.workspace.plugins_dir());
        let mut server = Background::start("portolan", &mut serve, plan.log("portolan.log"))?;
        let port = plan.port;
        server.wait_until(Duration::from_secs(60), || process::accepts_connections(port))?;
        Ok(Self { plan, server, sandboxes: [shopify, stripe] })
    }

    pub fn address(&self) -> String {
        self.plan.address()
    }

    /// A link that signs the owner in, once.
    pub fn sign_in_link(&self) -> Result<String> {
        let mut command = self.plan.portolan(&["user", "link"]);
        command.args(["--name", "owner", "--address", &self.address()]).env(LOG, "warn");
        let text = process::stdout_of(&mut command)?;
        let link = text.split_whitespace().rfind(|word| word.starts_with("http"));
        link.map(str::to_owned).with_context(|| format!("`portolan user link` printed no link: {text}"))
    }

    /// What `portolan sync status --json` says.
    pub fn sync_status(&self) -> Result<serde_json::Value> {
        let mut command = self.plan.portolan(&["sync", "status", "--json"]);
        let text = process::stdout_of(command.env(LOG, "warn"))?;
        serde_json::from_str(&text).context("`portolan sync status --json` printed no JSON")
    }

    /// An error when one of them has ended by itself.
    pub fn still_runs(&mut self) -> Result<()> {
        self.server.still_runs()?;
        self.sandboxes.iter_mut().try_for_each(Background::still_runs)
    }
}

impl Plan<'_> {
    /// By its name, since browsers use passkeys under no number.
    fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A sandbox keeps its port and the end of its world over restarts of a demo: the connection remembers
    /// the address, and a world that ends elsewhere would be another one. Shop and payments end together.
    fn start_sandbox(&self, program: &'static str, port_note: &str) -> Result<(Background, u16)> {
        let port = match self.note(port_note).and_then(|text| text.parse().ok()) {
            Some(port) if !process::accepts_connections(port) => port,
            _ => process::free_port()?,
        };
        self.keep_note(port_note, &port.to_string())?;
        if self.note("sandbox-until").is_none() {
            let now = process::stdout_of(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?;
            self.keep_note("sandbox-until", now.trim())?;
        }
        let mut command = self.sandbox(program, &self.size);
        command.args(["--port", &port.to_string()]);
        let mut sandbox = Background::start(program, &mut command, self.log(&format!("{program}.log")))?;
        sandbox.wait_until(Duration::from_secs(180), || process::accepts_connections(port))?;
        Ok((sandbox, port))
    }

    /// A till's export of the same demo world, for where the real retail data is absent.
    fn export_csv(&self) -> Result<PathBuf> {
        let file = self.data_dir.join("demo-retail.csv");
        if !file.is_file() {
            // A till's file is read at once, so it is never that of a world of a million orders.
            let size = if self.size.eq_ignore_ascii_case("tiny") { "tiny" } else { "s" };
            let mut command = self.sandbox("sandbox-shopify", size);
            command.arg("--orders-csv").arg(&file);
            process::run(&mut command).context("the demo world could not be exported")?;
        }
        Ok(file)
    }

    fn sandbox(&self, program: &str, size: &str) -> Command {
        let mut command = self.tied(program);
        command.args(["--size", size]);
        if let Some(until) = self.note("sandbox-until") {
            command.args(["--until", &until]);
        }
        command
    }

    fn note(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.data_dir.join(name)).ok()?;
        Some(text.trim().to_owned())
    }

    fn keep_note(&self, name: &str, text: &str) -> Result<()> {
        std::fs::create_dir_all(&self.data_dir)?;
        Ok(std::fs::write(self.data_dir.join(name), text)?)
    }

    fn portolan(&self, words: &[&str]) -> Command {
        let mut command = self.tied("portolan");
        command.args(words).arg("--data-dir").arg(&self.data_dir);
        command
    }

    fn tied(&self, program: &str) -> Command {
        let mut command = process::tied_to_us(self.workspace.binary(self.profile, program));
        command.current_dir(&self.workspace.root);
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.data_dir.join("log").join(name)
    }
}
