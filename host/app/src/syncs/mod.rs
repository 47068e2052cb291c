//! Syncs: one run of a connection's streams, from its plan to its end.

pub mod api;
pub mod jobs;
pub mod ops;
pub mod plan;
pub mod progress;
pub mod queries;
mod run;
