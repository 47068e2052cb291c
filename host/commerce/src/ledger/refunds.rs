//! What a refund takes back, line by line, adding up to exactly what it gave back.

use std::collections::BTreeMap;

use portolan_core::Instant;

use super::EventKind;
use super::amounts::{Amounts, Share, Slot, Standing};
use super::facts::{PostingError, quantity_milli};
use super::history::own_kind;
use super::movement::Movement;
use super::state::{as_gift_card, tax_beyond_parts};
use crate::document::{Refund, RefundLine};

/// What was sold, and how much of it earlier refunds have taken back.
pub(super) struct SoldLines<'s> {
    sold: &'s Standing,
    tax_included: bool,
    shares: BTreeMap<Slot, LineShares>,
}

/// What a refunded line takes back beside its amount, in proportion: so that refunds of the whole line,
/// however cut, take back its whole discount, marketplace tax and cost.
#[derive(Default, Clone, Copy)]
struct LineShares {
    /// By value; by units where the line was sold for nothing.
    discount: Share,
    discount_by_units: bool,
    marketplace_tax: Share,
    cost: Share,
}

impl<'s> SoldLines<'s> {
    pub fn new(sold: &'s Standing, tax_included: bool) -> Self {
        Self { sold, tax_included, shares: BTreeMap::new() }
    }

    fn slot(&self, line: &str) -> Slot {
        let gift_card = Slot::GiftCard { key: line.to_owned(), occurrence: 0 };
        if self.sold.contains_key(&gift_card) {
            return gift_card;
        }
        Slot::Line { key: line.to_owned(), occurrence: 0 }
    }

    fn shares(&mut self, slot: &Slot) -> &mut LineShares {
        let sold = self.sold.get(slot).copied().unwrap_or_default();
        self.shares.entry(slot.clone()).or_insert_with(|| LineShares::of(sold))
    }
}

impl LineShares {
    fn of(sold: Amounts) -> Self {
        let net = sold.gross - sold.discount;
        let discount_by_units = net == 0;
        Self {
            discount: Share::new(sold.discount, if discount_by_units { sold.quantity } else { net }),
            discount_by_units,
            marketplace_tax: Share::new(
                sold.marketplace_tax,
                sold.tax + sold.shipping_tax + sold.marketplace_tax,
            ),
            cost: Share::new(sold.cost, sold.quantity),
        }
    }
}

/// The movements of a refund; they add up to what it gave back, negated.
pub(super) fn refund_movements<'a>(
    refund: &'a Refund,
    at: Instant,
    lines: &mut SoldLines<'_>,
) -> Result<Vec<Movement<'a>>, PostingError> {
    let mut movements = Vec::with_capacity(refund.lines.len() + 2);
    let mut moved = |kind, slot, taken_back: Amounts, product| {
        let movement = Movement::new(kind, slot, at, refund.currency, -taken_back);
        movements.push(Movement { product, ..movement.because(refund.reason.as_deref()) });
    };
    let mut total = 0_i128;
    for line in &refund.lines {
        let (kind, slot, taken_back) = refunded_line(refund, line, lines)?;
        total += taken_back.charged();
        moved(kind, slot, taken_back, line.product.as_deref());
    }
    let shipping = refunded_shipping(refund, lines);
    let duty = Amounts { duty: refund.duty_minor.into(), ..Amounts::ZERO };
    let tip = Amounts { tip: refund.tip_minor.into(), ..Amounts::ZERO };
    for (slot, taken_back) in [(Slot::Shipping, shipping), (Slot::Duty, duty), (Slot::Tip, tip)] {
        total += taken_back.charged();
        moved(own_kind(&slot).unwrap_or(EventKind::RefundShipping), slot, taken_back, None);
    }
    let line_tax = refund.lines.iter().map(|line| i128::from(line.tax_minor)).sum();
    let tax = tax_beyond_parts(refund.tax_minor.into(), line_tax, refund.shipping_tax_minor.into());
    let gross = i128::from(refund.total_minor) - total - tax;
    moved(EventKind::RefundDiscrepancy, Slot::Discrepancy, Amounts { gross, tax, ..Amounts::ZERO }, None);
    Ok(movements)
}

/// A cancellation has taken everything back already: a refund after it moves only what it gives back
/// beyond that. `left` is what was taken back and not yet refunded.
pub(super) fn refund_after_cancellation<'a>(
    refund: &'a Refund,
    at: Instant,
    left: &mut i128,
) -> Option<Movement<'a>> {
    let total = i128::from(refund.total_minor);
    let beyond = (total - (*left).max(0)).max(0);
    *left -= total - beyond;
    let amounts = Amounts { gross: -beyond, ..Amounts::ZERO };
    let movement =
        Movement::new(EventKind::RefundDiscrepancy, Slot::Discrepancy, at, refund.currency, amounts);
    (beyond > 0).then(|| movement.because(refund.reason.as_deref()))
}

/// Whether the amounts of a refund without its order have tax inside: only if its total says so.
pub(super) fn includes_tax(refund: &Refund) -> bool {
    let inside: i128 = refund.lines.iter().map(|line| i128::from(line.amount_minor)).sum::<i128>()
        + [refund.shipping_minor, refund.duty_minor, refund.tip_minor, refund.adjustment_minor]
            .into_iter()
            .map(i128::from)
            .sum::<i128>();
    i128::from(refund.total_minor) == inside
}

fn refunded_line(
    refund: &Refund,
    line: &RefundLine,
    lines: &mut SoldLines<'_>,
) -> Result<(EventKind, Slot, Amounts), PostingError> {
    let quantity = quantity_milli(&refund.key, &line.line, line.quantity)?;
    let all_tax = i128::from(line.tax_minor);
    let amount = i128::from(line.amount_minor) - if lines.tax_included { all_tax } else { 0 };
    let slot = lines.slot(&line.line);
    let came_back = comes_back(&line.restock, quantity);

    let shares = lines.shares(&slot);
    let discount = shares.discount.take(if shares.discount_by_units { quantity } else { amount });
    let marketplace_tax = shares.marketplace_tax.take(all_tax);
    let cost = if came_back { shares.cost.take(quantity) } else { 0 };
    let goods = Amounts {
        quantity,
        gross: amount + discount,
        discount,
        tax: all_tax - marketplace_tax,
        marketplace_tax,
        cost,
        ..Amounts::ZERO
    };
    let kind = if came_back { EventKind::Return } else { EventKind::RefundLine };
    Ok(match own_kind(&slot) {
        Some(own) => (own, slot, as_gift_card(goods)),
        None => (kind, slot, goods),
    })
}

fn refunded_shipping(refund: &Refund, lines: &mut SoldLines<'_>) -> Amounts {
    let tax = i128::from(refund.shipping_tax_minor);
    let marketplace_tax = lines.shares(&Slot::Shipping).marketplace_tax.take(tax);
    Amounts {
        shipping: i128::from(refund.shipping_minor) - if lines.tax_included { tax } else { 0 },
        shipping_tax: tax - marketplace_tax,
        marketplace_tax,
        ..Amounts::ZERO
    }
}

/// Units come back unless the channel says that they don't, or there are none.
fn comes_back(restock: &str, quantity: i128) -> bool {
    const STAYS: [&str; 5] = ["no_restock", "no-restock", "norestock", "none", "not_returned"];
    quantity != 0 && !STAYS.iter().any(|name| restock.eq_ignore_ascii_case(name))
}
