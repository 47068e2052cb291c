//! The verbs of keys, in transactions of their own.

use std::sync::Arc;

use portolan_access::api_keys::{self, ApiKeyError, Made, NewApiKey};
use portolan_access::audit::Who;
use portolan_access::{Permission, TenantPolicy};
use portolan_core::{Duration, TenantId, UserId};
use portolan_db::entity::{api_key, tenant};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Whose keys somebody may see and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Own(UserId),
    All,
}

impl Reach {
    const fn owner(self) -> Option<UserId> {
        match self {
            Self::Own(user) => Some(user),
            Self::All => None,
        }
    }
}

/// The rules by which a person's keys are judged, as they are now.
pub async fn policy_of(app: &App, tenant: TenantId) -> AppResult<Arc<TenantPolicy>> {
    let tx = app.db.system_read().await?;
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Id.eq(tenant.0)).one(&tx).await?;
    let found = found.ok_or_else(|| AppError::not_found("tenant"))?;
    drop(tx);
    app.sessions.policies().of(tenant, found.access_version).await.map_err(AppError::internal)
}

/// Scopes that this person may give to a key.
pub fn scopes_for(policy: &TenantPolicy, owner: UserId) -> Vec<Permission> {
    let all = Permission::ALL.iter().copied().filter(|scope| !api_keys::NEVER.contains(scope));
    all.filter(|scope| policy.allows(owner, *scope)).collect()
}

pub async fn create(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    owner: UserId,
    new: NewApiKey,
) -> AppResult<Made> {
    let policy = policy_of(app, tenant).await?;
    let app_in_task = Arc::clone(app);
    let made = app.db.write(tenant, move |tx| {
        Box::pin(async move {
            let tools = (&*app_in_task.clock, &*app_in_task.random);
            let may = |permission| policy.allows(owner, permission);
            api_keys::create(tx, &who, owner, may, new, tools).await
        })
    });
    Ok(made.await?)
}

pub async fn rotate(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    reach: Reach,
    id: Uuid,
    overlap: Duration,
) -> AppResult<Made> {
    let app_in_task = Arc::clone(app);
    let made = app.db.write(tenant, move |tx| {
        Box::pin(async move {
            let tools = (&*app_in_task.clock, &*app_in_task.random);
            api_keys::rotate(tx, &who, id, reach.owner(), overlap, tools).await
        })
    });
    Ok(made.await?)
}

pub async fn revoke(app: &App, tenant: TenantId, who: Who, reach: Reach, id: Uuid) -> AppResult<()> {
    let now = app.clock.now();
    let ended = app.db.write(tenant, move |tx| {
        Box::pin(async move { api_keys::revoke(tx, &who, id, reach.owner(), now).await })
    });
    Ok(ended.await?)
}

pub async fn list(app: &App, tenant: TenantId, reach: Reach) -> AppResult<Vec<api_key::Model>> {
    let tx = app.db.read(tenant).await?;
    Ok(api_keys::list(&tx, reach.owner()).await?)
}

impl From<ApiKeyError> for AppError {
    fn from(error: ApiKeyError) -> Self {
        let field = match error {
            ApiKeyError::Database(error) => return error.into(),
            ApiKeyError::Unknown => return Self::not_found("key"),
            ApiKeyError::Ended => return Self::conflict(format!("{}.", sentence(&error))),
            ApiKeyError::Name => "name",
            ApiKeyError::NoScope | ApiKeyError::Never(_) | ApiKeyError::NotYours(_) => "scopes",
            ApiKeyError::Days => "days",
            ApiKeyError::Network(_) => "networks",
            ApiKeyError::Overlap => "overlap_hours",
        };
        Self::invalid(field, format!("{}.", sentence(&error)))
    }
}

/// With a capital letter, for people.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
