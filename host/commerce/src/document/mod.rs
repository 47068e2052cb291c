//! Canonical documents, one type per entity, as connectors emit them (see `wit/commerce.wit`).
//!
//! One currency per document; every amount in its minor units.

mod catalogue;
mod order;
mod payment;
mod people;

pub use catalogue::{InventoryLevel, Product};
pub use order::{
    Agreement, Allocation, Fulfilment, FulfilmentLine, Order, OrderLine, Refund, RefundLine, Sale, TaxLine,
};
pub use payment::{BalanceEntry, Checkout, Dispute, Payout, Transaction};
pub use people::{Customer, Location, Metric, StaffMember, Store};

use portolan_core::Instant;
use serde::{Deserialize, Serialize};

/// A moment as the channel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// An exact instant.
    At(Instant),
    /// Microseconds of a clock without a zone: resolved in the store's zone when it is posted.
    Local(i64),
}

/// What kind of thing a document is; also its name in tables and URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    Order,
    Refund,
    Transaction,
    BalanceEntry,
    Payout,
    Dispute,
    Checkout,
    Product,
    InventoryLevel,
    Store,
    Location,
    StaffMember,
    Fulfilment,
    Customer,
    Metric,
}

/// One canonical document of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entity", rename_all = "snake_case")]
pub enum Document {
    Order(Box<Order>),
    Refund(Box<Refund>),
    Transaction(Transaction),
    BalanceEntry(BalanceEntry),
    Payout(Payout),
    Dispute(Dispute),
    Checkout(Checkout),
    Product(Product),
    InventoryLevel(InventoryLevel),
    Store(Store),
    Location(Location),
    StaffMember(StaffMember),
    Fulfilment(Fulfilment),
    Customer(Customer),
    Metric(Metric),
}

/// A raw record that could not be mapped: kept, counted, shown with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Index of the raw record inside its chunk.
    pub src: u32,
    /// Path of the offending field, where one is to blame.
    pub path: Option<String>,
    pub reason: String,
}
