//! Documents and the ledgers that are made from them: pure rules, no I/O.
//!
//! A channel's raw records become [`document`]s; all versions of a document determine which
//! ledger events *should* stand; what should stand minus what does stand is posted. There are two
//! ledgers: what was sold ([`ledger`]), and what it did to a provider's balance ([`cash`]).

pub mod cash;
pub mod document;
pub mod ledger;
mod word;
