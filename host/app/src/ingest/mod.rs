//! From what a channel sent to what stands in the ledger: unpack, cut, stage, normalise, post.

pub mod batch;
pub mod cut;
#[cfg(test)]
mod cut_tests;
pub mod framing;
pub mod head;
mod history;
mod labels;
pub mod post;
mod rows;
pub mod stage;
pub mod unpack;

pub use rows::entity_name;
