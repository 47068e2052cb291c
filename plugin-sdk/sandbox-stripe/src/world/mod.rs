//! The demo world: what became of the sandbox shops' payments at Stripe.
//!
//! Amounts are minor units of ISO 4217, which for these currencies are Stripe's own. Signs follow the merchant's
//! balance: what it gains is positive.

mod generate;
mod payouts;
mod profile;
mod timeline;
pub mod truth;

use portolan_sandbox_shopify::{Size, World as Shops};
pub use profile::Profile;
pub use timeline::{Event, Subject};

/// Everything the sandbox serves.
#[derive(Debug, Clone)]
pub struct World {
    /// Nothing happened at or after this instant.
    pub until: i64,
    /// The first is the one that answers without a path prefix.
    pub accounts: Vec<Account>,
}

impl World {
    /// Makes the world. The same arguments give the same world, and the one that `portolan-sandbox-shopify` makes of
    /// them has the orders to its payments.
    pub fn generate(size: Size, seed: u64, until: i64) -> Self {
        let shops = Shops::generate(size, seed, until);
        let accounts = profile::all().into_iter().enumerate().filter_map(|(index, profile)| {
            let shop = shops.shop(profile.shop)?;
            Some(generate::account(profile, shop, until, seed.wrapping_mul(37).wrapping_add(index as u64)))
        });
        Self { until, accounts: accounts.collect() }
    }

    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.profile.name == name)
    }
}

/// Indices name an object of a list; the order of a list means nothing.
#[derive(Debug, Clone)]
pub struct Account {
    pub profile: Profile,
    pub customers: Vec<Customer>,
    pub products: Vec<Product>,
    pub intents: Vec<Intent>,
    pub charges: Vec<Charge>,
    pub refunds: Vec<Refund>,
    pub disputes: Vec<Dispute>,
    pub payouts: Vec<Payout>,
    pub entries: Vec<Entry>,
    pub events: Vec<Event>,
}

/// An amount with its currency and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    pub currency: &'static str,
    pub minor: i64,
}

#[derive(Debug, Clone)]
pub struct Customer {
    pub id: String,
    pub created: i64,
    pub country: &'static str,
    pub deleted_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub sku: String,
    pub created: i64,
    pub updated: i64,
    pub price_minor: i64,
    pub currency: &'static str,
    pub deleted_at: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Intent {
    pub id: String,
    pub created: i64,
    pub order_number: u32,
    pub customer: Option<usize>,
    pub amount: Money,
    /// The charge that paid it; none where the buyer went away.
    pub charge: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Charge {
    pub id: String,
    /// The intent that it belongs to.
    pub intent: usize,
    pub created: i64,
    pub order_number: u32,
    pub order_id: u64,
    pub customer: Option<usize>,
    pub amount: Money,
    pub brand: &'static str,
    pub failed: bool,
    pub captured_at: Option<i64>,
    pub entry: Option<usize>,
    pub refunds: Vec<usize>,
    pub dispute: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub charge: usize,
    pub created: i64,
    /// When the buyer's bank has it.
    pub succeeds_at: i64,
    pub minor: i64,
    pub entry: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Won,
    Lost,
    /// A bank's question that led to nothing.
    Closed,
}

#[derive(Debug, Clone)]
pub struct Dispute {
    pub id: String,
    pub charge: usize,
    pub created: i64,
    pub due_by: i64,
    /// A bank's question: no money moves.
    pub inquiry: bool,
    pub answered_at: i64,
    pub closed: Option<(i64, Outcome)>,
    pub reason: &'static str,
    pub code: &'static str,
    pub minor: i64,
    /// What was taken, and what came back.
    pub entries: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Payout {
    pub id: String,
    pub created: i64,
    pub arrives: i64,
    pub failed_at: Option<i64>,
    pub minor: i64,
    /// What it is made of, and its own entry.
    pub entries: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Charge,
    Refund,
    Dispute,
    DisputeReversal,
    ReserveHold,
    ReserveRelease,
    StripeFee,
    FeeTax,
    Adjustment,
    Payout,
    PayoutFailure,
}

/// What an entry is about; indices into the account's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Nothing,
    Charge(usize),
    Refund(usize),
    Dispute(usize),
    Payout(usize),
}

/// A movement of the balance.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub kind: EntryKind,
    pub source: Source,
    pub created: i64,
    pub available_on: i64,
    pub minor: i64,
    pub fee_minor: i64,
    /// Of the fee.
    pub fee_tax_minor: i64,
    /// Where the buyer paid in another currency.
    pub rate_micro: Option<i64>,
    pub payout: Option<usize>,
}

impl Entry {
    pub fn net_minor(&self) -> i64 {
        self.minor - self.fee_minor
    }
}

impl EntryKind {
    /// `type` and `reporting_category`.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Charge => ("charge", "charge"),
            Self::Refund => ("refund", "refund"),
            Self::Dispute => ("adjustment", "dispute"),
            Self::DisputeReversal => ("adjustment", "dispute_reversal"),
            Self::ReserveHold | Self::ReserveRelease => ("reserve_transaction", "risk_reserved_funds"),
            Self::StripeFee => ("stripe_fee", "fee"),
            Self::FeeTax => ("tax_fee", "tax"),
            Self::Adjustment => ("adjustment", "other_adjustment"),
            Self::Payout => ("payout", "payout"),
            Self::PayoutFailure => ("payout_failure", "payout_reversal"),
        }
    }

    /// What it is in the words that all providers share: what a reader of this world should find.
    pub fn shared_name(self) -> &'static str {
        match self {
            Self::Charge => "sale",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute-reversal",
            Self::ReserveHold => "reserve-hold",
            Self::ReserveRelease => "reserve-release",
            Self::StripeFee => "fee",
            Self::FeeTax => "tax-on-fee",
            Self::Adjustment => "adjustment",
            Self::Payout => "payout",
            Self::PayoutFailure => "payout-reversal",
        }
    }
}
