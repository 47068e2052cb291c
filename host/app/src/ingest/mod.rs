//! From what a channel sent to what stands in the ledger: unpack, cut, stage, normalise, post.

pub mod cut;
#[cfg(test)]
mod cut_tests;
pub mod framing;
pub mod head;
pub mod post;
mod rows;
pub mod stage;
pub mod unpack;

pub use rows::entity_name;
