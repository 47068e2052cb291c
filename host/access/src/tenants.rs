//! The tenants that a person belongs to, and going from one to another.

use portolan_core::{TenantId, UserId, id};
use portolan_db::entity::{membership, session, tenant};
use portolan_db::{DbError, SystemTx};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::json;

use crate::audit;
use crate::client::Client;
use crate::sessions::{is_by_provider_alone, is_member, stands};
use crate::token::{new_token, token_hash};
use crate::{NewSession, Sessions, SignInError};

/// Tenants that somebody may go to, by name.
pub async fn tenants_of(tx: &SystemTx, user: UserId) -> Result<Vec<tenant::Model>, DbError> {
    let theirs = Query::select()
        .column(membership::Column::TenantId)
        .from(membership::Entity)
        .and_where(membership::Column::UserId.eq(user.0))
        .and_where(membership::Column::BannedAt.is_null())
        .take();
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.in_subquery(theirs));
    Ok(found.order_by_asc(tenant::Column::Name).order_by_asc(tenant::Column::Id).all(tx).await?)
}

impl Sessions {
    /// Whether somebody belongs to a company beside this one, banned there or not.
    pub async fn belongs_elsewhere(&self, user: UserId, here: TenantId) -> Result<bool, DbError> {
        let tx = self.database.system_read().await?;
        let elsewhere = tx
            .find::<membership::Entity>()
            .filter(membership::Column::UserId.eq(user.0))
            .filter(membership::Column::TenantId.ne(here.0));
        Ok(elsewhere.one(&tx).await?.is_some())
    }

    /// The oldest of somebody's tenants that lets them come from there; the oldest, where none does: it says so. Under a
    /// company's own domain it is that company or none.
    pub(crate) async fn tenant_to_enter(
        &self,
        user: UserId,
        client: &Client,
    ) -> Result<Option<TenantId>, DbError> {
        let mut theirs = tenants_of(&self.database.system_read().await?, user).await?;
        if let Some(holder) = client.domain {
            theirs.retain(|tenant| tenant.id == holder.0);
        }
        theirs.sort_by_key(|tenant| tenant.id);
        let (from, first) = (client.address.parse().ok(), theirs.first().map(|tenant| TenantId(tenant.id)));
        for tenant in theirs {
            let id = TenantId(tenant.id);
            match self.policies().of(id, tenant.access_version).await {
                Ok(policy) if policy.sign_in().admits(from) => return Ok(Some(id)),
                Ok(_) => {}
                // It is asked again by each request, and fails there.
                Err(error) => tracing::warn!(%error, tenant.id = %id, "failed to read the rules of a tenant"),
            }
        }
        Ok(first)
    }

    /// Ends a session and begins another one of the same person in another of their tenants: with a new token, and for
    /// no longer than the first one would have lasted.
    pub async fn switch_tenant(
        &self,
        token: &str,
        to: TenantId,
        client: Client,
    ) -> Result<NewSession, SignInError> {
        let (sessions, old_hash) = (self.clone(), token_hash(token));
        let new = self
            .database
            .system_write(move |tx| {
                Box::pin(async move { sessions.begin_elsewhere(tx, old_hash, to, &client).await })
            })
            .await?;
        self.tell_ended();
        Ok(new)
    }

    async fn begin_elsewhere(
        &self,
        tx: &SystemTx,
        old_hash: String,
        to: TenantId,
        client: &Client,
    ) -> Result<NewSession, SignInError> {
        let now = self.clock.now();
        let old = tx.find::<session::Entity>().filter(session::Column::IdHash.eq(old_hash.as_str()));
        let old = old.one(tx).await.map_err(DbError::from)?.filter(|old| stands(old, now));
        let old = old.ok_or(SignInError::Refused)?;
        // Whoever holds the domain could have read the session's token.
        if old.domain_tenant_id.is_some() || client.domain.is_some() {
            return Err(SignInError::Refused);
        }
        let user = UserId(old.user_id);
        let from = TenantId(old.tenant_id);
        if !is_member(tx, user, from).await? || !is_member(tx, user, to).await? {
            return Err(SignInError::Refused);
        }
        if is_by_provider_alone(&old) {
            return Err(SignInError::ProviderAlone);
        }
        let gone = tx.delete_many::<session::Entity>().filter(session::Column::IdHash.eq(old_hash));
        if gone.exec(tx).await.map_err(DbError::from)?.rows_affected != 1 {
            // Of two that leave it at the same moment, one has.
            return Err(SignInError::Refused);
        }
        let id = id::new_uuid(&*self.clock, &*self.random);
        let end = client.who(user, old.id).did("session.end", "session", old.id);
        audit::write_in_house(tx, from, now, end);
        let begin = client.who(user, id).did("session.begin", "session", id);
        audit::write_in_house(tx, to, now, begin.after(json!({ "factors": old.factors })));
        let token = new_token(&*self.random);
        let expires_at = old.expires_at;
        let row = session::Model {
            id_hash: token_hash(&token),
            id,
            tenant_id: to.0,
            created_at: now.0,
            last_seen_at: now.0,
            ..old
        };
        tx.insert(row.into_active_model()).await?;
        tracing::info!(user.id = %user, tenant.id = %to, "somebody went to another tenant");
        let expires_at = portolan_core::Instant(expires_at);
        Ok(NewSession { token, user, tenant: to, expires_at, start_page: None })
    }
}
