//! Syncs: one run of a connection's streams, from its plan to its end.

pub mod api;
pub mod jobs;
pub mod ops;
pub mod overview;
pub mod plan;
pub mod progress;
pub mod queries;
mod run;
use std::sync::Arc;
use axum::Router;
use crate::App;
pub fn routes() -> Router<Arc<App>> { Router::new() }
