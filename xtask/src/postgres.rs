//! A PostgreSQL of our own for tests and benchmarks: a temporary folder, a free port of the loopback
//! interface, gone at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{self, Background};
use crate::setup;

/// What it may lose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Nothing: benchmarks measure what production does.
    Everything,
    /// All of it when the machine stops: tests throw the folder away.
    NothingAfterACrash,
}

pub struct Postgres {
    port: u16,
    // Fields are dropped in this order: first the server, then its files.
    _server: Background,
    _folder: Folder,
}

impl Postgres {
    pub fn start(keeps: Keeps) -> Result<Self> {
        let programs =
            programs().context("no PostgreSQL server is installed; `cargo xtask setup` installs it")?;
        let person = if setup::is_root()? { Some(unprivileged_person()?) } else { None };
        let folder = Folder::create(person)?;
        let data = folder.path.join("data");

        let mut initdb = command(&programs.join("initdb"), person, &folder.path);
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "-D",
        ]);
        initdb.arg(&data);
        let log = folder.path.join("initdb.log");
        process::run_logged(&mut initdb, &log).with_context(|| process::tail(&log).unwrap_or_default())?;

        let port = process::free_port()?;
        let mut server = command(&programs.join("postgres"), person, &folder.path);
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"] {
            server.args(["-c", setting]);
        }
        if keeps == Keeps::NothingAfterACrash {
            for setting in ["fsync=off", "full_page_writes=off"] {
                server.args(["-c", setting]);
            }
        }
        let mut server = Background::start("PostgreSQL", &mut server, folder.path.join("server.log"))?;
        let ready = || {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["--quiet", "--host=127.0.0.1", "--username=postgres", "--port", &port.to_string()]);
            ask.status().is_ok_and(|status| status.success())
        };
        server.wait_until(Duration::from_secs(60), ready)?;
        Ok(Self { port, _server: server, _folder: folder })
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

/// The folder with `initdb` and `postgres`: Debian keeps them out of the path, newest version first.
pub fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .collect();
    folders.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    folders.pop().or_else(|| process::find("initdb").and_then(|file| file.parent().map(Path::to_owned)))
}

/// PostgreSQL refuses to run as root.
fn unprivileged_person() -> Result<&'static str> {
    for person in ["postgres", "nobody"] {
        if Command::new("id").arg(person).output()?.status.success() {
            return Ok(person);
        }
    }
    bail!("PostgreSQL must not run as root, and this machine has neither a user `postgres` nor `nobody`")
}

/// `program` as that person, ended by the kernel when this program dies, whichever way.
fn command(program: &Path, person: Option<&str>, folder: &Path) -> Command {
    let mut command = match person {
        Some(person) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", person, "--regid", &group_of(person), "--clear-groups"]);
            command.args(["--pdeathsig", "INT"]).arg(program);
            command
        }
        None => process::tied_to_us(program),
    };
    command.current_dir(folder).env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
    command
}

/// The name of a person's group is not always the person's: `nobody` is in `nogroup`.
fn group_of(person: &str) -> String {
    let group = process::stdout_of(Command::new("id").args(["-gn", person])).unwrap_or_default();
    group.trim().to_owned()
}

/// A temporary folder that the person who runs the server owns.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn create(person: Option<&str>) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("portolan-postgres-{}", std::process::id()));
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let folder = Self { path };
        if let Some(person) = person {
            process::run(
                Command::new("chown").arg(format!("{person}:{}", group_of(person))).arg(&folder.path),
            )?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
