//! Coverage: which spans of time of each stream have been fetched, where gaps are, and how fresh each stream is.

pub mod api;
pub mod queries;
pub mod spans;
#[cfg(test)]
mod tests;
mod views;

pub use views::coverage_rows;
