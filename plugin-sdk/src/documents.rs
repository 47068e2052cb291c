//! Constructors: the fields that every document of a kind has to have; the rest starts empty and
//! is set by name, or with `..Order::new(…)`.

use crate::commerce::{BalanceEntry, Customer, Order, OrderLine, Product, Refund, RefundLine};
use crate::{Decimal, Moment};

impl Order {
    /// A paid, fulfilled-unknown order without lines and amounts.
    pub fn new(
        src: u32,
        key: impl Into<String>,
        updated_at: Moment,
        placed_at: Moment,
        currency: impl Into<String>,
    ) -> Self {
        Self {
            src,
            also: Vec::new(),
            key: key.into(),
            updated_at,
            deleted: false,
            test: false,
            number: None,
            placed_at,
            cancelled_at: None,
            cancel_reason: None,
            channel: None,
            store: None,
            location: None,
            staff: None,
            state: "open".to_owned(),
            payment_state: "unknown".to_owned(),
            fulfilment_state: "unknown".to_owned(),
            customer: None,
            country: None,
            region: None,
            currency: currency.into(),
            presentment_currency: None,
            gross: 0,
            discount: 0,
            shipping: 0,
            tax: 0,
            tip: 0,
            duty: 0,
            total: 0,
            tax_included: false,
            lines: Vec::new(),
            shipping_taxes: Vec::new(),
            agreements: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl OrderLine {
    /// A line without amounts.
    pub fn new(key: impl Into<String>, title: impl Into<String>, quantity: Decimal) -> Self {
        Self {
            key: key.into(),
            product: None,
            variant: None,
            sku: None,
            title: title.into(),
            quantity,
            unit_price: None,
            gross: 0,
            discount: 0,
            tax: 0,
            cost: None,
            gift_card: false,
            allocations: Vec::new(),
            taxes: Vec::new(),
        }
    }
}

impl Refund {
    /// A refund of nothing yet; set `order` where it is known.
    pub fn new(
        src: u32,
        key: impl Into<String>,
        updated_at: Moment,
        at: Moment,
        currency: impl Into<String>,
    ) -> Self {
        Self {
            src,
            also: Vec::new(),
            key: key.into(),
            updated_at,
            deleted: false,
            order: None,
            order_placed_at: None,
            at,
            state: "succeeded".to_owned(),
            customer: None,
            country: None,
            store: None,
            currency: currency.into(),
            total: 0,
            tax: 0,
            shipping: 0,
            shipping_tax: 0,
            duty: 0,
            tip: 0,
            adjustment: 0,
            reason: None,
            lines: Vec::new(),
        }
    }
}

impl RefundLine {
    /// Units of an order's line that came back, and what was paid for them.
    pub fn new(line: impl Into<String>, quantity: Decimal, amount: i64) -> Self {
        Self { line: line.into(), product: None, quantity, amount, tax: 0, restock: "unknown".to_owned() }
    }
}

impl BalanceEntry {
    /// A movement of nothing yet; give its amounts with [`settled`](Self::settled). `category` is one of the
    /// ledger's words, `provider_kind` the provider's own.
    pub fn new(
        src: u32,
        key: impl Into<String>,
        updated_at: Moment,
        at: Moment,
        category: impl Into<String>,
        provider_kind: impl Into<String>,
        currency: impl Into<String>,
    ) -> Self {
        Self {
            src,
            key: key.into(),
            updated_at,
            deleted: false,
            category: category.into(),
            provider_kind: provider_kind.into(),
            at,
            available_on: None,
            payment: None,
            order: None,
            reference: None,
            payout: None,
            source: None,
            method: None,
            currency: currency.into(),
            amount: 0,
            fee: 0,
            fee_tax: 0,
            net: 0,
            charged: None,
            fx_rate: None,
        }
    }

    /// What it moved, and what the provider kept of it: `net` follows from both.
    #[must_use]
    pub fn settled(self, amount: i64, fee: i64) -> Self {
        // A difference that does not fit is refused by the host, which checks it.
        Self { amount, fee, net: amount.saturating_sub(fee), ..self }
    }
}

impl Product {
    pub fn new(src: u32, key: impl Into<String>, updated_at: Moment, title: impl Into<String>) -> Self {
        Self {
            src,
            key: key.into(),
            updated_at,
            deleted: false,
            parent: None,
            sku: None,
            gtin: None,
            title: title.into(),
            category: None,
            brand: None,
            tags: Vec::new(),
            currency: None,
            price: None,
            cost: None,
        }
    }
}

impl Customer {
    pub fn new(src: u32, key: impl Into<String>, updated_at: Moment) -> Self {
        Self {
            src,
            key: key.into(),
            updated_at,
            deleted: false,
            person: None,
            country: None,
            region: None,
            first_seen: None,
            tags: Vec::new(),
        }
    }
}
