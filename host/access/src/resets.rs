//! A new password for whoever forgot theirs: by a token that is sent to their mail address, once, within 30 minutes.
//!
//! It replaces the password and nothing else: the second factor stays, and is asked for at the next sign-in.

use portolan_core::{Duration, TenantId, UserId};
use portolan_db::entity::{membership, password_reset, user};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};

use crate::audit;
use crate::client::Client;
use crate::people::{find_user, normal_name};
use crate::token::{new_token, token_hash};
use crate::{Sessions, end_sessions, set_password_hash};

/// How long a link to a new password opens it.
pub const RESET_LASTS: Duration = Duration::from_minutes(30);

/// Whose password was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    pub user: UserId,
    pub sign_in_name: String,
}

impl Sessions {
    /// Makes a token for whoever signs in by this name, in the place of any other, and gives it with their name for the
    /// only time; `None` where nobody does, or is let in nowhere. `client` is who asked.
    pub async fn make_reset_token(
        &self,
        tx: &SystemTx,
        name: &str,
        client: &Client,
    ) -> Result<Option<(String, String)>, DbError> {
        let Some(person) = find_user(tx, &normal_name(name)).await? else { return Ok(None) };
        let (user, now) = (UserId(person.id), self.clock.now());
        let tenants = lets_in(tx, user).await?;
        if tenants.is_empty() {
            return Ok(None);
        }
        let older = password_reset::Column::UserId.eq(user.0);
        tx.delete_many::<password_reset::Entity>().filter(older).exec(tx).await?;
        let token = new_token(&*self.random);
        let row = password_reset::Model {
            token_hash: token_hash(&token),
            user_id: user.0,
            expires_at: (now + RESET_LASTS).0,
        };
        tx.insert(row.into_active_model()).await?;
        for tenant in tenants {
            let entry = client.before_a_session(user).did("password_reset.ask", "person", user);
            audit::write_in_house(tx, tenant, now, entry);
        }
        Ok(Some((token, person.sign_in_name)))
    }

    /// Whether the token could be used now. Looking does not use it up.
    pub async fn reset_token_is_valid(&self, token: &str) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let found = tx
            .find::<password_reset::Entity>()
            .filter(password_reset::Column::TokenHash.eq(token_hash(token)))
            .filter(password_reset::Column::ExpiresAt.gt(self.clock.now().0));
        Ok(found.one(&tx).await?.is_some())
    }

    /// What is known of whoever the token is for: no part of a password of theirs.
    pub async fn words_about_reset(&self, token: &str) -> Result<Vec<String>, DbError> {
        let tx = self.database.system_read().await?;
        let own = password_reset::Column::TokenHash.eq(token_hash(token));
        let found = tx.find::<password_reset::Entity>().filter(own).one(&tx).await?;
        drop(tx);
        match found {
            Some(found) => self.words_about(UserId(found.user_id)).await,
            None => Ok(Vec::new()),
        }
    }

    /// Uses the token up and stores the hash of the new password. Of many who try at once one does; all sessions end.
    pub async fn use_reset_token(
        &self,
        tx: &SystemTx,
        token: &str,
        hash: String,
        client: &Client,
    ) -> Result<Option<Reset>, DbError> {
        let now = self.clock.now();
        let own = password_reset::Column::TokenHash.eq(token_hash(token));
        let open = password_reset::Column::ExpiresAt.gt(now.0);
        let found = tx.find::<password_reset::Entity>().filter(own.clone()).filter(open).one(tx).await?;
        let Some(found) = found else {
            tracing::warn!("a link to a new password was not right, was used before or is too old");
            return Ok(None);
        };
        let used = tx.delete_many::<password_reset::Entity>().filter(own).exec(tx).await?;
        if used.rows_affected != 1 {
            return Ok(None);
        }
        let user = UserId(found.user_id);
        let person = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await?;
        let Some(person) = person else { return Ok(None) };
        set_password_hash(tx, user, Some(hash)).await?;
        end_sessions(tx, user).await?;
        for tenant in lets_in(tx, user).await? {
            let entry = client.before_a_session(user).did("person.reset_password", "person", user);
            audit::write_in_house(tx, tenant, now, entry);
        }
        let sessions = self.clone();
        tx.after_commit(move || sessions.tell_ended());
        tracing::info!(user.id = %user, "somebody replaced a forgotten password");
        Ok(Some(Reset { user, sign_in_name: person.sign_in_name }))
    }
}

/// The tenants that the person may come in to.
async fn lets_in(tx: &SystemTx, user: UserId) -> Result<Vec<TenantId>, DbError> {
    let member = tx
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user.0))
        .filter(membership::Column::BannedAt.is_null());
    Ok(member.all(tx).await?.into_iter().map(|row| TenantId(row.tenant_id)).collect())
}
