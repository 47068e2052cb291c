//! One-time sign-in links: made by an operator, used once, within 15 minutes.

use portolan_core::{Duration, TenantId, UserId};
use portolan_db::DbError;
use portolan_db::entity::sign_in_link;
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};

use crate::audit::{self, Who};
use crate::client::{Client, Factor};
use crate::second_step::FirstStep;
use crate::sessions::is_member;
use crate::token::{new_token, token_hash};
use crate::{NewSession, Sessions, SignInError};

const VALID_FOR: Duration = Duration::from_minutes(15);

impl Sessions {
    /// Makes a link for a member and gives its token, which is not known here any more. It stands in the
    /// address `/sign-in/link/<token>`.
    pub async fn create_link(&self, tenant: TenantId, user: UserId) -> Result<String, SignInError> {
        let token = new_token(&*self.random);
        let now = self.clock.now();
        let row = sign_in_link::Model {
            token_hash: token_hash(&token),
            user_id: user.0,
            tenant_id: tenant.0,
            expires_at: (now + VALID_FOR).0,
            used_at: None,
        };
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    if !is_member(tx, user, tenant).await? {
                        return Err(SignInError::Refused);
                    }
                    tx.insert(row.into_active_model()).await?;
                    let entry = Who::operator().did("sign_in_link.create", "person", user);
                    audit::write_in_house(tx, tenant, now, entry);
                    Ok::<_, SignInError>(())
                })
            })
            .await?;
        Ok(token)
    }

    /// Whether the link could be used now. Looking does not use it up.
    pub async fn link_is_valid(&self, token: &str) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let found = tx
            .find::<sign_in_link::Entity>()
            .filter(sign_in_link::Column::TokenHash.eq(token_hash(token)))
            .filter(sign_in_link::Column::UsedAt.is_null())
            .filter(sign_in_link::Column::ExpiresAt.gt(self.clock.now().0))
            .one(&tx)
            .await?;
        Ok(found.is_some())
    }

    /// Uses the link up. Of many who try at once, one comes in.
    pub async fn sign_in_with_link(&self, token: &str, client: Client) -> Result<NewSession, SignInError> {
        let hash = token_hash(token);
        let now = self.clock.now();
        let sessions = self.clone();
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE sign_in_link SET used_at = $2 \
                               WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
                    let used = tx.statement(sql, [hash.clone().into(), now.0.into()]);
                    if tx.execute_raw(used).await.map_err(DbError::from)?.rows_affected() != 1 {
                        tracing::warn!("a one-time link was not right, was used before or is too old");
                        return Err(SignInError::Refused);
                    }
                    let link = tx
                        .find::<sign_in_link::Entity>()
                        .filter(sign_in_link::Column::TokenHash.eq(hash))
                        .one(tx)
                        .await
                        .map_err(DbError::from)?
                        .ok_or(SignInError::Refused)?;
                    let (user, tenant) = (UserId(link.user_id), TenantId(link.tenant_id));
                    if !is_member(tx, user, tenant).await? {
                        return Err(SignInError::Refused);
                    }
                    Ok::<_, SignInError>(sessions.begin_or_ask(tx, user, tenant, Factor::Link, client).await?)
                })
            })
            .await
            .and_then(FirstStep::into_result)
    }
}
