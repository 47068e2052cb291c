//! A small Stripe for development and tests: the part of the REST API that an analytics connector reads, over the
//! payments of the sandbox shops, with faults on request.
//!
//! - [`World`] takes the orders of `portolan-sandbox-shopify` and lets the money happen: charges, fees, refunds,
//!   disputes, reserves, payouts whose entries add up. It knows its own expected totals ([`Account::truth`]).
//! - [`Sandbox`] answers requests in process; [`serve`] puts it behind HTTP. It shows the world as of a moment that can
//!   be moved, so that edits come late.
//! - `POST /_sandbox/faults` and the header `X-Sandbox-Fault` make it misbehave.
//!
//! Nothing here depends on Portolan's own code, so that the two can check each other.

mod answer;
mod server;
mod world;

pub use portolan_sandbox::{Fault, FaultKind, Reply, time};
pub use portolan_sandbox_shopify::Size;
pub use server::http::{Handle, serve};
pub use server::sandbox::{Options, Question, Sandbox, VERSION};
pub use world::truth::{CategoryTruth, Truth};
pub use world::{
    Account, Charge, Customer, Dispute, Entry, EntryKind, Event, Intent, Money, Outcome, Payout, Product,
    Profile, Refund, Source, Subject, World,
};
