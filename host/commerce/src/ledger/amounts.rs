//! Amounts while events are being worked out: wide enough that no sum can overflow.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Neg, Sub};

/// The amounts and units of an event, each as in [`SaleEvent`](super::SaleEvent).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub quantity: i128,
    pub gross: i128,
    pub discount: i128,
    pub tax: i128,
    pub marketplace_tax: i128,
    pub shipping: i128,
    pub shipping_tax: i128,
    pub duty: i128,
    pub tip: i128,
    pub fee: i128,
    pub gift_card: i128,
    pub cost: i128,
}

/// What an amount belongs to: the same thing in every version of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// A line by its key; `occurrence` tells apart lines that share one (refunds mean the first).
    Line {
        key: String,
        occurrence: usize,
    },
    GiftCard {
        key: String,
        occurrence: usize,
    },
    /// What the order's own gross holds beyond its lines.
    BeyondLines,
    Shipping,
    Duty,
    Tip,
    /// What the order's total holds beyond its parts, and fees.
    Fee,
    /// What a refund gives back beyond or below its lines.
    Discrepancy,
}

/// What stands, slot by slot.
pub(super) type Standing = BTreeMap<Slot, Amounts>;

impl Amounts {
    pub const ZERO: Self = Self {
        quantity: 0,
        gross: 0,
        discount: 0,
        tax: 0,
        marketplace_tax: 0,
        shipping: 0,
        shipping_tax: 0,
        duty: 0,
        tip: 0,
        fee: 0,
        gift_card: 0,
        cost: 0,
    };

    fn combine(self, other: Self, with: impl Fn(i128, i128) -> i128) -> Self {
        Self {
            quantity: with(self.quantity, other.quantity),
            gross: with(self.gross, other.gross),
            discount: with(self.discount, other.discount),
            tax: with(self.tax, other.tax),
            marketplace_tax: with(self.marketplace_tax, other.marketplace_tax),
            shipping: with(self.shipping, other.shipping),
            shipping_tax: with(self.shipping_tax, other.shipping_tax),
            duty: with(self.duty, other.duty),
            tip: with(self.tip, other.tip),
            fee: with(self.fee, other.fee),
            gift_card: with(self.gift_card, other.gift_card),
            cost: with(self.cost, other.cost),
        }
    }

    /// What the buyer is charged.
    pub fn charged(self) -> i128 {
        self.gross - self.discount
            + self.tax
            + self.marketplace_tax
            + self.shipping
            + self.shipping_tax
            + self.duty
            + self.tip
            + self.fee
            + self.gift_card
    }

    /// What of `self`, as sold, is still there to be taken back when `standing` stands: nothing where
    /// more than was sold has been taken back already.
    pub fn left_of(self, standing: Self) -> Self {
        self.combine(standing, |sold, standing| match sold.signum() {
            1 => standing.max(0),
            -1 => standing.min(0),
            _ => 0,
        })
    }
}

impl Slot {
    pub fn line_key(&self) -> Option<&str> {
        match self {
            Self::Line { key, .. } | Self::GiftCard { key, .. } => {
                Some(key).filter(|key| !key.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }
}

impl Add for Amounts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.combine(other, |left, right| left + right)
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Amounts {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.combine(other, |left, right| left - right)
    }
}

impl Neg for Amounts {
    type Output = Self;
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

/// `whole` × `part` ÷ `of`, rounded to the nearest, halves away from zero; 0 when `of` is 0.
pub(super) fn proportion(whole: i128, part: i128, of: i128) -> i128 {
    if of == 0 {
        return 0;
    }
    let doubled = whole.checked_mul(part).and_then(|product| product.checked_mul(2));
    let Some(doubled) = doubled else {
        // Far beyond what an event can hold: it will be refused, not rounded.
        return (whole / of).saturating_mul(part);
    };
    let magnitude = (doubled.abs() + of.abs()) / (2 * of.abs());
    magnitude * doubled.signum() * of.signum()
}

/// A whole that is handed out in step with a base: after the whole base, exactly the whole was handed
/// out, however many steps it took. Steps beyond the base hand out nothing more.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    whole: i128,
    base: i128,
    base_taken: i128,
    handed_out: i128,
}

impl Share {
    pub fn new(whole: i128, base: i128) -> Self {
        Self { whole, base, ..Self::default() }
    }

    pub fn take(&mut self, base: i128) -> i128 {
        self.base_taken += base;
        let within = self.base_taken.clamp(self.base.min(0), self.base.max(0));
        let due = proportion(self.whole, within, self.base);
        let now = due - self.handed_out;
        self.handed_out = due;
        now
    }
}

/// Amounts charged with tax inside, as (gross, discount) without it: both shrink alike, and
/// gross − discount + tax is exactly what was charged.
pub(super) fn without_included_tax(gross: i128, discount: i128, tax: i128) -> (i128, i128) {
    let charged = gross - discount;
    let net = charged - tax;
    let plausible = charged != 0 && tax.signum() * charged.signum() >= 0 && tax.abs() <= charged.abs();
    if !plausible {
        // No rate can be told from it: the tax leaves gross alone.
        return (gross - tax, discount);
    }
    let gross = proportion(gross, net, charged);
    (gross, gross - net)
}

/// Likewise where it is known how much of the tax is inside the discount: gross had all of it inside,
/// and gross − discount + tax is exactly what was charged.
pub(super) fn without_stated_tax(gross: i128, discount: i128, tax: i128, discount_tax: i128) -> (i128, i128) {
    (gross - tax - discount_tax, discount - discount_tax)
}
