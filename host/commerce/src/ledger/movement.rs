//! A movement is what happened to one slot of an order at one moment; with the order's attributes it
//! becomes a ledger event.

use std::collections::BTreeMap;

use portolan_core::{Currency, Instant, LocalDate, StoreCalendar};

use super::amounts::{Amounts, Slot, Standing};
use super::facts::{PostingError, instant};
use super::state::slots_of;
use super::{EventKind, SaleEvent};
use crate::document::{Order, OrderLine, Refund};

/// What happened to one slot.
#[derive(Debug, Clone)]
pub(super) struct Movement<'a> {
    pub kind: EventKind,
    pub slot: Slot,
    pub at: Instant,
    pub amounts: Amounts,
    pub currency: Currency,
    pub reason: Option<&'a str>,
    /// What the movement's own document calls the product, where the order knows no such line.
    pub product: Option<&'a str>,
    pub location: Option<&'a str>,
    pub staff: Option<&'a str>,
    pub presentment_minor: Option<i64>,
}

/// What all events of an order share: the attributes of its newest version.
pub(super) struct Frame<'a> {
    order_key: &'a str,
    has_order: bool,
    order: Option<&'a Order>,
    customer: Option<&'a String>,
    store: Option<&'a String>,
    country: Option<&'a String>,
    order_at: Instant,
    order_date: LocalDate,
    /// Each line as the newest version that has it tells it.
    lines: BTreeMap<Slot, &'a OrderLine>,
}

impl<'a> Movement<'a> {
    pub fn new(kind: EventKind, slot: Slot, at: Instant, currency: Currency, amounts: Amounts) -> Self {
        Self {
            kind,
            slot,
            at,
            amounts,
            currency,
            reason: None,
            product: None,
            location: None,
            staff: None,
            presentment_minor: None,
        }
    }

    pub fn because(self, reason: Option<&'a str>) -> Self {
        Self { reason, ..self }
    }
}

/// What the movements leave standing.
pub(super) fn standing_after(movements: &[Movement<'_>]) -> Standing {
    let mut standing = Standing::new();
    for movement in movements {
        *standing.entry(movement.slot.clone()).or_default() += movement.amounts;
    }
    standing
}

impl<'a> Frame<'a> {
    pub fn of_order(versions: &[&'a Order], newest: &'a Order, calendar: &StoreCalendar) -> Self {
        let order_at = instant(newest.placed_at, calendar);
        Self {
            order_key: &newest.key,
            has_order: true,
            order: Some(newest),
            customer: newest.customer.as_ref(),
            store: newest.store.as_ref(),
            country: newest.country.as_ref(),
            order_at,
            order_date: calendar.business_date(order_at),
            lines: versions.iter().flat_map(|version| slots_of(version)).collect(),
        }
    }

    /// For a return without its order, or before its order is known: the refund says what the order
    /// would have said.
    pub fn of_refund(refund: &'a Refund, calendar: &StoreCalendar) -> Self {
        let order_at = instant(refund.order_placed_at.unwrap_or(refund.at), calendar);
        Self {
            order_key: refund.order.as_ref().unwrap_or(&refund.key),
            has_order: refund.order.is_some(),
            order: None,
            customer: refund.customer.as_ref(),
            store: refund.store.as_ref(),
            country: refund.country.as_ref(),
            order_at,
            order_date: calendar.business_date(order_at),
            lines: BTreeMap::new(),
        }
    }

    /// The events of these movements; movements of nothing leave none.
    pub fn events(
        &self,
        movements: Vec<Movement<'a>>,
        calendar: &StoreCalendar,
    ) -> Result<Vec<SaleEvent>, PostingError> {
        movements
            .into_iter()
            .filter(|movement| movement.amounts != Amounts::ZERO)
            .map(|movement| self.event(movement, calendar))
            .collect()
    }

    fn event(&self, movement: Movement<'a>, calendar: &StoreCalendar) -> Result<SaleEvent, PostingError> {
        let too_large = || PostingError::AmountTooLarge { document_key: self.order_key.to_owned() };
        // The smallest number has no negated copy.
        let fit = |amount: i128| {
            i64::try_from(amount).ok().filter(|amount| *amount != i64::MIN).ok_or_else(too_large)
        };
        let line = self.lines.get(&movement.slot);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let order = self.order;
        let presentment_minor = movement.presentment_minor.map(|amount| fit(amount.into())).transpose()?;
        let amounts = movement.amounts;
        Ok(SaleEvent {
            kind: movement.kind,
            reason: owned(movement.reason),
            order_key: self.order_key.to_owned(),
            has_order: self.has_order,
            line_key: owned(movement.slot.line_key()),
            product_key: line.and_then(|line| line.product.clone()).or_else(|| owned(movement.product)),
            variant_key: line.and_then(|line| line.variant.clone()),
            customer_key: self.customer.cloned(),
            store_key: self.store.cloned(),
            location_key: owned(movement.location).or_else(|| order.and_then(|order| order.location.clone())),
            staff_key: owned(movement.staff).or_else(|| order.and_then(|order| order.staff.clone())),
            channel: order.and_then(|order| order.channel.clone()),
            country: self.country.cloned(),
            region: order.and_then(|order| order.region.clone()),
            test: order.is_some_and(|order| order.test),
            quantity_milli: fit(amounts.quantity)?,
            gross_minor: fit(amounts.gross)?,
            discount_minor: fit(amounts.discount)?,
            tax_minor: fit(amounts.tax)?,
            marketplace_tax_minor: fit(amounts.marketplace_tax)?,
            shipping_minor: fit(amounts.shipping)?,
            shipping_tax_minor: fit(amounts.shipping_tax)?,
            duty_minor: fit(amounts.duty)?,
            tip_minor: fit(amounts.tip)?,
            fee_minor: fit(amounts.fee)?,
            gift_card_minor: fit(amounts.gift_card)?,
            cost_minor: fit(amounts.cost)?,
            currency: movement.currency,
            presentment_currency: presentment_minor
                .and_then(|_| order.and_then(|order| order.presentment_currency)),
            presentment_minor,
            event_at: movement.at,
            event_date: match movement.at == self.order_at {
                true => self.order_date,
                false => calendar.business_date(movement.at),
            },
            order_at: self.order_at,
            order_date: self.order_date,
        })
    }
}
