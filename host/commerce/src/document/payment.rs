//! What moves money: transactions at the channel, a provider's balance, payouts, disputes, checkouts.

use portolan_core::{Currency, Decimal, LocalDate, Money};
use serde::{Deserialize, Serialize};

use super::Moment;

/// A payment attempt or movement at the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub order: Option<String>,
    pub parent: Option<String>,
    /// "authorization", "capture", "sale", "refund", "void", "chargeback".
    pub kind: String,
    pub state: String,
    pub at: Moment,
    pub gateway: String,
    pub provider_reference: Option<String>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub test: bool,
}

/// One signed movement of a provider's balance; the entries of a payout add up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceEntry {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    /// In the words of the ledger: see [`BalanceCategory`](crate::cash::BalanceCategory).
    pub category: String,
    /// The provider's own name of it.
    pub provider_kind: String,
    pub at: Moment,
    pub available_on: Option<LocalDate>,
    /// The payment whose money this moves: a charge's own key, also on its refunds, disputes and fees.
    pub payment: Option<String>,
    /// The order's key where the provider is the channel itself.
    pub order: Option<String>,
    /// What the merchant wrote on the payment to find it again: an order number.
    pub reference: Option<String>,
    pub payout: Option<String>,
    pub source: Option<String>,
    pub method: Option<String>,
    /// Settled, in the currency of the balance: net = amount − fee.
    pub currency: Currency,
    pub amount_minor: i64,
    pub fee_minor: i64,
    /// The part of the fee that is tax.
    pub fee_tax_minor: i64,
    pub net_minor: i64,
    /// What the buyer was charged or given back, where it was in another currency.
    pub charged: Option<Money>,
    /// Units of `currency` for one of `charged`, as the provider says.
    pub fx_rate: Option<Decimal>,
}

/// Money on its way from a provider to the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    pub state: String,
    pub initiated_at: Moment,
    pub arrives_on: Option<LocalDate>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub bank_reference: Option<String>,
}

/// A contested payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub payment: Option<String>,
    pub order: Option<String>,
    pub phase: String,
    pub state: String,
    pub reason: String,
    pub network_code: Option<String>,
    pub opened_at: Moment,
    pub due_by: Option<Moment>,
    pub currency: Currency,
    pub amount_minor: i64,
}

/// A checkout, completed or abandoned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub stage: String,
    pub created_at: Moment,
    pub completed_at: Option<Moment>,
    pub order: Option<String>,
    pub customer: Option<String>,
    pub url: Option<String>,
    pub currency: Currency,
    pub total_minor: i64,
}
