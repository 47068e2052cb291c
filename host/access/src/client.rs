//! Whoever comes: where from, with what in their browser, and how they show who they are.

use portolan_core::{TenantId, UserId};
use uuid::Uuid;

use crate::DeviceToken;
use crate::audit::{Actor, Who};

/// How somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    Password,
    /// A one-time link that an operator made.
    Link,
    /// What a provider of identities of the company says.
    Oidc,
    /// A code of an authenticator.
    Totp,
    RecoveryCode,
    /// A passkey, which has verified its person.
    Passkey,
    /// A code that was mailed, where a company lets that count.
    MailCode,
    /// A browser in which one of them was shown before.
    Device,
}

impl Factor {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Oidc => "oidc",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
            Self::MailCode => "mail_code",
            Self::Device => "device",
        }
    }

    /// A first step by its stored name.
    pub(crate) fn of_first_step(name: &str) -> Self {
        [Self::Link, Self::Oidc].into_iter().find(|first| first.as_str() == name).unwrap_or(Self::Password)
    }
}

/// Where a session is begun, as far as the request says: shown where sessions are listed; the address
/// is where guesses are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    pub address: String,
    pub user_agent: String,
    /// The reference of the request, for the audit.
    pub request_id: String,
    /// What the browser is remembered by.
    pub device: DeviceToken,
    /// The session that the browser had so far: one that begins takes its place.
    pub earlier: EarlierSession,
    /// The company under whose own domain the request was made.
    pub domain: Option<TenantId>,
}

/// The token of a session, as a browser's cookie holds it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EarlierSession(pub Option<String>);

impl std::fmt::Debug for EarlierSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "EarlierSession(…)" } else { "EarlierSession(none)" })
    }
}

impl Client {
    /// Somebody in their session, as the audit tells it.
    pub(crate) fn who(&self, user: UserId, session: Uuid) -> Who {
        Who { session: Some(session), ..self.before_a_session(user) }
    }

    /// Somebody who is about to have one.
    pub(crate) fn before_a_session(&self, user: UserId) -> Who {
        Who {
            actor: Actor::Person(user),
            session: None,
            address: self.address.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

/// Longer names of browsers are cut.
pub(crate) const LONGEST_USER_AGENT_CHARS: usize = 200;
