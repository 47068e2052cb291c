//! The sandbox as a server: who may ask, how much, and what goes wrong on request.

mod bucket;
pub mod bulk;
mod files;
pub mod http;
mod memory;
mod resolve;
pub mod sandbox;
