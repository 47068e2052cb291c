//! The columnar engine behind the port that `portolan-analytics` declares.
//!
//! Each of a tenant's ledgers is answered from two places that never overlap: immutable Parquet *parts*, which
//! hold every posting up to `ledger_head.folded_version`, and the *tail*, which is every later row of
//! `sale_event` or `cash_event`. Which parts there are, where they end and what the tail holds is read in one SQL
//! snapshot, so an event is in exactly one of them however folding, compacting and posting interleave.
//!
//! **Invariant:** the only crate that knows DataFusion, Arrow and Parquet.

#[cfg(feature = "bench-support")]
pub mod bench_support;

mod compact;
mod convert;
mod days;
mod engine;
mod error;
mod exact_sum;
mod fold;
mod keys;
mod pack;
mod part;
mod period;
mod rates;
mod run_sum;
mod schema;
mod snapshot;
mod standing;
mod store;
mod sweep;
mod tail;

pub use error::FactsError;
pub use fold::FoldReport;
pub use store::{FactStore, FactStoreConfig};
