//! Events of the cash ledger as they are stored.

use portolan_commerce::cash::{BalanceCategory, CashEvent, DisputeState};
use portolan_commerce::ledger::PostedEvent;
use portolan_core::{Currency, Decimal, EventId, Instant, LocalDate};

use crate::entity::cash_event;
use crate::ledger::{Posting, StoredEventError, parse};

impl cash_event::Model {
    /// The row of an event.
    pub fn new(posting: Posting, posted: PostedEvent<CashEvent>) -> Self {
        let event = posted.event;
        Self {
            tenant_id: posting.tenant.0,
            id: posted.id.0,
            posting_version: posting.posting_version,
            connection_id: posting.connection.0,
            reverses: posted.reverses.map(|id| id.0),
            recorded_at: posting.recorded_at.0,
            category: event.category.as_str().to_owned(),
            provider_kind: event.provider_kind,
            has_payment: event.payment_key.is_some(),
            payment_key: event.payment_key.unwrap_or_else(|| event.entry_key.clone()),
            entry_key: event.entry_key,
            order_key: event.order_key,
            reference: event.reference,
            payout_key: event.payout_key,
            source_key: event.source_key,
            method: event.method,
            dispute_state: event.dispute_state.map(|state| state.as_str().to_owned()),
            currency: event.currency.as_str().to_owned(),
            amount_minor: event.amount_minor,
            fee_minor: event.fee_minor,
            fee_tax_minor: event.fee_tax_minor,
            net_minor: event.net_minor,
            charged_currency: event.charged_currency.map(|currency| currency.as_str().to_owned()),
            charged_minor: event.charged_minor,
            fx_rate: event.fx_rate.map(|rate| rate.to_string()),
            event_at: event.event_at.0,
            event_date: event.event_date.0,
            payment_at: event.payment_at.0,
            payment_date: event.payment_date.0,
            available_on: event.available_on.map(|date| date.0),
        }
    }

    /// The event of a row.
    pub fn into_posted(self) -> Result<PostedEvent<CashEvent>, StoredEventError> {
        let id = EventId(self.id);
        let event = CashEvent {
            category: parse::<BalanceCategory>(id, "category", &self.category)?,
            provider_kind: self.provider_kind,
            entry_key: self.entry_key,
            payment_key: self.has_payment.then_some(self.payment_key),
            order_key: self.order_key,
            reference: self.reference,
            payout_key: self.payout_key,
            source_key: self.source_key,
            method: self.method,
            dispute_state: self
                .dispute_state
                .map(|state| parse::<DisputeState>(id, "dispute_state", &state))
                .transpose()?,
            currency: parse::<Currency>(id, "currency", &self.currency)?,
            amount_minor: self.amount_minor,
            fee_minor: self.fee_minor,
            fee_tax_minor: self.fee_tax_minor,
            net_minor: self.net_minor,
            charged_currency: self
                .charged_currency
                .map(|currency| parse::<Currency>(id, "charged_currency", &currency))
                .transpose()?,
            charged_minor: self.charged_minor,
            fx_rate: self.fx_rate.map(|rate| parse::<Decimal>(id, "fx_rate", &rate)).transpose()?,
            event_at: Instant(self.event_at),
            event_date: LocalDate(self.event_date),
            payment_at: Instant(self.payment_at),
            payment_date: LocalDate(self.payment_date),
            available_on: self.available_on.map(LocalDate),
        };
        Ok(PostedEvent { id, reverses: self.reverses.map(EventId), event })
    }
}
