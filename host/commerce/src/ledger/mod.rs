//! The sales ledger: append-only, signed events with two dates.

mod event;
mod kind;

pub use event::{PostedEvent, SaleEvent};
pub use kind::{EventKind, UnknownEventKind};
