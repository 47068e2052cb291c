//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use portolan_access::MasterKeyId;
use portolan_app::web::address::PublicAddress;
use portolan_app::web::limits::Allowances;
use portolan_app::web::proxies::TrustedProxy;
use portolan_plugin_host::GrantedOrigin;

use crate::mail_options::{MailCommand, MailOptions};

mod access;

pub use access::{AuditCommand, KeyCommand, PrivacyCommand, RoleCommand, TenantCommand, UserCommand};

/// Self-hosted commerce analytics: one chart over every marketplace, shop and payment provider.
#[derive(Debug, Parser)]
#[command(name = "portolan", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Where a Portolan keeps what it knows, and where it is reached.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder of the data: database, parts, plugins, uploads, master key.
    #[arg(long, env = "PORTOLAN_DATA_DIR", default_value = "portolan-data")]
    pub data_dir: PathBuf,
    /// PostgreSQL address; without it, SQLite inside the data folder.
    #[arg(long, env = "PORTOLAN_DATABASE_URL")]
    pub database_url: Option<String>,
    /// Start although the database does not promise to keep what it acknowledges.
    #[arg(long, env = "PORTOLAN_ACCEPT_DATA_LOSS")]
    pub accept_data_loss: bool,
    /// Start although PostgreSQL's row-level security does not hold: for a trial among people who trust each other.
    #[arg(long, env = "PORTOLAN_ACCEPT_MISSING_ROW_SECURITY")]
    pub accept_missing_row_security: bool,
    /// Address that people open in their browsers, when a proxy stands in front: https://portolan.example
    #[arg(long, env = "PORTOLAN_PUBLIC_ADDRESS")]
    pub public_address: Option<PublicAddress>,
    /// Proxy in front, by address or network, that is believed whom it was asked by (X-Forwarded-For); repeat for several.
    #[arg(long = "trusted-proxy", env = "PORTOLAN_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<TrustedProxy>,
    /// Requests that one address may send in a minute without saying who it is; 0 for no limit.
    #[arg(long, env = "PORTOLAN_ANONYMOUS_REQUESTS_PER_MINUTE", default_value_t = Allowances::DEFAULT.per_client)]
    pub anonymous_requests_per_minute: u32,
    /// Requests that each session and each key may send in a minute; 0 for no limit.
    #[arg(long, env = "PORTOLAN_REQUESTS_PER_MINUTE", default_value_t = Allowances::DEFAULT.per_caller)]
    pub requests_per_minute: u32,
    /// File that each signed head of an audit is added to, once an hour: on another disk or machine, where whoever owns
    /// the database cannot change it.
    #[arg(long, env = "PORTOLAN_AUDIT_ANCHORS")]
    pub audit_anchors: Option<PathBuf>,
    /// Identity provider that may be asked although it is in a private network (https://id.intern.example) or speaks plain
    /// http (http://127.0.0.1:8081): scheme, host and port, exactly; repeat for several.
    #[arg(long = "grant-provider", env = "PORTOLAN_GRANT_PROVIDERS", value_delimiter = ',')]
    pub granted_providers: Vec<GrantedOrigin>,
    #[command(flatten)]
    pub mail: MailOptions,
}

impl Place {
    /// How often anybody may ask.
    pub const fn allowances(&self) -> Allowances {
        Allowances { per_client: self.anonymous_requests_per_minute, per_caller: self.requests_per_minute }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve pages and API, and run the syncs.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address to listen on.
        #[arg(long, env = "PORTOLAN_LISTEN", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Folder with plugins (*.wasm) to install at start.
        #[arg(long, env = "PORTOLAN_PLUGINS_DIR")]
        plugins: Option<PathBuf>,
        /// Syncs at work at the same time.
        #[arg(long, env = "PORTOLAN_WORKERS", default_value_t = 2)]
        workers: usize,
    },
    /// Bring the database to this version's tables, and on PostgreSQL to its role and policies. With the
    /// address of the database's owner, where the server has another.
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Run or look at syncs.
    Sync {
        #[command(subcommand)]
        command: SyncCommand,
    },
    /// Read stored pages again with the plugin that a connection is on, without asking the channel.
    Replay {
        #[command(subcommand)]
        command: ReplayCommand,
    },
    /// Compare builds of a connection's plugin, switch to another one, go back.
    Upgrade {
        #[command(subcommand)]
        command: UpgradeCommand,
    },
    /// Ask for metrics, without a server.
    Query {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        question: Question,
    },
    /// Install, list and inspect plugins.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// What an operator decides about connections.
    Connection {
        #[command(subcommand)]
        command: ConnectionCommand,
    },
    /// People who sign in.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// The companies of this server.
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// What each role allows.
    Role {
        #[command(subcommand)]
        command: RoleCommand,
    },
    /// The keys that secrets rest sealed with.
    Secrets {
        #[command(subcommand)]
        command: SecretsCommand,
    },
    /// Who did what, and whether that was changed since.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Keys that programs come in with.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// What customers of a shop may ask: what is stored of them, and to be forgotten.
    Privacy {
        #[command(subcommand)]
        command: PrivacyCommand,
    },
    /// Whether mail goes out.
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Exchange rates.
    Rates {
        #[command(subcommand)]
        command: RatesCommand,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Check that everything kept can be read: database, secrets, parts, plugins.
    Doctor {
        #[command(flatten)]
        place: Place,
    },
    /// Create the demo tenant with its connections and queue their first syncs.
    SetupDemo {
        #[command(flatten)]
        place: Place,
        /// Folder with plugins (*.wasm).
        #[arg(long)]
        plugins: PathBuf,
        /// Address of a running sandbox Shopify.
        #[arg(long)]
        shopify_url: String,
        /// Address of a running sandbox Stripe: the shop's payments.
        #[arg(long)]
        stripe_url: Option<String>,
        /// Retail sales to import, may be packed.
        #[arg(long)]
        csv: PathBuf,
    },
}

/// A question over the metric catalogue.
#[derive(Debug, Clone, Args)]
pub struct Question {
    /// Metric to measure; repeat for several.
    #[arg(long = "metric", required = true)]
    pub metrics: Vec<String>,
    /// Dimension or time grain (day, week, month, quarter, year) to cut by; repeat for several.
    #[arg(long = "by")]
    pub by: Vec<String>,
    /// First business date, YYYY-MM-DD. Default: the ledger's first.
    #[arg(long)]
    pub from: Option<String>,
    /// Last business date, YYYY-MM-DD. Default: the ledger's last.
    #[arg(long)]
    pub until: Option<String>,
    /// Keep only rows of a dimension's value, as dimension=value; repeat for several.
    #[arg(long = "where")]
    pub filters: Vec<String>,
    /// Convert amounts into this currency where exchange rates are known.
    #[arg(long)]
    pub currency: Option<String>,
    /// Answer as it was reported then: YYYY-MM-DD for the end of that day, or a moment such as 2026-03-01T12:00:00Z.
    #[arg(long)]
    pub as_of: Option<String>,
    /// Most rows to answer.
    #[arg(long)]
    pub limit: Option<u32>,
    /// Tenant to ask for; needed where there are several.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Answer JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum RatesCommand {
    /// Keep the rates of a file: date, base, quote, rate; or a column per currency for one euro.
    Import {
        #[command(flatten)]
        place: Place,
        /// Comma-separated text, such as the European Central Bank's eurofxref-hist.csv.
        file: PathBuf,
        /// Tenant whose rates they are; needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
}

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

#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Say which keys there are and how much needs each.
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Change the master key and all data keys and seal everything anew, while the server runs. Finishes what
    /// was begun before.
    Rotate {
        #[command(flatten)]
        place: Place,
    },
    /// Take a master key that nothing needs any more out of the key file.
    RemoveKey {
        #[command(flatten)]
        place: Place,
        /// Its id, as `portolan secrets status` shows it.
        key: MasterKeyId,
    },
}
