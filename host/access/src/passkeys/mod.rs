//! Passkeys: pairs of keys whose private half stays in a telephone, a computer or a security key, and which answer at this
//! host's own address alone.
//!
//! What an answer is worth is decided by `webauthn-rs`. Here stands what it knows nothing of: whose passkey it is, that it is
//! asked once, and what somebody may do afterwards.
//!
//! **Invariants**
//! - A question is answered once: who takes its row away has the answer looked at, and the row stays away whatever comes of it.
//! - A question of one purpose, session or first step is answered for no other.
//! - The passkey verifies its person each time (PIN, finger, face), so it counts as both factors.
//! - The credential that an answer is held against is the one that is stored now, locked: two answers with one counter
//!   are never both right.

mod answer;
mod ceremony;
mod own;
mod register;
mod relying_party;
mod sign_in;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use ceremony::Question;
pub use own::OwnPasskey;
pub use register::Registered;
pub use relying_party::{NoRelyingParty, RelyingParty};

use portolan_core::{UserId, hex};
use portolan_db::entity::passkey;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use sha2::{Digest, Sha256};

use crate::{SealError, SecondFactorError, SecondFactors, SecretsError};

/// More than these has nobody who uses them.
const MOST: usize = 20;
const LONGEST_NAME_CHARS: usize = 60;

/// Passkeys of people, over their second factors. Cheap to make.
#[derive(Clone)]
pub struct Passkeys {
    factors: SecondFactors,
    party: RelyingParty,
}

/// Why a passkey cannot be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The one answer to whatever is wrong with an answer.
    #[error("the passkey's answer is not right, came too late or was used before: begin again")]
    Refused,
    #[error("write a name of 1 to {LONGEST_NAME_CHARS} characters, such as the device that it is on")]
    Name,
    #[error("these are {MOST} passkeys already: remove one first")]
    TooMany,
    #[error("there is no passkey: add one first")]
    None,
    #[error("too many passkeys are asked for from your network: wait a minute, then try again")]
    TooOften,
    /// The company would let nobody in without.
    #[error(
        "your company asks for a second factor, and this is the last one: add another passkey or an authenticator first"
    )]
    LastOne,
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
}

impl From<DbError> for PasskeyError {
    fn from(error: DbError) -> Self {
        Self::SecondFactor(error.into())
    }
}

impl From<SecretsError> for PasskeyError {
    fn from(error: SecretsError) -> Self {
        Self::SecondFactor(error.into())
    }
}

impl Passkeys {
    pub fn new(factors: &SecondFactors, party: RelyingParty) -> Self {
        Self { factors: factors.clone(), party }
    }

    fn open(&self, row: &passkey::Model) -> Result<webauthn_rs::prelude::Passkey, PasskeyError> {
        let plain = crate::secrets::PASSKEY.open(&self.factors.ring, row.id, &row.sealed)?;
        serde_json::from_slice(&plain).map_err(|_| unreadable())
    }
}

/// What opened is nothing that was written here.
fn unreadable() -> PasskeyError {
    SecretsError::from(SealError::Refused).into()
}

/// What a credential is looked up by.
fn credential_hash(credential_id: &[u8]) -> String {
    hex(&Sha256::digest(credential_id))
}

/// The person's passkeys, the oldest first.
pub(crate) async fn passkeys_of(tx: &SystemTx, user: UserId) -> Result<Vec<passkey::Model>, DbError> {
    let own = tx.find::<passkey::Entity>().filter(passkey::Column::UserId.eq(user.0));
    Ok(own.order_by_asc(passkey::Column::CreatedAt).order_by_asc(passkey::Column::Id).all(tx).await?)
}

/// Whoever changes a person's passkeys waits for whoever else does; says how many there are.
pub(crate) async fn lock_passkeys(tx: &SystemTx, user: UserId) -> Result<u64, DbError> {
    let sql = "UPDATE passkey SET name = name WHERE user_id = $1";
    Ok(tx.execute_raw(tx.statement(sql, [user.0.into()])).await?.rows_affected())
}

/// Forgets all of a person's; says whether there was one.
pub(crate) async fn forget_passkeys(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    let own = passkey::Column::UserId.eq(user.0);
    Ok(tx.delete_many::<passkey::Entity>().filter(own).exec(tx).await?.rows_affected > 0)
}
