//! Handing out what is stored of a customer: to somebody who has just shown who they are.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::ops;
use crate::App;
use crate::web::actor::{PageActor, PrivacyManage, Require};
use crate::web::error::{AppResult, PageResult};
use crate::web::extract::Path;
use crate::web::step_up::StepUp;

pub async fn download_by_page(
    StepUp(PageActor(actor)): StepUp<PageActor<PrivacyManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    Ok(file(&app, &actor, id).await?)
}

/// The export as a file; nobody keeps it on the way.
pub async fn file(app: &Arc<App>, actor: &Require<PrivacyManage>, id: Uuid) -> AppResult<Response> {
    let json = ops::take_export(app, actor.tenant, actor.who(), actor.seen().clone(), id).await?;
    let name = format!("attachment; filename=\"customer-{id}.json\"");
    let mut response = json.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
