//! Pulse: how the business does, on one page.
use std::sync::Arc;
use axum::Router;
use crate::App;
pub fn routes() -> Router<Arc<App>> { Router::new() }
