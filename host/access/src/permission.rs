//! What somebody may do, as `object:action`, and which role may do it.

use std::fmt;
use std::str::FromStr;

/// Declares the permissions and their stored names: they differ in nothing else.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// One thing that a person may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its public name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

permissions!(
    /// Ask for metrics, and see what shows them.
    AnalyticsQuery = "analytics:query",
    /// See orders, their documents and ledger events.
    OrdersRead = "orders:read",
    /// See payouts and what providers' balances did.
    FinanceRead = "finance:read",
    /// Bring exchange rates, and choose by which amounts are converted.
    RatesManage = "rates:manage",
    /// See which channels are connected, without their secrets.
    ConnectionsRead = "connections:read",
    /// Connect, change and disconnect channels, and set their secrets.
    ConnectionsWrite = "connections:write",
    SyncsRead = "syncs:read",
    /// Start, pause, resume and cancel syncs.
    SyncsRun = "syncs:run",
    /// See what channels sent, as they sent it.
    RawRecordsRead = "raw_records:read",
    PluginsRead = "plugins:read",
    /// Install, enable and disable plugins.
    PluginsManage = "plugins:manage",
    /// See people and their roles, and change them.
    PeopleManage = "people:manage",
    /// See how the system is: jobs, storage, versions.
    SystemRead = "system:read",
);

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What somebody is in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// May do everything in the tenant.
    Owner,
}

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: use owner")]
pub struct UnknownRole(pub String);

impl Role {
    pub const ALL: &[Self] = &[Self::Owner];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}

/// Whether a role may do something. The one place that decides it: finer roles change this function.
pub const fn allows(role: Role, _permission: Permission) -> bool {
    match role {
        Role::Owner => true,
    }
}
