//! The sandbox as a server: who may ask for what, in which pages, and what goes wrong on request.

pub mod http;
mod list;
mod query;
pub mod sandbox;

pub use list::Kind;
