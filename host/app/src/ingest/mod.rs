//! From what a channel sent to what stands in the ledger: unpack, cut, stage, read (normalise, post).

pub mod batch;
mod cash;
mod counts;
pub mod cut;
#[cfg(test)]
mod cut_tests;
pub mod framing;
pub mod head;
mod history;
mod labels;
pub mod people;
pub mod post;
pub mod pseudonyms;
pub mod read;
mod rows;
pub mod sources;
pub mod stage;
pub mod subject_paths;
pub mod unpack;

pub use counts::CountIn;
pub use labels::KnownLabels;
pub use rows::{build_of, entity_name};
