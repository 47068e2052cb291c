//! Who did what: the list, one event, and whether anything of it was changed since.
//!
//! Events are written by the verbs of the other slices, in their transactions: `portolan_access::audit`.

pub mod api;
pub mod jobs;
mod list;
pub mod ops;
mod pages;
mod queries;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/audit", get(list::list_events))
        .route("/admin/audit/verification", get(pages::verify_audit))
        .route("/admin/audit/{seq}", get(pages::show_event))
}
