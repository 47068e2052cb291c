//! Whether a passkey's answer is right, and whose it is.

use portolan_core::UserId;
use portolan_db::entity::passkey;
use portolan_db::{DbError, SystemTx};
use sea_orm::ConnectionTrait;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError};

use super::{PasskeyError, Passkeys, credential_hash, unreadable};
use crate::secrets::PASSKEY;

/// Who has to have answered.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    /// Whoever the passkey says: it has to say it.
    Anybodys,
    Of(UserId),
}

impl Passkeys {
    /// Whose answer it is, if it is right. Counts it in the stored passkey, whose row is locked until the transaction ends.
    pub(super) async fn judge(
        &self,
        tx: &SystemTx,
        whose: Whose,
        asked: DiscoverableAuthentication,
        answer: &PublicKeyCredential,
    ) -> Result<Option<UserId>, PasskeyError> {
        let Some(row) = find_locked(tx, answer.get_credential_id()).await? else {
            tracing::warn!(user.id = "", "a passkey was not right: nobody has it");
            return Ok(None);
        };
        let user = UserId(row.user_id);
        let says = answer.get_user_unique_id();
        let is_theirs = says.is_some_and(|id| id == row.user_id.as_bytes());
        let may_be = match whose {
            Whose::Anybodys => is_theirs,
            Whose::Of(person) => person == user && (is_theirs || says.is_none()),
        };
        if !may_be {
            tracing::warn!(user.id = %user, "a passkey was not right: it is somebody else's");
            return Ok(None);
        }
        let mut passkey = self.open(&row)?;
        // Held against the passkey as it is stored now: the counters of when it was asked may be old.
        let result = match self.party.0.finish_discoverable_authentication_v2(answer, asked, &passkey) {
            Ok(result) if result.user_verified() => result,
            Ok(_) => {
                tracing::warn!(user.id = %user, "a passkey was not right: it verified nobody");
                return Ok(None);
            }
            Err(WebauthnError::CredentialPossibleCompromise) => {
                tracing::warn!(
                    user.id = %user, passkey.id = %row.id,
                    "a passkey was not right: its counter went back, so there may be a copy of it"
                );
                return Ok(None);
            }
            Err(error) => {
                tracing::warn!(user.id = %user, %error, "a passkey was not right");
                return Ok(None);
            }
        };
        passkey.update_credential(&result);
        self.note_use(tx, &row, &passkey).await?;
        Ok(Some(user))
    }

    async fn note_use(
        &self,
        tx: &SystemTx,
        row: &passkey::Model,
        passkey: &Passkey,
    ) -> Result<(), PasskeyError> {
        let sessions = &self.factors.sessions;
        let plain = serde_json::to_vec(passkey).map_err(|_| unreadable())?;
        let sealed = PASSKEY.seal(&self.factors.ring, tx, row.id, &plain, &*sessions.random).await?;
        let sql = "UPDATE passkey SET sealed = $2, last_used_at = $3 WHERE id = $1";
        let values = [row.id.into(), sealed.into(), sessions.clock.now().0.into()];
        tx.execute_raw(tx.statement(sql, values)).await.map_err(DbError::from)?;
        Ok(())
    }
}

async fn find_locked(tx: &SystemTx, credential_id: &[u8]) -> Result<Option<passkey::Model>, DbError> {
    let sql = format!(
        "SELECT id, user_id, credential_hash, sealed, name, created_at, last_used_at FROM passkey \
         WHERE credential_hash = $1{}",
        tx.dialect().for_update()
    );
    let sql = tx.statement(sql, [credential_hash(credential_id).into()]);
    Ok(tx.find::<passkey::Entity>().from_raw_sql(sql).one(tx).await?)
}
