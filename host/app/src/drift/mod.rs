//! The drift radar: which paths the raw records of a stream have on which day, and of which types; so that a channel
//! that changes its answers is noticed before figures are wrong. Types are kept, never a value.

pub mod api;
pub mod compare;
pub mod queries;
mod sample;
pub mod shape;
pub mod store;
#[cfg(test)]
mod tests;
mod views;

pub use views::drift_rows;
