//! The address at which a channel tells of its customers' wishes: one per connection, a secret by itself, and nothing that comes
//! by it is believed before its signature.
//!
//! Which topic it is says the signed body alone. The answer is given once the request is stored; what it asks is done by a job.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_access::audit::{self, Actor, Who};
use portolan_connector::manifest::{PrivacyAsks, PrivacyWebhooks, PrivacyWish};
use portolan_core::{ConnectionId, Duration, Random, TenantId, hex};
use portolan_db::TenantTx;
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::connection_privacy;
use portolan_db::entity::privacy_request::{PrivacyKind, PrivacySource};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::names::{Asked, names_of};
use super::ops::find;
use super::store::{NewRequest, Stored, store};
use super::verify::is_signed;
use super::{kept, notice};
use crate::App;
use crate::channels::context::load_context;
use crate::channels::{build_of_connection, find_connection, plugin_of};
use crate::web::client::address_in;
use crate::web::error::{AppError, AppResult};
use crate::web::request_id;

/// A customer's wish names their orders; none has as many as this.
const LARGEST_BODY_BYTES: usize = 64 << 10;
const TENANT_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// A connection behind an address.
struct Door {
    tenant: TenantId,
    connection: connection::Model,
    webhooks: PrivacyWebhooks,
    secret: Option<portolan_connector::SecretValue>,
}

/// `POST /hooks/{token}`
pub async fn receive(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request) -> Response {
    match take(&app, &token, request).await {
        Ok(status) => status.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn take(app: &Arc<App>, token: &str, request: Request) -> AppResult<StatusCode> {
    // What is not there and what is not ours is the same to whoever tries addresses, and costs the same look.
    let Some(door) = open(app, token).await? else { return Ok(StatusCode::NOT_FOUND) };
    let from = address_in(request.extensions()).map(|address| address.to_string()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else { return Ok(StatusCode::PAYLOAD_TOO_LARGE) };
    if !door.signed(&parts.headers, &body) {
        tracing::warn!(tenant.id = %door.tenant, connection.id = %door.connection.id, "a privacy webhook was not signed");
        return Ok(StatusCode::UNAUTHORIZED);
    }
    let said = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let config: Value = serde_json::from_str(&door.connection.config).unwrap_or_default();
    let wish = door.webhooks.judge(&said).filter(|_| door.webhooks.is_of_account(&said, &config));
    let Some(wish) = wish else {
        tracing::warn!(tenant.id = %door.tenant, connection.id = %door.connection.id, "a signed privacy webhook is of no known topic, or of another account");
        return Ok(StatusCode::UNPROCESSABLE_ENTITY);
    };
    let who = Who {
        actor: Actor::Channel(door.connection.id),
        session: None,
        address: from,
        request_id: request_id::current(),
    };
    accept(app, &door, who, wish, &body).await?;
    Ok(StatusCode::OK)
}

impl Door {
    fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let secret = self.secret.as_ref();
        secret.is_some_and(|secret| is_signed(&self.webhooks.verification, secret, headers, body))
    }
}

async fn open(app: &App, token: &str) -> AppResult<Option<Door>> {
    let Some(tenant) = tenant_of(token) else { return Ok(None) };
    let tx = app.db.read(tenant).await?;
    let known = connection_privacy::Column::HookSha256.eq(hash(token));
    let Some(known) = tx.find::<connection_privacy::Entity>().filter(known).one(&tx).await? else {
        return Ok(None);
    };
    let connection = find_connection(&tx, ConnectionId(known.connection_id)).await?;
    let manifest = build_of_connection(app, &connection).map(|plugin| plugin.manifest);
    let Some(webhooks) = manifest.and_then(|manifest| manifest.privacy_webhooks.clone()) else {
        return Ok(None);
    };
    let secrets = load_context(app, &tx, &connection).await?.secrets;
    let mut named = secrets.into_iter().filter(|(field, _)| *field == webhooks.verification.secret);
    let secret = named.next().map(|(_, secret)| secret);
    Ok(Some(Door { tenant, connection, webhooks, secret }))
}

/// Stores what the channel asks; the same bytes are the same request.
async fn accept(app: &Arc<App>, door: &Door, who: Who, wish: PrivacyWish, body: &[u8]) -> AppResult<()> {
    let connection = door.connection.id;
    let names = names_of(app, door.tenant, Asked::Bytes { connection, body });
    let in_task = Arc::clone(app);
    app.db
        .write(door.tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let id = ConnectionId(connection);
                let found = match &wish.customer_id {
                    Some(customer) => find(&app, tx, id, customer).await?,
                    None => None,
                };
                let kind = match wish.asks {
                    PrivacyAsks::Export => PrivacyKind::Export,
                    PrivacyAsks::Erase => PrivacyKind::Erase,
                    PrivacyAsks::EraseAll => PrivacyKind::EraseShop,
                };
                let new = NewRequest {
                    kind,
                    source: PrivacySource::Shop,
                    connection,
                    subject: wish.customer_id,
                    person: found.map(|found| found.subject.person_id),
                    names,
                    grace: Duration::ZERO,
                };
                let Stored { row, fresh } = store(&app, tx, &who, new).await?;
                if !fresh {
                    return Ok(());
                }
                if kind == PrivacyKind::EraseShop {
                    pause(&app, tx, &who, id).await?;
                }
                if kind != PrivacyKind::Erase {
                    notice::tell_owners(&app, tx, kind).await?;
                }
                let now = app.clock.now();
                kept::change(tx, id, |row| row.hook_received_at = Set(Some(now.0))).await?;
                tracing::info!(tenant.id = %tx.tenant(), connection.id = %id, request.privacy = %row.id, kind = kind.as_str(), "a channel asks for a customer");
                Ok::<_, AppError>(())
            })
        })
        .await
}

/// Nothing more is fetched of a shop that has left.
async fn pause(app: &App, tx: &TenantTx, who: &Who, id: ConnectionId) -> AppResult<()> {
    let now = app.clock.now();
    let paused = tx
        .update_many::<connection::Entity>()
        .set(connection::ActiveModel {
            state: Set(ConnectionState::Paused),
            updated_at: Set(now.0),
            ..Default::default()
        })
        .filter(connection::Column::Id.eq(id.0))
        .filter(connection::Column::State.ne(ConnectionState::Paused));
    if paused.exec(tx).await?.rows_affected > 0 {
        let entry = who.did("connection.pause", "connection", id);
        audit::write(tx, now, entry.after(json!({ "state": ConnectionState::Paused.as_str() })));
    }
    Ok(())
}

/// Makes the address of a connection, in the place of the one that it had. It is known to whoever is given it now, and to
/// nobody afterwards.
pub async fn make_hook(app: &Arc<App>, tenant: TenantId, who: Who, id: ConnectionId) -> AppResult<String> {
    let token = new_token(tenant, &*app.random);
    let (hook_sha256, in_task) = (hash(&token), Arc::clone(app));
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let row = find_connection(tx, id).await?;
                if plugin_of(&app, &row)?.manifest.privacy_webhooks.is_none() {
                    return Err(AppError::conflict(
                        "The plugin of this connection knows of no topics by which its channel would tell of customers' wishes.",
                    ));
                }
                let now = app.clock.now();
                kept::change(tx, id, |row| {
                    row.hook_sha256 = Set(Some(hook_sha256));
                    row.hook_made_at = Set(Some(now.0));
                    row.hook_received_at = Set(None);
                })
                .await?;
                audit::write(tx, now, who.did("privacy_hook.make", "connection", id));
                Ok(())
            })
        })
        .await?;
    let host = app.public_address.as_ref().map(|address| address.to_string()).unwrap_or_default();
    Ok(format!("{host}/hooks/{token}"))
}

/// The tenant, so that nothing has to be looked for across tenants, and 256 random bits, so that nobody finds it.
fn new_token(tenant: TenantId, random: &dyn Random) -> String {
    let mut bytes = [0_u8; TENANT_BYTES + SECRET_BYTES];
    let (of_tenant, secret) = bytes.split_at_mut(TENANT_BYTES);
    of_tenant.copy_from_slice(tenant.0.as_bytes());
    random.fill(secret);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn tenant_of(token: &str) -> Option<TenantId> {
    let bytes =
        URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.len() == TENANT_BYTES + SECRET_BYTES)?;
    Some(TenantId(Uuid::from_slice(&bytes[..TENANT_BYTES]).ok()?))
}

/// 256 random bits: nobody guesses them, so a plain hash is enough.
fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use portolan_core::SystemRandom;

    use super::*;

    #[test]
    fn an_address_names_its_tenant_and_nothing_else_is_one() {
        let tenant = TenantId(Uuid::from_u128(7));
        let (token, other) = (new_token(tenant, &SystemRandom), new_token(tenant, &SystemRandom));
        assert_ne!(token, other);
        assert_eq!(tenant_of(&token), Some(tenant));
        for wrong in ["", "x", &token[1..], &format!("{token}AA"), "../../etc", &"=".repeat(64)] {
            assert_eq!(tenant_of(wrong), None, "{wrong}");
        }
    }
}
