//! A request that carries an `Idempotency-Key` is done once, however often it is sent.
//!
//! The key is noted before the request is worked on, and the answer after: whoever sends it again within a day is
//! given the first answer. A request that failed for the server's own reasons leaves no trace, so that it may be tried
//! again. Where the server stopped in between, nobody knows whether it happened, and the answer says so.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_core::{Duration, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::idempotency_key::{self, Column};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::App;
use crate::router::LARGEST_BODY_BYTES;
use crate::web::actor::Meets;
use crate::web::caller::Caller;
use crate::web::client::address_in;
use crate::web::error::{AppError, AppResult};
use crate::web::request_id;

const HEADER: &str = "idempotency-key";
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const REMEMBERED: Duration = Duration::from_hours(24);
const LONGEST_KEY: usize = 255;
/// Longer answers than any that a request with effects has.
const LARGEST_ANSWER_BYTES: usize = 1 << 20;

/// On an answer that tells a secret once: it is not kept, and a repetition is done anew.
#[derive(Debug, Clone, Copy)]
pub struct NotKept;

/// Below `/api/v1/`: does what a key names once, and answers alike afterwards. What a browser's form or a file
/// brings has rules of its own.
pub async fn answer_once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let has_effects = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let path = request.uri().path();
    if !has_effects || !path.starts_with("/api/v1/") || is_file(&request) || shows_a_secret(path) {
        return next.run(request).await;
    }
    let Some(key) = request.headers().get(HEADER).cloned() else { return next.run(request).await };
    // Whoever goes away must not leave a request behind that nobody finishes.
    let work = request_id::carried(async move { answer_keyed(&app, &key, request, next).await });
    match tokio::spawn(work).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => error.into_response(),
        Err(error) => AppError::internal(error).into_response(),
    }
}

/// What is shown once is kept for nobody.
fn shows_a_secret(path: &str) -> bool {
    path.starts_with("/api/v1/api-keys") || path.starts_with("/api/v1/auth/")
}

fn is_file(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("multipart/"))
}

async fn answer_keyed(app: &App, key: &HeaderValue, request: Request, next: Next) -> AppResult<Response> {
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let Some(key) = key else {
        let detail = format!("Idempotency-Key takes 1 to {LONGEST_KEY} visible ASCII characters.");
        return Err(AppError::bad_request(detail));
    };
    let from = address_in(request.extensions());
    // The handler says what is missing.
    let Some(caller) = Caller::of(request.headers(), from, app).await? else {
        return Ok(next.run(request).await);
    };
    // What was answered before is shown to nobody who would not be answered now.
    caller.check_meets(Meets::Everything, from)?;
    // A program has keys of its own, apart from its maker's.
    let actor = caller.actor().0.id().unwrap_or_default();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY_BYTES)
        .await
        .map_err(|_| AppError::too_large("The body is larger than this address takes."))?;
    let place = format!("{} {}\n{}\n{key}", parts.method, parts.uri, actor);
    let noted = Noted { tenant: caller.tenant(), key: digest(place.as_bytes()) };
    // A request that was mended in its condition alone is another one.
    let condition = parts.headers.get(header::IF_MATCH).map_or(&[][..], HeaderValue::as_bytes);
    let said = [condition, b"\n", &body].concat();
    if let Some(answer) = noted.begin(app, digest(&said)).await? {
        return Ok(answer);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    noted.finish(app, response).await
}

/// A request that is being answered for the first time.
struct Noted {
    tenant: TenantId,
    key: String,
}

impl Noted {
    /// Notes the request; what to answer where it is not the first.
    async fn begin(&self, app: &App, request_sha256: String) -> AppResult<Option<Response>> {
        let (key, now) = (self.key.clone(), app.clock.now());
        let first = app
            .db
            .write(self.tenant, move |tx| {
                Box::pin(async move {
                    forget_old(tx, (now - REMEMBERED).0).await?;
                    let known = find(tx, &key).await?;
                    if let Some(known) = known {
                        return Ok::<_, AppError>(Some((known, request_sha256)));
                    }
                    tx.insert(idempotency_key::ActiveModel {
                        key_sha256: Set(key),
                        request_sha256: Set(request_sha256),
                        created_at: Set(now.0),
                        ..Default::default()
                    })
                    .await?;
                    Ok(None)
                })
            })
            .await;
        match first {
            Ok(None) => Ok(None),
            Ok(Some((known, request_sha256))) if known.request_sha256 != request_sha256 => {
                Err(AppError::idempotency_mismatch())
            }
            Ok(Some((known, _))) => replay(known).map(Some),
            // Another one with the same key was noted at the same moment.
            Err(error) if error.status == StatusCode::CONFLICT => Err(AppError::idempotency_unsettled()),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer for whoever sends the request again.
    async fn finish(&self, app: &App, response: Response) -> AppResult<Response> {
        let secret = response.extensions().get::<NotKept>().is_some();
        if secret || response.status().is_server_error() {
            self.forget(app).await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = match to_bytes(body, LARGEST_ANSWER_BYTES).await {
            Ok(body) => body,
            Err(error) => return Err(AppError::internal(error)),
        };
        let text = |name: HeaderName| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let row = idempotency_key::ActiveModel {
            tenant_id: Set(self.tenant.0),
            key_sha256: Set(self.key.clone()),
            status: Set(Some(i32::from(parts.status.as_u16()))),
            content_type: Set(text(header::CONTENT_TYPE)),
            location: Set(text(header::LOCATION)),
            body: Set(Some(body.to_vec())),
            ..Default::default()
        };
        let kept = app
            .db
            .write(self.tenant, move |tx| {
                Box::pin(async move {
                    tx.update(row).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await;
        if let Err(error) = kept {
            // It has happened: whoever asks is told so, and a repetition that nobody can be sure.
            tracing::error!(tenant.id = %self.tenant, error = %error.full_detail(), "answer not kept for its idempotency key");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn forget(&self, app: &App) -> AppResult<()> {
        let key = self.key.clone();
        app.db
            .write(self.tenant, move |tx| {
                Box::pin(async move {
                    let noted = tx.delete_many::<idempotency_key::Entity>();
                    noted.filter(Column::KeySha256.eq(key)).exec(tx).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}

async fn find(tx: &TenantTx, key: &str) -> AppResult<Option<idempotency_key::Model>> {
    Ok(tx.find::<idempotency_key::Entity>().filter(Column::KeySha256.eq(key)).one(tx).await?)
}

async fn forget_old(tx: &TenantTx, before: i64) -> AppResult<()> {
    let old = tx.delete_many::<idempotency_key::Entity>().filter(Column::CreatedAt.lt(before));
    old.exec(tx).await?;
    Ok(())
}

fn replay(known: idempotency_key::Model) -> AppResult<Response> {
    let status = known.status.and_then(|status| u16::try_from(status).ok());
    let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) else {
        return Err(AppError::idempotency_unsettled());
    };
    let mut response = (status, Bytes::from(known.body.unwrap_or_default())).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in [(header::CONTENT_TYPE, known.content_type), (header::LOCATION, known.location)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// Tells of the header at every operation that it concerns.
pub fn describe(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for method in [HttpMethod::Post, HttpMethod::Put, HttpMethod::Patch, HttpMethod::Delete] {
            let operation = match method {
                HttpMethod::Post => &mut item.post,
                HttpMethod::Put => &mut item.put,
                HttpMethod::Patch => &mut item.patch,
                _ => &mut item.delete,
            };
            let Some(operation) = operation else { continue };
            let parameter = ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .description(Some(
                    "Of your choice, new for each request: sent again within 24 hours, the request is not done \
                     again and has the same answer.",
                ))
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .build();
            operation.parameters.get_or_insert_default().push(parameter.into());
        }
    }
}
