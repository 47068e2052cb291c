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
mod connections;

pub use access::{AuditCommand, KeyCommand, PrivacyCommand, RoleCommand, TenantCommand, UserCommand};
pub use connections::{
    ConnectionCommand, PluginCommand, ReplayCommand, ReplayScope, SyncCommand, UpgradeCommand,
};

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
