//! Installed plugins: what each is, may reach and delivers.

pub mod api;
pub mod ops;
mod pages;
mod queries;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/plugins", get(pages::list_plugins)).route("/plugins/{id}", get(pages::show_plugin))
}
