//! A small Shopify for development and tests: the part of the Admin GraphQL API that an analytics
//! connector reads, over a deterministic demo world, with faults on request.
//!
//! - [`World`] is generated from a seed and knows its own expected totals ([`Shop::truth`]).
//! - [`Sandbox`] answers GraphQL in process; [`serve`] puts it behind HTTP.
//! - `POST /_sandbox/faults` and the header `X-Sandbox-Fault` make it misbehave.
//!
//! Nothing here depends on Portolan's own code, so that the two can check each other.

mod answer;
mod graphql;
mod server;
mod world;

pub use portolan_sandbox::{ExportOutcome, Fault, FaultKind, Reply};
use portolan_sandbox::{random, time};
pub use server::bulk::BulkPlan;
pub use server::http::{Handle, serve};
pub use server::sandbox::{Options, Sandbox, ThrottlePlan};
pub use time::{instant_text, local_month, parse_instant};
pub use world::truth::{MonthTruth, Truth};
pub use world::{
    Agreement, AgreementKind, Checkout, Customer, Level, Line, LineKind, Location, Order, Orders, Product,
    Profile, Refund, Sale, SaleAction, SaleKind, Seed, Shop, Size, Transaction, Variant, World, present,
};
