//! Recovery codes: for whoever lost what they show who they are with. Made with the first second factor, used once each, gone with
//! the last.

use portolan_core::{Instant, UserId};
use portolan_db::entity::recovery_code;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::audit;
use crate::client::{Client, Factor};
use crate::guesses::may_try_recovery_code;
use crate::passkeys::lock_passkeys;
use crate::recovery::{CODES, code_hash, new_code, new_salt, normal_code};
use crate::signed_in::SignedIn;
use crate::{SecondFactorError, SecondFactors};

/// Recovery codes, known here for the only time.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCodes(pub Vec<String>);

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RecoveryCodes({} …)", self.0.len())
    }
}

impl SecondFactors {
    /// Makes new recovery codes; the old ones open nothing any more.
    pub async fn renew_recovery_codes(
        &self,
        signed_in: &SignedIn,
        client: Client,
    ) -> Result<RecoveryCodes, SecondFactorError> {
        let (factors, user) = (self.clone(), signed_in.user);
        let (tenant, who) = (signed_in.tenant, client.who(user, signed_in.session));
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    // Two who do this at once do it one after the other: the codes of the second count.
                    let sql = "UPDATE second_factor SET last_step = last_step \
                               WHERE user_id = $1 AND confirmed_at IS NOT NULL";
                    let lock = tx.execute_raw(tx.statement(sql, [user.0.into()])).await;
                    let locked =
                        lock.map_err(DbError::from)?.rows_affected() + lock_passkeys(tx, user).await?;
                    if locked == 0 {
                        return Err(SecondFactorError::NotOn);
                    }
                    let codes = factors.replace_codes(tx, user).await?;
                    let entry = who.did("recovery_codes.renew", "person", user);
                    audit::write_in_house(tx, tenant, factors.sessions.clock.now(), entry);
                    tracing::info!(user.id = %user, "new recovery codes were made");
                    Ok(codes)
                })
            })
            .await
    }

    /// Somebody with passkeys alone has no codes but recovery codes, and no row that counts tries.
    pub(crate) async fn try_recovery_code_alone(
        &self,
        tx: &SystemTx,
        user: UserId,
        typed: &str,
        now: Instant,
    ) -> Result<Option<Factor>, SecondFactorError> {
        let may = may_try_recovery_code(tx, user, now).await?;
        let used = match normal_code(typed).filter(|_| may) {
            Some(code) => use_recovery_code(tx, user, &code, now).await?,
            None => false,
        };
        if !used {
            tracing::warn!(user.id = %user, "a code was not right, or there were too many tries");
        }
        Ok(used.then_some(Factor::RecoveryCode))
    }

    pub(crate) async fn replace_codes(&self, tx: &SystemTx, user: UserId) -> Result<RecoveryCodes, DbError> {
        let random = &*self.sessions.random;
        forget_codes(tx, user).await?;
        let codes: Vec<String> = (0..CODES).map(|_| new_code(random)).collect();
        let rows = codes.iter().zip(1..).map(|(code, number)| {
            let (salt, code) = (new_salt(random), normal_code(code).unwrap_or_default());
            let code_hash = code_hash(&salt, &code);
            let row = recovery_code::Model { user_id: user.0, number, salt, code_hash, used_at: None };
            row.into_active_model()
        });
        tx.insert_many(rows.collect()).await?;
        Ok(RecoveryCodes(codes))
    }
}

/// How many recovery codes have not been used.
pub(crate) async fn codes_left(tx: &SystemTx, user: UserId) -> Result<u64, DbError> {
    Ok(unused_codes(tx, user).await?.len() as u64)
}

/// Whether it is one of theirs that was not used: from now on it is.
pub(crate) async fn use_recovery_code(
    tx: &SystemTx,
    user: UserId,
    code: &str,
    now: Instant,
) -> Result<bool, DbError> {
    let unused = unused_codes(tx, user).await?;
    let Some(found) = unused.iter().find(|row| code_hash(&row.salt, code) == row.code_hash) else {
        return Ok(false);
    };
    let sql = "UPDATE recovery_code SET used_at = $3 WHERE user_id = $1 AND number = $2 AND used_at IS NULL";
    let used = tx.statement(sql, [user.0.into(), found.number.into(), now.0.into()]);
    let used = tx.execute_raw(used).await?.rows_affected() == 1;
    if used {
        tracing::warn!(user.id = %user, codes_left = unused.len() - 1, "a recovery code was used");
    }
    Ok(used)
}

async fn unused_codes(tx: &SystemTx, user: UserId) -> Result<Vec<recovery_code::Model>, DbError> {
    let unused = tx
        .find::<recovery_code::Entity>()
        .filter(recovery_code::Column::UserId.eq(user.0))
        .filter(recovery_code::Column::UsedAt.is_null())
        .order_by_asc(recovery_code::Column::Number);
    Ok(unused.all(tx).await?)
}

pub(crate) async fn forget_codes(tx: &SystemTx, user: UserId) -> Result<(), DbError> {
    let own = recovery_code::Column::UserId.eq(user.0);
    tx.delete_many::<recovery_code::Entity>().filter(own).exec(tx).await?;
    Ok(())
}
