//! The words about who may come in and do what: companies, roles, people, keys, and the audit of it.

use std::path::PathBuf;

use clap::Subcommand;
use portolan_access::SystemRole;
use portolan_app::web::address::PublicAddress;

use super::Place;

#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Create a tenant without anybody in it.
    #[command(visible_alias = "create")]
    Add {
        #[command(flatten)]
        place: Place,
        /// Its name in addresses and commands: small letters and hyphens.
        slug: String,
        /// Reporting currency.
        #[arg(long, default_value = "EUR")]
        currency: String,
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        /// Slug of the agency whose client it becomes.
        #[arg(long)]
        agency: Option<String>,
    },
    /// Let a company's people and keys come from anywhere again: for those who locked themselves out by allowed networks.
    LiftNetworks {
        #[command(flatten)]
        place: Place,
        /// As `portolan tenant list` shows it.
        slug: String,
    },
    /// List slug, name, currency, time zone and agency of each.
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// List system roles and the tenant's own, with what they allow; `!` denies.
    List {
        #[command(flatten)]
        place: Place,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key of a person and print it, once.
    Create {
        #[command(flatten)]
        place: Place,
        /// Sign-in name of the person whose key it is: it can do no more than they can.
        #[arg(long)]
        owner: String,
        /// Who uses it.
        #[arg(long)]
        name: String,
        /// What it may do, such as orders:read; repeat for several.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// Days that it lives.
        #[arg(long, default_value_t = 90)]
        days: i64,
        /// Only from this network, such as 192.0.2.0/24; repeat for several.
        #[arg(long = "network")]
        networks: Vec<String>,
    },
    /// Show a tenant's keys.
    List {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        tenant: Option<String>,
    },
    /// End a key.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its id, as `portolan key list` shows it.
        id: String,
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// List requests of customers, newest first: state, kind, connection, when they are due.
    List {
        #[command(flatten)]
        place: Place,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Print what is stored of a customer, as JSON on standard output.
    Export {
        #[command(flatten)]
        place: Place,
        /// Name or id of the connection.
        #[arg(long)]
        connection: String,
        /// The customer's id at the channel.
        #[arg(long)]
        customer: String,
    },
    /// Erase a customer, at once and for good. Figures stay as they are.
    Erase {
        #[command(flatten)]
        place: Place,
        /// Name or id of the connection.
        #[arg(long)]
        connection: String,
        /// The customer's id at the channel.
        #[arg(long)]
        customer: String,
        /// The customer's id once more.
        #[arg(long)]
        confirm: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk the audits of all tenants: every number, every hash, every signed head. Names the first broken place.
    Verify {
        #[command(flatten)]
        place: Place,
        /// Signed heads that were kept elsewhere. Default: the file of --audit-anchors
        #[arg(long)]
        anchors: Option<PathBuf>,
        /// Only this tenant.
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Create a person, who signs in with a password from standard input
    /// (`--password-stdin`) or with a one-time link (`portolan user link`).
    Add {
        #[command(flatten)]
        place: Place,
        name: String,
        /// What they may do: owner, admin, manager, analyst, viewer, finance, ops, marketer, developer or support.
        #[arg(long, default_value_t = SystemRole::Owner)]
        role: SystemRole,
        /// Tenant to create or join.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Reporting currency of a tenant created by this.
        #[arg(long, default_value = "EUR")]
        currency: String,
        /// Time zone of a tenant created by this.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        #[arg(long)]
        password_stdin: bool,
    },
    /// Take the second factor and the recovery codes of somebody away who has lost both. Their sessions end; make sure
    /// that it is them who ask.
    ResetSecondFactor {
        #[command(flatten)]
        place: Place,
        name: String,
    },
    /// List who belongs to a tenant, with their roles.
    List {
        #[command(flatten)]
        place: Place,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Give somebody these roles and no others.
    Roles {
        #[command(flatten)]
        place: Place,
        name: String,
        /// System roles and the tenant's own.
        #[arg(required = true)]
        roles: Vec<String>,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Keep somebody out; what they have open ends.
    Ban {
        #[command(flatten)]
        place: Place,
        name: String,
        /// Why, for whoever asks later.
        #[arg(long)]
        reason: String,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Forget somebody for good, in every company: name, password, second factor, sessions, keys. The audit keeps their id.
    Erase {
        #[command(flatten)]
        place: Place,
        name: String,
        /// The name once more.
        #[arg(long)]
        confirm: String,
    },
    /// End what somebody has open in a tenant; they may sign in again.
    SignOut {
        #[command(flatten)]
        place: Place,
        name: String,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Let somebody in again.
    Unban {
        #[command(flatten)]
        place: Place,
        name: String,
        /// Needed where there are several.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Print a one-time sign-in link.
    Link {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        name: String,
        /// Address that the link begins with. Default: the public address, else http://127.0.0.1:8080
        #[arg(long)]
        address: Option<PublicAddress>,
    },
}
