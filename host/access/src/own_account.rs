//! What somebody sees of their own account: how they come in, and where they are.

use portolan_core::{Instant, UserId};
use portolan_db::DbError;

use crate::devices::{OwnDevice, devices_of};
use crate::oidc::{OwnIdentity, identities_of};
use crate::own_sessions::{OwnSession, has_password, sessions_of};
use crate::passkeys::{OwnPasskey, passkeys_of};
use crate::recovery_codes::codes_left;
use crate::second_factor::{Ways, code_since};
use crate::sessions::Sessions;

/// All of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    pub has_password: bool,
    /// Since when codes of an authenticator are asked for; `None` where they are not.
    pub code_since: Option<Instant>,
    pub recovery_codes_left: u64,
    /// The oldest first.
    pub passkeys: Vec<OwnPasskey>,
    /// Those linked first come first.
    pub identities: Vec<OwnIdentity>,
    /// Those that stand, the one seen last first.
    pub sessions: Vec<OwnSession>,
    /// The one used last first.
    pub devices: Vec<OwnDevice>,
}

impl OwnAccount {
    /// What they can show beside their password.
    pub fn ways(&self) -> Ways {
        Ways {
            code: self.code_since.is_some(),
            passkey: !self.passkeys.is_empty(),
            recovery_codes_left: self.recovery_codes_left,
        }
    }
}

impl Sessions {
    /// In one snapshot: pages show it whole, and each transaction has a price.
    pub async fn own_account(&self, user: UserId) -> Result<OwnAccount, DbError> {
        let now = self.clock.now();
        let tx = self.database.system_read().await?;
        Ok(OwnAccount {
            has_password: has_password(&tx, user).await?,
            code_since: code_since(&tx, user).await?,
            recovery_codes_left: codes_left(&tx, user).await?,
            passkeys: passkeys_of(&tx, user).await?.into_iter().map(OwnPasskey::from).collect(),
            identities: identities_of(&tx, user).await?.into_iter().map(OwnIdentity::from).collect(),
            sessions: sessions_of(&tx, user, now).await?,
            devices: devices_of(&tx, user, now).await?,
        })
    }
}
