//! The sales ledger: append-only, signed events with two dates.

mod event;

pub use event::{EventKind, PostedEvent, SaleEvent};
