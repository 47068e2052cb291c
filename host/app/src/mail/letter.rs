//! What is sent, as it is kept until then: sealed, so it may hold names and links.

use portolan_access::Client;
use serde::{Deserialize, Serialize};

/// A mail that waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Somebody may join a company.
    Invitation { to: String, company: String, link: String },
    /// Somebody who signs in by this name, if there is anybody, has forgotten their password. The link is made when it is
    /// sent: until then nobody knows whether there is somebody.
    PasswordReset { name: String, asked_from: Asked },
    /// A password was replaced by such a link.
    PasswordWasReset { to: String, address: String },
    /// Somebody has changed their own password.
    PasswordChanged { to: String, address: String },
    /// A passkey opens an account from now on.
    PasskeyAdded { to: String, name: String, address: String },
    /// A passkey opens it no more.
    PasskeyRemoved { to: String, address: String },
    /// The second step of signing in.
    SignInCode { to: String, code: String },
}

/// Who asked: for the audit.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub address: String,
    pub request_id: String,
}

impl From<Client> for Asked {
    fn from(client: Client) -> Self {
        Self { address: client.address, request_id: client.request_id }
    }
}

impl From<Asked> for Client {
    fn from(asked: Asked) -> Self {
        Self { address: asked.address, request_id: asked.request_id, ..Self::default() }
    }
}

impl Letter {
    /// The stored name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::PasswordReset { .. } => PASSWORD_RESET,
            Self::PasswordWasReset { .. } => "password_was_reset",
            Self::PasswordChanged { .. } => "password_changed",
            Self::PasskeyAdded { .. } => "passkey_added",
            Self::PasskeyRemoved { .. } => "passkey_removed",
            Self::SignInCode { .. } => "sign_in_code",
        }
    }
}

pub const PASSWORD_RESET: &str = "password_reset";

// To whom and what is nobody's business in a log.
impl std::fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Letter({} …)", self.kind())
    }
}
