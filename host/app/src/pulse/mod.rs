//! Pulse: how the business does, on one page.

pub mod api;
#[cfg(test)]
mod chart_tests;
mod charts;
mod kpis;
mod money;
#[cfg(test)]
mod money_tests;
mod money_views;
mod pages;
mod queries;
mod scope;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/pulse", get(pages::show_pulse))
}
