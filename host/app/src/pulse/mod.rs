//! Pulse: how the business does, on one page.

#[cfg(test)]
mod chart_tests;
mod charts;
mod kpis;
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
