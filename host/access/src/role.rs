//! The roles that every tenant has, and what they may do.

use std::fmt;
use std::str::FromStr;

use crate::Permission;
use crate::Permission::*;

/// A role that every tenant has. Tenants make others of their own beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemRole {
    Owner,
    Admin,
    Manager,
    Analyst,
    Viewer,
    Finance,
    Operations,
    Marketer,
    Developer,
    Support,
}

impl SystemRole {
    pub const ALL: &[Self] = &[
        Self::Owner,
        Self::Admin,
        Self::Manager,
        Self::Analyst,
        Self::Viewer,
        Self::Finance,
        Self::Operations,
        Self::Marketer,
        Self::Developer,
        Self::Support,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Analyst => "analyst",
            Self::Viewer => "viewer",
            Self::Finance => "finance",
            Self::Operations => "ops",
            Self::Marketer => "marketer",
            Self::Developer => "developer",
            Self::Support => "support",
        }
    }

    /// Whom it is for, in one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "May do everything. Every company has at least one.",
            Self::Admin => "May do everything but make or remove owners.",
            Self::Manager => "Sees the whole business, connects channels, lets analysts and viewers in.",
            Self::Analyst => "Asks questions and builds reports; sees orders, not what providers paid out.",
            Self::Viewer => "Reads what others have built.",
            Self::Finance => "Sees payments, payouts and fees, and keeps the exchange rates.",
            Self::Operations => "Keeps channels connected and syncs running.",
            Self::Marketer => "Asks questions about sales, without seeing people or payouts.",
            Self::Developer => {
                "Builds plugins: sees connections, syncs and logs, no business figures of people."
            }
            Self::Support => "Answers customers: sees orders, no figures.",
        }
    }

    /// What it allows; nothing denies anything.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Owner | Self::Admin => Permission::ALL,
            Self::Manager => &[
                AnalyticsQuery,
                OrdersRead,
                FinanceRead,
                FinanceTotals,
                CostsRead,
                ConnectionsRead,
                ConnectionsWrite,
                SyncsRead,
                SyncsRun,
                PluginsRead,
                PeopleRead,
                PeopleManage,
            ],
            Self::Analyst => &[
                AnalyticsQuery,
                OrdersRead,
                FinanceTotals,
                CostsRead,
                ConnectionsRead,
                SyncsRead,
                PluginsRead,
            ],
            Self::Viewer => &[AnalyticsQuery, OrdersRead, SyncsRead],
            Self::Finance => &[
                AnalyticsQuery,
                OrdersRead,
                FinanceRead,
                FinanceTotals,
                CostsRead,
                RatesManage,
                ConnectionsRead,
                SyncsRead,
            ],
            Self::Operations => &[
                AnalyticsQuery,
                OrdersRead,
                CostsRead,
                ConnectionsRead,
                ConnectionsWrite,
                SyncsRead,
                SyncsRun,
                RawRecordsRead,
                PluginsRead,
                SystemRead,
            ],
            Self::Marketer => &[AnalyticsQuery, OrdersRead, ConnectionsRead, SyncsRead],
            Self::Developer => &[AnalyticsQuery, ConnectionsRead, SyncsRead, PluginsRead, SystemRead],
            Self::Support => &[OrdersRead, ConnectionsRead, SyncsRead],
        }
    }

    /// Whether whoever holds `self` may give or take this role. Nobody gives more than they have.
    pub fn may_give(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => other != Self::Owner,
            Self::Manager => matches!(other, Self::Analyst | Self::Viewer),
            _ => false,
        }
    }
}

impl fmt::Display for SystemRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no system role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no role: use owner, admin, manager, analyst, viewer, finance, ops, marketer, developer or support"
)]
pub struct UnknownRole(pub String);

impl FromStr for SystemRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_more_than_they_have() {
        for giver in SystemRole::ALL {
            for given in SystemRole::ALL.iter().filter(|given| giver.may_give(**given)) {
                let more = given.permissions().iter().find(|one| !giver.permissions().contains(one));
                assert_eq!(more, None, "{giver} gives {given}");
            }
            assert_eq!(giver.as_str().parse(), Ok(*giver));
        }
        assert!(!SystemRole::Admin.may_give(SystemRole::Owner));
    }
}
