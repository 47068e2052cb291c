//! What people see and do about their own passkeys.

use portolan_core::Instant;
use portolan_db::entity::passkey;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use super::register::checked_name;
use super::{PasskeyError, lock_passkeys, passkeys_of};
use crate::audit;
use crate::client::Client;
use crate::devices::forget_devices;
use crate::recovery_codes::forget_codes;
use crate::second_factor::has_code;
use crate::signed_in::SignedIn;
use crate::{SecondFactors, Sessions};

/// A passkey as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPasskey {
    pub id: Uuid,
    pub name: String,
    pub created_at: Instant,
    /// Absent where it has only been added.
    pub last_used_at: Option<Instant>,
}

impl From<passkey::Model> for OwnPasskey {
    fn from(row: passkey::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            created_at: Instant(row.created_at),
            last_used_at: row.last_used_at.map(Instant),
        }
    }
}

/// Renamed and removed wherever the server stands now: none of it asks a passkey.
impl SecondFactors {
    /// Calls one of the person's passkeys otherwise; says whether there is one.
    pub async fn rename_passkey(
        &self,
        by: &SignedIn,
        id: Uuid,
        name: &str,
        client: Client,
    ) -> Result<bool, PasskeyError> {
        let (user, tenant, now) = (by.user, by.tenant, self.sessions.clock.now());
        let (who, name) = (client.who(user, by.session), name.to_owned());
        self.sessions
            .database
            .system_write(move |tx| {
                Box::pin(async move {
                    // What is nobody's, or somebody else's, is not there, whatever it should be called.
                    if !passkeys_of(tx, user).await?.iter().any(|row| row.id == id) {
                        return Ok(false);
                    }
                    let sql = "UPDATE passkey SET name = $3 WHERE id = $1 AND user_id = $2";
                    let values = [id.into(), user.0.into(), checked_name(&name)?.into()];
                    let renamed = tx.execute_raw(tx.statement(sql, values)).await.map_err(DbError::from)?;
                    let done = renamed.rows_affected() == 1;
                    if done {
                        audit::write_in_house(tx, tenant, now, who.did("passkey.rename", "passkey", id));
                    }
                    Ok(done)
                })
            })
            .await
    }
}

impl Sessions {
    /// Removes one of the person's passkeys; says whether there was one. With the last second factor go recovery codes and
    /// remembered browsers.
    ///
    /// Errors: [`PasskeyError::LastOne`] where the company of this session asks for one.
    pub async fn remove_passkey(
        &self,
        tx: &SystemTx,
        by: &SignedIn,
        id: Uuid,
        client: Client,
    ) -> Result<bool, PasskeyError> {
        let user = by.user;
        let there_are = lock_passkeys(tx, user).await?;
        let own = tx.find::<passkey::Entity>().filter(passkey::Column::Id.eq(id));
        let own = own.filter(passkey::Column::UserId.eq(user.0)).one(tx).await.map_err(DbError::from)?;
        if own.is_none() {
            return Ok(false);
        }
        let is_last = there_are == 1 && !has_code(tx, user).await?;
        if is_last && by.company_asks_second_factor() {
            return Err(PasskeyError::LastOne);
        }
        let gone = tx.delete_many::<passkey::Entity>().filter(passkey::Column::Id.eq(id));
        gone.exec(tx).await.map_err(DbError::from)?;
        forget_devices(tx, user).await?;
        if is_last {
            forget_codes(tx, user).await?;
            tracing::warn!(user.id = %user, "the last second factor was taken away");
        }
        let entry = client.who(user, by.session).did("passkey.remove", "passkey", id);
        audit::write_in_house(tx, by.tenant, self.clock.now(), entry);
        Ok(true)
    }
}
