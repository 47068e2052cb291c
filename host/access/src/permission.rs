//! What a person may do, and what each role gives.
//!
//! The seam for finer roles: handlers ask [`allows`] about one [`Permission`], whoever decides.

use std::fmt;
use std::str::FromStr;

/// One action on one kind of object; also its public name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    AnalyticsQuery,
    OrdersRead,
    ConnectionsRead,
    ConnectionsWrite,
    SyncsRead,
    SyncsRun,
    RawRecordsRead,
    PluginsRead,
    PluginsManage,
    SystemRead,
}

impl Permission {
    pub const ALL: &'static [Self] = &[
        Self::AnalyticsQuery,
        Self::OrdersRead,
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::SyncsRead,
        Self::SyncsRun,
        Self::RawRecordsRead,
        Self::PluginsRead,
        Self::PluginsManage,
        Self::SystemRead,
    ];

    /// `object:action`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnalyticsQuery => "analytics:query",
            Self::OrdersRead => "orders:read",
            Self::ConnectionsRead => "connections:read",
            Self::ConnectionsWrite => "connections:write",
            Self::SyncsRead => "syncs:read",
            Self::SyncsRun => "syncs:run",
            Self::RawRecordsRead => "raw_records:read",
            Self::PluginsRead => "plugins:read",
            Self::PluginsManage => "plugins:manage",
            Self::SystemRead => "system:read",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A person's place in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Owner,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
        }
    }
}

/// A stored role that this version does not know: nothing is allowed under it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("role {0:?} is unknown")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "owner" => Ok(Self::Owner),
            _ => Err(UnknownRole(text.to_owned())),
        }
    }
}

/// Whether the role gives the permission.
pub fn allows(role: Role, permission: Permission) -> bool {
    match role {
        Role::Owner => Permission::ALL.contains(&permission),
    }
}
