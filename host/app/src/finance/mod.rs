//! The money itself: payouts, whether their entries add up to them, and what went off on the way.

pub mod api;
pub mod links;
mod list;
mod payout;
pub mod queries;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

pub use views::words;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/finance", get(list::list_payouts))
        .route("/finance/payouts/{id}", get(payout::show_payout))
}
