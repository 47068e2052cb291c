//! Orders: the list, the document, what the ledger says of it.

mod agreement;
pub mod api;
mod detail;
mod lineage;
pub mod lineage_api;
mod list;
mod payment_views;
mod payments;
pub mod payments_api;
mod queries;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/orders", get(list::list_orders)).route("/orders/{id}", get(detail::show_order))
}
