//! Every route of the product, and what surrounds each of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::web::error::AppError;
use crate::web::route::{ApiRoutes, PageRoutes, RouteInfo};
use crate::web::{caller, client, guard, idempotency, limits, request_id, revalidate};
use crate::{
    App, account, analytics, api_keys, audit, company, connections, coverage, drift, finance, orders, people,
    plugins, policies, pulse, rates, replays, security, setup, signin, syncs, system, upgrades,
};

/// Larger bodies are refused; uploads have a limit of their own.
pub const LARGEST_BODY_BYTES: usize = 2 << 20;

#[derive(OpenApi)]
#[openapi(info(
    title = "Portolan",
    description = "Self-hosted commerce analytics: connections, syncs, orders and metrics of one tenant. \
        Errors are problem+json; lists are read by cursor; money is minor units with an ISO 4217 code."
))]
struct Document;

fn api() -> ApiRoutes {
    ApiRoutes::in_document(Document::openapi())
        .merge(account::api::routes())
        .merge(account::passkeys_api::routes())
        .merge(analytics::api::routes())
        .merge(api_keys::api::routes())
        .merge(api_keys::tokens_api::routes())
        .merge(audit::api::routes())
        .merge(connections::api::routes())
        .merge(coverage::api::routes())
        .merge(finance::api::routes())
        .merge(drift::api::routes())
        .merge(orders::api::routes())
        .merge(orders::lineage_api::routes())
        .merge(orders::payments_api::routes())
        .merge(people::api::routes())
        .merge(people::roles_api::routes())
        .merge(people::teams_api::routes())
        .merge(plugins::api::routes())
        .merge(policies::api::routes())
        .merge(pulse::api::routes())
        .merge(replays::api::routes())
        .merge(security::api::routes())
        .merge(rates::api::routes())
        .merge(syncs::api::routes())
        .merge(syncs::vanish_api::routes())
        .merge(system::api::routes())
        .merge(upgrades::api::routes())
}

fn pages() -> PageRoutes {
    PageRoutes::new()
        .merge(signin::routes())
        .merge(setup::routes())
        .merge(company::routes())
        .merge(account::routes())
        .merge(pulse::routes())
        .merge(connections::routes())
        .merge(syncs::routes())
        .merge(orders::routes())
        .merge(finance::routes())
        .merge(people::routes())
        .merge(policies::routes())
        .merge(plugins::routes())
        .merge(replays::routes())
        .merge(upgrades::routes())
        .merge(rates::routes())
        .merge(audit::routes())
        .merge(api_keys::routes())
        .merge(security::routes())
        .merge(system::routes())
}

/// Every route with what it asks for: those of the API, then those of pages.
pub fn route_infos() -> (Vec<RouteInfo>, Vec<RouteInfo>) {
    let (_, _, of_api) = api().into_parts();
    let (_, of_pages) = pages().into_parts();
    (of_api, of_pages)
}

/// The routes, and the document that describes them with what all of them have.
fn described() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let (routes, mut document, _) = api().into_parts();
    idempotency::describe(&mut document);
    caller::describe(&mut document);
    (routes, document)
}

/// The OpenAPI document as JSON.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let (_, document) = described();
    serde_json::to_string_pretty(&document)
}

/// Pages, API, explorer.
pub fn router(app: Arc<App>) -> Router {
    let (api, document) = described();
    let (pages, _) = pages().into_parts();
    let pages = pages
        .fallback(system::not_found)
        .method_not_allowed_fallback(system::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), setup::lead_to_set_up));
    // An event stream has to arrive as it happens.
    let worth_packing = SizeAbove::new(1_024).and(NotForContentType::const_new("text/event-stream"));
    pages
        .merge(api)
        .merge(SwaggerUi::new("/api/docs").url("/api/openapi.json", document))
        .layer(from_fn(revalidate::name_answers))
        .layer(from_fn_with_state(Arc::clone(&app), idempotency::answer_once))
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .layer(CompressionLayer::new().compress_when(worth_packing))
        .layer(from_fn_with_state(Arc::clone(&app), guard::refuse_cross_site))
        .layer(from_fn_with_state(Arc::clone(&app), limits::admit))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn_with_state(Arc::clone(&app), guard::secure_headers))
        .layer(from_fn_with_state(Arc::clone(&app), client::find_out))
        .layer(from_fn_with_state(Arc::clone(&app), request_id::assign))
        .with_state(app)
}

/// The panic itself is in the log, with its place.
fn answer_panic(_panic: Box<dyn std::any::Any + Send>) -> Response {
    AppError::internal("a handler panicked").into_response()
}
