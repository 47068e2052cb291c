//! One movement of a provider's balance.

use portolan_core::{Currency, Decimal, Instant, LocalDate};
use serde::{Deserialize, Serialize};

use super::{BalanceCategory, DisputeState};
use crate::ledger::LedgerEvent;

/// The content of a cash event: everything but its identity and the moment of recording.
///
/// Sign: what the balance gains is positive. Amounts are minor units of `currency`, that of the balance:
/// `net_minor` = `amount_minor` − `fee_minor`, and `fee_tax_minor` is part of the fee. What the buyer saw is in
/// `charged_minor` where it was in another currency. Keys are the provider's and unique within the connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CashEvent {
    pub category: BalanceCategory,
    /// The provider's own name of it.
    pub provider_kind: String,
    pub entry_key: String,
    /// The payment whose money this moves.
    pub payment_key: Option<String>,
    /// The order, where the provider is the channel itself.
    pub order_key: Option<String>,
    /// What the merchant wrote on the payment to find it again.
    pub reference: Option<String>,
    pub payout_key: Option<String>,
    pub source_key: Option<String>,
    pub method: Option<String>,
    /// On money taken by a dispute: how the dispute stands.
    pub dispute_state: Option<DisputeState>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub fee_tax_minor: i64,
    pub net_minor: i64,
    pub charged_currency: Option<Currency>,
    pub charged_minor: Option<i64>,
    /// Units of `currency` for one of `charged_currency`, as the provider says.
    pub fx_rate: Option<Decimal>,
    /// When it happened, and on which business date.
    pub event_at: Instant,
    pub event_date: LocalDate,
    /// When the payment was made that it belongs to; its own moment where none is known.
    pub payment_at: Instant,
    pub payment_date: LocalDate,
    /// When the money can be paid out.
    pub available_on: Option<LocalDate>,
}

impl CashEvent {
    /// Under which key it is posted.
    pub fn ledger_key(&self) -> &str {
        self.payment_key.as_ref().unwrap_or(&self.entry_key)
    }
}

impl LedgerEvent for CashEvent {
    fn negated(&self) -> Self {
        Self {
            amount_minor: -self.amount_minor,
            fee_minor: -self.fee_minor,
            fee_tax_minor: -self.fee_tax_minor,
            net_minor: -self.net_minor,
            charged_minor: self.charged_minor.map(|amount| -amount),
            ..self.clone()
        }
    }
}
