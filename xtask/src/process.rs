//! Starting programs so that none of them outlives these commands.
//!
//! A signal to this program only raises a flag. Every wait looks at it, ends with an error, and the
//! [`Background`] values that are dropped on the way out stop what they started.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const POLL: Duration = Duration::from_millis(50);
/// A person who watches a long, silent phase is told this often that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(15);

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Turns Ctrl-C and SIGTERM into an orderly end.
pub fn stop_on_signals() -> Result<()> {
    let flag = STOP.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // The second signal ends this program at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag))?;
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

pub fn interrupted() -> bool {
    STOP.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Sleeps in short pieces; an error when the person wants to stop.
pub fn pause(span: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < span {
        if interrupted() {
            bail!("interrupted");
        }
        std::thread::sleep(POLL.min(span.saturating_sub(start.elapsed())));
    }
    Ok(())
}

/// Runs a program with this terminal as its own; an error when it does not end well.
pub fn run(command: &mut Command) -> Result<()> {
    let words = words_of(command);
    let mut child = command.spawn().with_context(|| format!("cannot start `{words}`"))?;
    let status = wait(&mut child, |_| ())?;
    if !status.success() {
        bail!("`{words}` failed ({status})");
    }
    Ok(())
}

/// What a short program prints; its complaints go to the terminal.
pub fn stdout_of(command: &mut Command) -> Result<String> {
    let words = words_of(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{words}`"))?;
    if !output.status.success() {
        bail!("`{words}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{words}` does not speak UTF-8"))
}

/// Runs a program with its output in a file, and says now and then how far it is.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let words = words_of(command);
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).append(true).open(log)?;
    writeln!(file, "$ {words}")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot start `{words}`"))?;
    let mut next = HEARTBEAT;
    let status = wait(&mut child, |elapsed| {
        if elapsed >= next {
            next += HEARTBEAT;
            println!("      {} s: {}", elapsed.as_secs(), last_line(log).unwrap_or_default());
        }
    })?;
    if !status.success() {
        bail!("`{words}` failed ({status})");
    }
    Ok(())
}

fn wait(child: &mut Child, mut tick: impl FnMut(Duration)) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            end(child);
            bail!("interrupted");
        }
        tick(start.elapsed());
        std::thread::sleep(POLL);
    }
}

/// A program that runs beside this one until the value is dropped.
pub struct Background {
    name: &'static str,
    child: Child,
    pub log: PathBuf,
}

impl Background {
    /// Starts it with its output in `log`. The kernel ends it too should this program be killed.
    pub fn start(name: &'static str, command: &mut Command, log: PathBuf) -> Result<Self> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {name}: `{}`", words_of(command)))?;
        Ok(Self { name, child, log })
    }

    /// An error, with the end of its log, when it has ended by itself.
    pub fn still_runs(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended ({status}); the end of its log {}:\n{}",
                self.name,
                self.log.display(),
                tail(&self.log)?
            );
        }
        Ok(())
    }

    /// Waits until `ready` holds.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        while !ready() {
            self.still_runs()?;
            if start.elapsed() > limit {
                bail!(
                    "{} was not ready after {} s; the end of its log {}:\n{}",
                    self.name,
                    limit.as_secs(),
                    self.log.display(),
                    tail(&self.log)?
                );
            }
            pause(POLL)?;
        }
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Asks a program to end, and insists after a while.
fn end(child: &mut Child) {
    // By the shell's own `kill`: sending a signal needs `unsafe` or another dependency otherwise.
    let _ = Command::new("sh").args(["-c", &format!("kill -TERM {} 2>&-", child.id())]).status();
    let start = Instant::now();
    while start.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(POLL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// `program`, ended by the kernel when this program dies, whichever way.
pub fn tied_to_us(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !exists("setpriv") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

/// Whether a program can be found.
pub fn exists(program: &str) -> bool {
    find(program).is_some()
}

pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A port nobody listens on at this moment.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

pub fn accepts_connections(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The last lines of a log, enough to see what went wrong.
pub fn tail(log: &Path) -> Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(4096)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn last_line(log: &Path) -> Option<String> {
    let text = tail(log).ok()?;
    let line = text.lines().rfind(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().take(110).collect())
}

fn words_of(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
