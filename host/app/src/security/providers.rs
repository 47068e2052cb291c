//! The verbs of identity providers, each in one transaction, and where people find them.

use std::sync::Arc;

use portolan_access::audit;
use portolan_access::oidc::{
    self, NewProvider, OutsideError, Provider, ProviderCheck, ProviderError, ProviderHandle, ProviderTools,
    change_provider, create_provider, delete_provider, find_provider,
};
use portolan_admin_ui::parts::ProviderButton;
use portolan_core::TenantId;
use portolan_db::DbError;
use portolan_db::entity::tenant;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use crate::App;
use crate::web::actor::{Require, SecurityManage};
use crate::web::error::{AppError, AppResult};

pub async fn list(app: &App, tenant: TenantId) -> AppResult<Vec<Provider>> {
    let tx = app.db.read(tenant).await?;
    Ok(oidc::providers(&tx).await?)
}

pub async fn find(app: &App, tenant: TenantId, id: Uuid) -> AppResult<Provider> {
    let tx = app.db.read(tenant).await?;
    Ok(find_provider(&tx, id).await?)
}

pub async fn create(
    app: &Arc<App>,
    actor: &Require<SecurityManage>,
    new: NewProvider,
) -> AppResult<Provider> {
    let (by, in_task) = (actor.who(), Arc::clone(app));
    let made = app.db.write(actor.tenant, move |tx| {
        Box::pin(async move { create_provider(tx, &by, new, tools(&in_task)).await })
    });
    Ok(made.await?)
}

pub async fn change(
    app: &Arc<App>,
    actor: &Require<SecurityManage>,
    id: Uuid,
    new: NewProvider,
) -> AppResult<Provider> {
    let (by, in_task) = (actor.who(), Arc::clone(app));
    let changed = app.db.write(actor.tenant, move |tx| {
        Box::pin(async move { change_provider(tx, &by, id, new, tools(&in_task)).await })
    });
    Ok(changed.await?)
}

pub async fn delete(app: &App, actor: &Require<SecurityManage>, id: Uuid) -> AppResult<()> {
    let (by, now) = (actor.who(), app.clock.now());
    let gone = app
        .db
        .write(actor.tenant, move |tx| Box::pin(async move { delete_provider(tx, &by, id, now).await }));
    Ok(gone.await?)
}

/// Looks whether the provider answers as one. That it was asked is told, and what came of it.
pub async fn check(
    app: &App,
    actor: &Require<SecurityManage>,
    id: Uuid,
) -> AppResult<(Provider, Result<ProviderCheck, OutsideError>)> {
    let provider = find(app, actor.tenant, id).await?;
    let found = app.identities().check(&provider.issuer).await;
    let (by, now, fine) = (actor.who(), app.clock.now(), found.is_ok());
    let told = app.db.write(actor.tenant, move |tx| {
        Box::pin(async move {
            let entry = by.did("identity_provider.check", "identity_provider", id);
            audit::write(tx, now, entry.after(json!({ "answers": fine })));
            Ok::<_, DbError>(())
        })
    });
    told.await?;
    Ok((provider, found))
}

fn tools(app: &App) -> ProviderTools<'_> {
    ProviderTools { ring: &app.key_ring, outside: &app.outside, clock: &*app.clock, random: &*app.random }
}

/// Where a provider sends people back to: what is registered there, letter for letter.
pub fn callback_address(app: &App, handle: ProviderHandle) -> AppResult<String> {
    let public = app.public_address.as_ref().ok_or_else(|| {
        AppError::conflict(
            "Identity providers send people back to this server's address, which it does not know: whoever runs it \
             says it with --public-address.",
        )
    })?;
    Ok(format!("{public}/auth/oidc/{handle}/callback"))
}

pub fn start_address(handle: ProviderHandle) -> String {
    format!("/auth/oidc/{handle}/start")
}

/// Those of a company that people may come in by; none where nobody could come back.
pub async fn enabled(app: &App, tenant: TenantId) -> AppResult<Vec<Provider>> {
    if app.public_address.is_none() {
        return Ok(Vec::new());
    }
    Ok(list(app, tenant).await?.into_iter().filter(|provider| is_open(app, provider)).collect())
}

/// Whether people may come in by it now: it needs an address to send them back to.
pub fn is_open(app: &App, provider: &Provider) -> bool {
    provider.enabled && app.public_address.is_some()
}

/// The buttons of a company, each leading on with this query.
pub async fn buttons(
    app: &App,
    tenant: TenantId,
    verb: &str,
    query: &[(&str, &str)],
) -> AppResult<Vec<ProviderButton>> {
    let query = as_query(query);
    let button = |provider: Provider| ProviderButton {
        text: format!("{verb} with {}", provider.label),
        href: format!("{}{query}", start_address(provider.handle())),
    };
    Ok(enabled(app, tenant).await?.into_iter().map(button).collect())
}

/// With its question mark; nothing where there is nothing to say.
fn as_query(pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("?{query}")
}

/// The one company of this host; none where there are several. Whose providers stand on the sign-in page of all is
/// decided by it: of several companies strangers are told nothing, and none puts a button in front of others' people.
pub async fn only_company(app: &App) -> AppResult<Option<TenantId>> {
    let tx = app.db.system_read().await?;
    let some = tx.find::<tenant::Entity>().limit(2).all(&tx).await?;
    Ok(match some.as_slice() {
        [only] => Some(TenantId(only.id)),
        _ => None,
    })
}

pub async fn company_of_slug(app: &App, slug: &str) -> AppResult<Option<TenantId>> {
    let tx = app.db.system_read().await?;
    let found = tx.find::<tenant::Entity>().filter(tenant::Column::Slug.eq(slug)).one(&tx).await?;
    Ok(found.map(|found| TenantId(found.id)))
}

impl From<ProviderError> for AppError {
    fn from(error: ProviderError) -> Self {
        let field = match error {
            ProviderError::Database(error) => return error.into(),
            ProviderError::Secrets(error) => return error.into(),
            ProviderError::Unknown => return Self::not_found("provider"),
            ProviderError::Label => "label",
            ProviderError::Issuer(_) | ProviderError::TooMany | ProviderError::Exists => "issuer",
            ProviderError::ClientId => "client_id",
            ProviderError::Secret => "client_secret",
        };
        Self::invalid(field, super::ops::sentence(&error))
    }
}
