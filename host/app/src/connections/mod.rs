//! Connections: one tenant's account at one channel, through one connector.

pub mod context;
pub mod ops;
pub mod queries;
pub mod uploads;
pub mod api { use std::sync::Arc; use utoipa_axum::router::OpenApiRouter; use crate::App; pub fn routes() -> OpenApiRouter<Arc<App>> { OpenApiRouter::new() } }
use std::sync::Arc;
use axum::Router;
use crate::App;
pub fn routes() -> Router<Arc<App>> { Router::new() }
