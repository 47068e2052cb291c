//! The second factor: codes that an authenticator makes, passkeys ([`crate::passkeys`]), and recovery codes for whoever lost them.
//!
//! **Invariants**
//! - A code counts once: using it moves `last_step` by a conditional update, and so does a recovery code its `used_at`.
//! - At most [`TRIES`] tries in any [`TRIES_WITHIN`] and account, right ones aside, counted in the database before they
//!   are looked at. Whoever tries holds the account's row until it is known how the try went.
//! - The seed rests sealed for the house and bound to its person.

use std::sync::Arc;

use portolan_core::{Duration, Instant, UserId};
use portolan_db::entity::{second_factor, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};

use crate::audit;
use crate::client::{Client, Factor};
use crate::devices::forget_devices;
use crate::passkeys::{forget_passkeys, lock_passkeys, passkeys_of};
use crate::recovery::normal_code;
use crate::recovery_codes::{codes_left, forget_codes, use_recovery_code};
use crate::secrets::{SECOND_FACTOR_SEED, SecretsError};
use crate::signed_in::SignedIn;
use crate::totp::Seed;
use crate::{KeyRing, NewSession, RecoveryCodes, Sessions};

/// How many tries fit into the row of an account: as many as it has columns `tried_at`.
const TRIES: usize = 5;
const TRIES_WITHIN: Duration = Duration::from_minutes(5);

/// Second factors of people, over the sessions that ask for them. Cheap to make.
#[derive(Clone)]
pub struct SecondFactors {
    pub(crate) sessions: Sessions,
    pub(crate) ring: Arc<KeyRing>,
}

/// What somebody can show beside their password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// A code of an authenticator.
    pub code: bool,
    pub passkey: bool,
    pub recovery_codes_left: u64,
}

impl Ways {
    /// Whether there is a second factor, so that one is asked for.
    pub const fn any(self) -> bool {
        self.code || self.passkey
    }
}

/// A seed that waits for its first code.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// For an authenticator, as a drawing.
    pub url: String,
    /// The same to type.
    pub key: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Enrolment(…)")
    }
}

/// Why a second factor cannot be looked at or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// The one answer to a code that is wrong, old or used, and to too many tries.
    #[error("the code is not right, was used before, or there were too many tries: wait for the next one")]
    Refused,
    #[error("a second factor is on already: switch it off before you set up another one")]
    AlreadyOn,
    #[error("there is no second factor: set one up first")]
    NotOn,
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl From<DbError> for SecondFactorError {
    fn from(error: DbError) -> Self {
        Self::Secrets(error.into())
    }
}

impl SecondFactors {
    pub fn new(sessions: &Sessions, ring: &Arc<KeyRing>) -> Self {
        Self { sessions: sessions.clone(), ring: Arc::clone(ring) }
    }

    /// What this person can show beside their password.
    pub async fn ways_of(&self, user: UserId) -> Result<Ways, DbError> {
        let tx = self.sessions.database.system_read().await?;
        Ok(Ways {
            code: has_code(&tx, user).await?,
            passkey: !passkeys_of(&tx, user).await?.is_empty(),
            recovery_codes_left: codes_left(&tx, user).await?,
        })
    }

    /// Makes a seed, in the place of one that was never confirmed. Nothing is asked for until its first code.
    pub async fn begin(&self, signed_in: &SignedIn, client: Client) -> Result<(), SecondFactorError> {
        let (factors, user) = (self.clone(), signed_in.user);
        let (tenant, who) = (signed_in.tenant, client.who(user, signed_in.session));
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let (random, now) = (&*factors.sessions.random, factors.sessions.clock.now());
                    let tried_before = match find(tx, user).await? {
                        Some(row) if row.confirmed_at.is_some() => return Err(SecondFactorError::AlreadyOn),
                        before => before,
                    };
                    let seed = Seed::generate(random);
                    let sealed =
                        SECOND_FACTOR_SEED.seal(&factors.ring, tx, user.0, seed.bytes(), random).await?;
                    tx.delete_many::<second_factor::Entity>()
                        .filter(second_factor::Column::UserId.eq(user.0))
                        .exec(tx)
                        .await
                        .map_err(DbError::from)?;
                    let tried =
                        |place: fn(&second_factor::Model) -> i64| tried_before.as_ref().map_or(0, place);
                    let row = second_factor::Model {
                        user_id: user.0,
                        sealed,
                        created_at: now.0,
                        confirmed_at: None,
                        last_step: 0,
                        tried_at_1: tried(|row| row.tried_at_1),
                        tried_at_2: tried(|row| row.tried_at_2),
                        tried_at_3: tried(|row| row.tried_at_3),
                        tried_at_4: tried(|row| row.tried_at_4),
                        tried_at_5: tried(|row| row.tried_at_5),
                    };
                    tx.insert(row.into_active_model()).await?;
                    audit::write_in_house(tx, tenant, now, who.did("second_factor.set_up", "person", user));
                    Ok(())
                })
            })
            .await
    }

    /// The seed that waits for its first code; `None` where none does.
    pub async fn enrolment(&self, user: UserId) -> Result<Option<Enrolment>, SecondFactorError> {
        let tx = self.sessions.database.system_read().await?;
        let row = find(&tx, user).await?.filter(|row| row.confirmed_at.is_none());
        let Some(row) = row else { return Ok(None) };
        let person = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(&tx).await;
        let name = person.map_err(DbError::from)?.map(|person| person.sign_in_name).unwrap_or_default();
        let seed = self.open(&row)?;
        Ok(Some(Enrolment { url: seed.url(&name), key: seed.key_text() }))
    }

    /// Switches the second factor on, if the code is the seed's: from now on it is asked for. Sessions that began without
    /// it end, but for the one that does this, which gets a new token.
    pub async fn confirm(
        &self,
        signed_in: &SignedIn,
        code: &str,
        client: Client,
    ) -> Result<(RecoveryCodes, NewSession), SecondFactorError> {
        let (factors, user, session, code) =
            (self.clone(), signed_in.user, signed_in.session, code.to_owned());
        let tenant = signed_in.tenant;
        let confirmed = self
            .sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    let now = factors.sessions.clock.now();
                    if !count_try(tx, user, now, "IS NULL").await? {
                        return Ok(None);
                    }
                    let Some(row) = find(tx, user).await? else { return Ok(None) };
                    let Some(step) = factors.open(&row)?.matched_step(&digits_of(&code), now) else {
                        return Ok(None);
                    };
                    let sql = "UPDATE second_factor SET confirmed_at = $2, last_step = $3 \
                               WHERE user_id = $1 AND confirmed_at IS NULL";
                    let confirm = tx.statement(sql, [user.0.into(), now.0.into(), step.into()]);
                    let confirm = tx.execute_raw(confirm).await.map_err(DbError::from)?;
                    if confirm.rows_affected() != 1 {
                        return Ok(None);
                    }
                    give_back_try(tx, user).await?;
                    let codes = factors.replace_codes(tx, user).await?;
                    factors.sessions.end_others(tx, user, session, &client).await?;
                    let entry = client.who(user, session).did("second_factor.switch_on", "person", user);
                    audit::write_in_house(tx, tenant, now, entry);
                    let Some(session) = factors.sessions.renew(tx, user, session, Factor::Totp).await? else {
                        // Nobody is there any more to be shown the recovery codes: nothing of it is kept.
                        return Err(SecondFactorError::Refused);
                    };
                    tracing::info!(user.id = %user, "a second factor was switched on");
                    Ok(Some((codes, session)))
                })
            })
            .await?;
        self.sessions.tell_ended();
        confirmed.ok_or(SecondFactorError::Refused)
    }

    /// Switches the authenticator off, with a code or a recovery code, and forgets its seed; recovery codes stay with
    /// whoever has a passkey.
    pub async fn switch_off(
        &self,
        signed_in: &SignedIn,
        code: &str,
        client: Client,
    ) -> Result<(), SecondFactorError> {
        let (factors, user, code) = (self.clone(), signed_in.user, code.to_owned());
        let (tenant, who) = (signed_in.tenant, client.who(user, signed_in.session));
        let done = self
            .sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    if factors.try_code(tx, user, &code).await?.is_none() {
                        return Ok::<_, SecondFactorError>(false);
                    }
                    forget_code(tx, user).await?;
                    let entry = who.did("second_factor.switch_off", "person", user);
                    audit::write_in_house(tx, tenant, factors.sessions.clock.now(), entry);
                    Ok(true)
                })
            })
            .await?;
        if done { Ok(()) } else { Err(SecondFactorError::Refused) }
    }

    /// Tries a code or a recovery code, and counts the try; says which of them was right. The transaction has to be
    /// committed whatever comes out, or the try would not count.
    pub(crate) async fn try_code(
        &self,
        tx: &SystemTx,
        user: UserId,
        typed: &str,
    ) -> Result<Option<Factor>, SecondFactorError> {
        let now = self.sessions.clock.now();
        if !has_code(tx, user).await? && !passkeys_of(tx, user).await?.is_empty() {
            return self.try_recovery_code_alone(tx, user, typed, now).await;
        }
        if !count_try(tx, user, now, "IS NOT NULL").await? {
            tracing::warn!(user.id = %user, "no second factor, or too many tries");
            return Ok(None);
        }
        let used = match normal_code(typed) {
            Some(code) => use_recovery_code(tx, user, &code, now).await?.then_some(Factor::RecoveryCode),
            None => self.use_code(tx, user, &digits_of(typed), now).await?.then_some(Factor::Totp),
        };
        if used.is_some() {
            give_back_try(tx, user).await?;
        } else {
            tracing::warn!(user.id = %user, "a code was not right");
        }
        Ok(used)
    }

    async fn use_code(
        &self,
        tx: &SystemTx,
        user: UserId,
        code: &str,
        now: Instant,
    ) -> Result<bool, SecondFactorError> {
        let Some(row) = find(tx, user).await? else { return Ok(false) };
        let Some(step) = self.open(&row)?.matched_step(code, now) else { return Ok(false) };
        let sql = "UPDATE second_factor SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
        let used = tx.execute_raw(tx.statement(sql, [user.0.into(), step.into()])).await;
        Ok(used.map_err(DbError::from)?.rows_affected() == 1)
    }

    fn open(&self, row: &second_factor::Model) -> Result<Seed, SecondFactorError> {
        let cell_of = row.user_id.to_string();
        let bytes = self.ring.open_for_house(SECOND_FACTOR_SEED.cell(&cell_of), &row.sealed);
        let bytes = bytes.map_err(SecretsError::from)?;
        Ok(Seed::from_bytes(bytes).ok_or(SecretsError::Seal(crate::SealError::Refused))?)
    }

    /// The code of a moment, as an authenticator shows it: for tests.
    #[cfg(any(test, feature = "testing"))]
    pub async fn code_at(&self, user: UserId, at: Instant) -> String {
        let tx = self.sessions.database.system_read().await.expect("read");
        let row = find(&tx, user).await.expect("find").expect("a second factor");
        self.open(&row).expect("a seed that opens").code_at(at)
    }
}

/// Forgets a person's authenticator, and what it opened: remembered browsers, and recovery codes where no passkey is left.
async fn forget_code(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    if lock_passkeys(tx, user).await? == 0 {
        forget_codes(tx, user).await?;
    }
    forget_devices(tx, user).await?;
    let own = second_factor::Column::UserId.eq(user.0);
    let gone = tx.delete_many::<second_factor::Entity>().filter(own).exec(tx).await?;
    let was_on = gone.rows_affected > 0;
    if was_on {
        tracing::warn!(user.id = %user, "an authenticator was switched off");
    }
    Ok(was_on)
}

/// Forgets a person's authenticator, passkeys, recovery codes and remembered browsers; says whether there was one. For the operator, and for whoever
/// has shown a code; they tell the audit.
pub async fn reset_second_factor(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    let had_passkeys = forget_passkeys(tx, user).await?;
    Ok(forget_code(tx, user).await? || had_passkeys)
}

/// Whether a second step is asked for.
pub(crate) async fn has_second_factor(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    Ok(has_code(tx, user).await? || !passkeys_of(tx, user).await?.is_empty())
}

/// Whether there is an authenticator whose first code was right.
pub(crate) async fn has_code(tx: &SystemTx, user: UserId) -> Result<bool, DbError> {
    Ok(code_since(tx, user).await?.is_some())
}

/// Since when codes of an authenticator are asked for.
pub(crate) async fn code_since(tx: &SystemTx, user: UserId) -> Result<Option<Instant>, DbError> {
    Ok(find(tx, user).await?.and_then(|row| row.confirmed_at).map(Instant))
}

/// Counts a try unless there were too many; locks the row until the transaction ends.
async fn count_try(tx: &SystemTx, user: UserId, now: Instant, confirmed: &str) -> Result<bool, DbError> {
    let sql = format!(
        "UPDATE second_factor SET tried_at_5 = tried_at_4, tried_at_4 = tried_at_3, tried_at_3 = tried_at_2, \
         tried_at_2 = tried_at_1, tried_at_1 = $2 \
         WHERE user_id = $1 AND tried_at_{TRIES} <= $3 AND confirmed_at {confirmed}"
    );
    let since = Instant(now.0 - TRIES_WITHIN.0);
    let counted = tx.statement(sql, [user.0.into(), now.0.into(), since.0.into()]);
    Ok(tx.execute_raw(counted).await?.rows_affected() == 1)
}

/// A right one costs nothing: in the transaction that counted it.
async fn give_back_try(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    let sql = "UPDATE second_factor SET tried_at_1 = tried_at_2, tried_at_2 = tried_at_3, \
               tried_at_3 = tried_at_4, tried_at_4 = tried_at_5, tried_at_5 = 0 WHERE user_id = $1";
    tx.execute_raw(tx.statement(sql, [user.0.into()])).await?;
    Ok(())
}

async fn find(tx: &SystemTx, user: UserId) -> Result<Option<second_factor::Model>, DbError> {
    let own = second_factor::Column::UserId.eq(user.0);
    Ok(tx.find::<second_factor::Entity>().filter(own).one(tx).await?)
}

/// Authenticators show a space in the middle, and people type it.
fn digits_of(typed: &str) -> String {
    typed.chars().filter(|character| !character.is_whitespace()).collect()
}
