//! Installed plugins: what each is, may reach and delivers.

pub mod api;
pub mod ops;
use std::sync::Arc;
use axum::Router;
use crate::App;
pub fn routes() -> Router<Arc<App>> { Router::new() }
