//! `portolan connection record` and `portolan plugin replay`: what a connector and its channel say to each other as
//! a file, and a build run over such a file without network.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use portolan_app::channels::context::load_context;
use portolan_app::channels::{find_connection, plugin_of};
use portolan_app::connections::queries::find_by_name;
use portolan_app::plugins::ops::load_installed;
use portolan_connector::cassette::Cassette;
use portolan_connector::manifest::StreamMode;
use portolan_connector::{ConnectionContext, InstalledPlugin, PluginRuntime as _, SliceMode, SliceSpec};
use portolan_core::{Clock as _, ConnectionId, Duration, Instant, SystemClock};
use portolan_plugin_host::{Ask, Outcome, SandboxRuntime};
use serde_json::json;

use super::plugin::{read, throw_away_sandbox};
use super::print_line;
use super::user::sentence;
use crate::wire::Portolan;

/// How far back a window begins unless somebody says otherwise.
const DEFAULT_DAYS: i64 = 7;

/// What an operator asks for.
pub struct Wanted {
    pub connection: String,
    pub output: PathBuf,
    /// None: all that the channel is asked for.
    pub streams: Vec<String>,
    pub since: Option<String>,
    pub until: Option<String>,
    pub pages: u32,
}

/// Asks the channel as a sync would, stores nothing, and writes what was said.
pub async fn record(portolan: &Portolan, wanted: Wanted) -> Result<()> {
    let app = &portolan.app;
    // Before the channel is asked in vain.
    ensure!(!wanted.output.exists(), "{} exists already: choose another name", wanted.output.display());
    load_installed(app).await.map_err(sentence)?;
    let found = find_by_name(app, &wanted.connection).await.map_err(sentence)?;
    let (tenant, id) =
        found.with_context(|| format!("there is no connection called {}", wanted.connection))?;
    let (installed, connection) = {
        let tx = app.db.read(tenant).await?;
        let row = find_connection(&tx, ConnectionId(id)).await.map_err(sentence)?;
        let installed = plugin_of(app, &row).map_err(sentence)?;
        (installed, load_context(app, &tx, &row).await.map_err(sentence)?)
    };
    let now = SystemClock.now();
    let slices = slices(&portolan.sandbox, &installed, &connection, &wanted, now).await?;
    let ask = Ask { slices, pages: wanted.pages.max(1), now };
    let (cassette, outcomes) = portolan.sandbox.record(&installed, &connection, &ask).await?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&wanted.output)
        .with_context(|| format!("{} cannot be written", wanted.output.display()))?;
    file.write_all(cassette.write()?.as_bytes())?;
    for outcome in &outcomes {
        print_line(&in_words(outcome))?;
    }
    print_line(&format!(
        "{} holds no secrets, and made-up persons in place of real ones. Read it before you hand it on: what is personal in an unusual place only a person sees.",
        wanted.output.display()
    ))
}

/// One slice of each stream, or of each of its partitions.
async fn slices(
    sandbox: &SandboxRuntime,
    installed: &InstalledPlugin,
    connection: &ConnectionContext,
    wanted: &Wanted,
    now: Instant,
) -> Result<Vec<SliceSpec>> {
    let until = moment(wanted.until.as_deref(), "--until")?.unwrap_or(now);
    let since =
        moment(wanted.since.as_deref(), "--since")?.unwrap_or(until - Duration::from_days(DEFAULT_DAYS));
    ensure!(since < until, "--since must be before --until");
    let known = || installed.manifest.streams.iter().filter(|stream| stream.mode != StreamMode::Files);
    for name in &wanted.streams {
        if !known().any(|stream| stream.name == *name) {
            let names: Vec<&str> = known().map(|stream| stream.name.as_str()).collect();
            bail!(
                "{} asks its channel for no stream called {name}; there are: {}",
                installed.plugin.id,
                names.join(", ")
            );
        }
    }
    let mut slices = Vec::new();
    for stream in known().filter(|stream| wanted.streams.is_empty() || wanted.streams.contains(&stream.name))
    {
        let partitions = if stream.partitioned {
            let found = sandbox.partitions(&installed.plugin, connection.clone(), &stream.name, now).await?;
            found.into_iter().map(Some).collect()
        } else {
            vec![None]
        };
        let windowed = stream.mode == StreamMode::Incremental;
        slices.extend(partitions.into_iter().map(|partition| SliceSpec {
            stream: stream.name.clone(),
            partition,
            since: windowed.then_some(since),
            until: windowed.then_some(until),
            mode: if windowed { SliceMode::Backfill } else { SliceMode::Snapshot },
        }));
    }
    ensure!(
        !slices.is_empty(),
        "{} asks its channel for nothing: there is nothing to record",
        installed.plugin.id
    );
    Ok(slices)
}

/// A date begins at its midnight, UTC.
fn moment(text: Option<&str>, option: &str) -> Result<Option<Instant>> {
    let Some(text) = text else { return Ok(None) };
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let parsed = Instant::parse_rfc3339(&whole);
    let parsed =
        parsed.with_context(|| format!("{option} {text}: write 2026-01-31 or 2026-01-31T08:30:00Z"))?;
    Ok(Some(parsed))
}

/// Runs a component over a cassette and says what came of it.
pub async fn replay(cassette: &Path, component: &Path, as_json: bool) -> Result<()> {
    let text = std::fs::read_to_string(cassette)
        .with_context(|| format!("{} cannot be read", cassette.display()))?;
    let cassette = Cassette::read(&text)?;
    let component: Bytes = read(component)?;
    let outcomes = throw_away_sandbox(async |sandbox| {
        let installed = sandbox.install(component).await?;
        ensure!(
            installed.plugin.id == cassette.plugin.id,
            "the cassette was recorded with {}, and this is {}",
            cassette.plugin.id,
            installed.plugin.id
        );
        Ok(sandbox.replay(&installed.plugin, &cassette).await?)
    })
    .await?;
    for outcome in &outcomes {
        if as_json {
            let line = json!({ "stream": outcome.stream, "pages": outcome.pages, "seen": outcome.seen,
                "skipped": outcome.skipped, "documents": outcome.documents });
            print_line(&line.to_string())?;
        } else {
            print_line(&in_words(outcome))?;
        }
    }
    Ok(())
}

fn in_words(outcome: &Outcome) -> String {
    format!(
        "{}: {} pages, {} exchanges, {} records, {} documents, {} skipped",
        outcome.stream,
        outcome.pages,
        outcome.exchanges,
        outcome.seen,
        outcome.documents.len(),
        outcome.skipped
    )
}
