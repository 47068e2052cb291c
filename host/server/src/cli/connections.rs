//! The words about connections: their syncs, what is read again, and the plugins that they are on.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Place;

#[derive(Debug, Subcommand)]
pub enum SyncCommand {
    /// Show the newest syncs.
    Status {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        json: bool,
    },
    /// Run a connection's sync to its end, here.
    Run {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        /// Folder with plugins (*.wasm).
        #[arg(long)]
        plugins: Option<PathBuf>,
    },
}

/// Which stored pages are read again; all of them where nothing is named.
#[derive(Debug, Clone, Args)]
pub struct ReplayScope {
    /// Only this stream.
    #[arg(long)]
    pub stream: Option<String>,
    /// Only the stored page with this id, as an order's page and a rejected record name it.
    #[arg(long, conflicts_with_all = ["stream", "record"])]
    pub page: Option<String>,
    /// Only the stored page that told of one record, by its kind and key: order:1001
    #[arg(long, conflicts_with = "stream")]
    pub record: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ReplayCommand {
    /// Read again here, to the end; says how far it is.
    Run {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        #[command(flatten)]
        scope: ReplayScope,
        /// Answer JSON instead of a line.
        #[arg(long)]
        json: bool,
    },
    /// Show the newest replays of a connection.
    Status {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        #[arg(long)]
        json: bool,
    },
    /// End the replay that waits or runs; what was read again stays so.
    Cancel {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Show the build that a connection is on, the newest one, and what was compared and switched.
    Status {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
    },
    /// See what another build would change, here; nothing changes by it.
    Compare {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        /// SHA-256 of the build; the newest one where it is left out.
        #[arg(long)]
        to: Option<String>,
        /// How many of the newest stored pages of each stream are read, 1 to 500.
        #[arg(long)]
        pages: Option<i64>,
        /// Answer the whole report as JSON instead of its sums.
        #[arg(long)]
        json: bool,
    },
    /// Switch to the build that was compared last, and read stored pages again with it, here.
    Switch {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        /// Agree to what the build newly asks for, as `upgrade status` shows it.
        #[arg(long)]
        consent: bool,
    },
    /// Go back to the build before the last switch, and read stored pages again with it, here.
    Rollback {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List what is installed.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Install a component.
    Install {
        #[command(flatten)]
        place: Place,
        file: PathBuf,
    },
    /// Print what a component declares, without running it.
    Inspect { file: PathBuf },
    /// Run a component over a cassette, without network, and say what came of it.
    Replay {
        /// As `portolan connection record` wrote it.
        cassette: PathBuf,
        /// The component: the recorded build or another one.
        file: PathBuf,
        /// A line of JSON for each slice, with its documents.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Let a connection reach plain http, or a loopback or private address: exactly this one.
    GrantEgress {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        /// Scheme, host and port: http://127.0.0.1:9911
        address: String,
    },
    /// Ask a connection's channel for a few pages and write what was said into a cassette: a file for tests,
    /// without secrets, and with made-up persons in place of real ones. Nothing is stored.
    Record {
        #[command(flatten)]
        place: Place,
        /// Label or id of the connection.
        connection: String,
        /// The file to write; it must not exist.
        #[arg(long)]
        output: PathBuf,
        /// Stream to record; repeat for several. Default: all.
        #[arg(long = "stream")]
        streams: Vec<String>,
        /// Where the window begins, YYYY-MM-DD or an instant. Default: seven days before its end.
        #[arg(long)]
        since: Option<String>,
        /// Where it ends. Default: now.
        #[arg(long)]
        until: Option<String>,
        /// Most pages of each stream.
        #[arg(long, default_value_t = 3)]
        pages: u32,
    },
}
