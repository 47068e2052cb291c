//! What somebody may do, as `object:action`.

use std::fmt;
use std::str::FromStr;

/// Declares the permissions and their stored names: they differ in nothing else.
macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal),* $(,)?) => {
        /// One thing that a person may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $($(#[doc = $doc])* $name,)*
        }

        impl Permission {
            /// Every permission, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its public name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it allows, in one sentence.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc,)*).trim_ascii(),)*
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
    /// See totals of payments, fees and payouts; single ones with finance:read.
    FinanceTotals = "finance:totals",
    /// See what goods cost, and the margins.
    CostsRead = "costs:read",
    /// See who bought, where others see that somebody did.
    PersonalRead = "personal:read",
    /// Bring exchange rates, and choose by which amounts are converted.
    RatesManage = "rates:manage",
    /// See which channels are connected, without their secrets.
    ConnectionsRead = "connections:read",
    /// Connect, change and disconnect channels, and set their secrets.
    ConnectionsWrite = "connections:write",
    /// See syncs, how far they are, and what could not be read.
    SyncsRead = "syncs:read",
    /// Start, pause, resume and cancel syncs.
    SyncsRun = "syncs:run",
    /// See what channels sent, as they sent it.
    RawRecordsRead = "raw_records:read",
    /// See which plugins are installed, and what each asks for.
    PluginsRead = "plugins:read",
    /// Install, enable and disable plugins.
    PluginsManage = "plugins:manage",
    /// Change the company's name, reporting currency, time zone and week.
    CompanyManage = "company:manage",
    /// Make client companies, see which there are, and release them.
    ClientsManage = "clients:manage",
    /// Invite people, give and take roles and teams, ban and let in again.
    PeopleManage = "people:manage",
    /// See people, their roles and teams.
    PeopleRead = "people:read",
    /// Make roles, and say what they allow and deny.
    RolesManage = "roles:manage",
    /// Say which rows and columns of the data are kept to some.
    PoliciesManage = "policies:manage",
    /// Say how people sign in, and end their sessions.
    SecurityManage = "security:manage",
    /// Hand out and erase what is stored of customers, and say how long they are kept.
    PrivacyManage = "privacy:manage",
    /// See who did what.
    AuditRead = "audit:read",
    /// See and end everybody's keys; one's own need no permission.
    ApiKeysManage = "api_keys:manage",
    /// See how the system is: jobs, storage, versions.
    SystemRead = "system:read",
);

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no permission: use one of those that the roles page lists, such as orders:read")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|permission| permission.as_str() == text);
        found.ok_or_else(|| UnknownPermission(text.chars().take(40).collect()))
    }
}

impl Permission {
    /// What it is about, and what is done to it.
    pub fn object_and_action(self) -> (&'static str, &'static str) {
        self.as_str().split_once(':').unwrap_or((self.as_str(), ""))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_permission_has_a_name_of_its_own_that_is_read_back() {
        let names: BTreeSet<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
        assert_eq!(names.len(), Permission::ALL.len());
        for permission in Permission::ALL {
            let (object, action) = permission.object_and_action();
            assert!(!object.is_empty() && !action.is_empty(), "{permission}");
            assert_eq!(permission.as_str().parse(), Ok(*permission));
            assert!(permission.description().ends_with('.'), "{permission}");
        }
        assert!("orders".parse::<Permission>().is_err());
    }
}
