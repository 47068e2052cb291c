//! Documents and the ledgers that are made from them: pure rules, no I/O.
//!
//! A channel's raw records become [`document`]s; all versions of a document determine which
//! ledger events *should* stand ([`ledger`]); what should stand minus what does stand is posted.

pub mod document;
pub mod ledger;
