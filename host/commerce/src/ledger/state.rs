//! What one version of an order says is sold, slot by slot, adding up to the order's own total.
//!
//! Documents disagree with themselves. What the order's header holds beyond its lines is handled here,
//! once and in the open:
//! - **discount** and **tax** beyond the lines are spread over them by what each line costs after its own
//!   discount (largest remainder);
//! - **gross** beyond the lines belongs to no product: it stands in [`Slot::BeyondLines`], without a line;
//! - what the **total** holds beyond all named parts stands in [`Slot::Fee`].

use std::collections::BTreeMap;

use portolan_core::money::allocate;

use super::amounts::{Amounts, Slot, Standing, without_included_tax};
use super::facts::{PostingError, quantity_milli};
use crate::document::{Order, OrderLine, TaxLine};

/// A line while the header's remainders are spread.
struct Draft {
    slot: Slot,
    quantity: i128,
    gross: i128,
    discount: i128,
    tax: i128,
    marketplace_tax: i128,
    cost: i128,
}

/// What stands when nothing has been refunded.
pub(super) fn sold_by(order: &Order) -> Result<Standing, PostingError> {
    let shipping_tax: i128 = order.shipping_taxes.iter().map(|tax| i128::from(tax.amount_minor)).sum();
    let mut drafts = draft_lines(order)?;
    spread_discount(order, &mut drafts)?;
    spread_tax(order, &mut drafts, shipping_tax)?;

    let mut standing: Standing = drafts.into_iter().map(|draft| draft.finish(order.tax_included)).collect();
    standing.insert(Slot::Shipping, shipping(order, shipping_tax));
    standing.insert(Slot::Duty, Amounts { duty: order.duty_minor.into(), ..Amounts::ZERO });
    standing.insert(Slot::Tip, Amounts { tip: order.tip_minor.into(), ..Amounts::ZERO });
    let parts: i128 = standing.values().map(|amounts| amounts.charged()).sum();
    let beyond_parts = i128::from(order.total_minor) - parts;
    standing.insert(Slot::Fee, Amounts { fee: beyond_parts, ..Amounts::ZERO });
    standing.retain(|_, amounts| *amounts != Amounts::ZERO);
    Ok(standing)
}

/// The slot of each line, in the order of the document.
pub(super) fn slots_of(order: &Order) -> Vec<(Slot, &OrderLine)> {
    let mut seen: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    let slots = order.lines.iter().map(|line| {
        let times = seen.entry((&line.key, line.gift_card)).or_default();
        let (key, occurrence) = (line.key.clone(), *times);
        *times += 1;
        let slot =
            if line.gift_card { Slot::GiftCard { key, occurrence } } else { Slot::Line { key, occurrence } };
        (slot, line)
    });
    slots.collect()
}

/// Tax that a marketplace remits itself.
pub(super) fn marketplace_share(taxes: &[TaxLine]) -> i128 {
    let collected = taxes.iter().filter(|tax| tax.collector.eq_ignore_ascii_case("marketplace"));
    collected.map(|tax| i128::from(tax.amount_minor)).sum()
}

/// Tax of a document that neither its lines nor its shipping name. A header may count shipping's tax or
/// leave it out: both are taken at their word.
pub(super) fn tax_beyond_parts(header: i128, lines: i128, shipping: i128) -> i128 {
    if header == lines { 0 } else { header - lines - shipping }
}

fn draft_lines(order: &Order) -> Result<Vec<Draft>, PostingError> {
    let mut drafts = Vec::with_capacity(order.lines.len() + 1);
    for (slot, line) in slots_of(order) {
        let marketplace_tax = marketplace_share(&line.taxes);
        drafts.push(Draft {
            slot,
            quantity: quantity_milli(&order.key, &line.key, line.quantity)?,
            gross: line.gross_minor.into(),
            discount: line.discount_minor.into(),
            tax: i128::from(line.tax_minor) - marketplace_tax,
            marketplace_tax,
            cost: line.cost_minor.unwrap_or_default().into(),
        });
    }
    let beyond = i128::from(order.gross_minor) - drafts.iter().map(|draft| draft.gross).sum::<i128>();
    if beyond != 0 || drafts.is_empty() {
        drafts.push(Draft {
            slot: Slot::BeyondLines,
            quantity: 0,
            gross: beyond,
            discount: 0,
            tax: 0,
            marketplace_tax: 0,
            cost: 0,
        });
    }
    Ok(drafts)
}

fn spread_discount(order: &Order, drafts: &mut [Draft]) -> Result<(), PostingError> {
    let beyond = i128::from(order.discount_minor) - drafts.iter().map(|draft| draft.discount).sum::<i128>();
    let parts = spread(order, beyond, drafts)?;
    for (draft, part) in drafts.iter_mut().zip(parts) {
        draft.discount += part;
    }
    Ok(())
}

fn spread_tax(order: &Order, drafts: &mut [Draft], shipping_tax: i128) -> Result<(), PostingError> {
    let lines: i128 = drafts.iter().map(|draft| draft.tax + draft.marketplace_tax).sum();
    let beyond = tax_beyond_parts(order.tax_minor.into(), lines, shipping_tax);
    let parts = spread(order, beyond, drafts)?;
    for (draft, part) in drafts.iter_mut().zip(parts) {
        draft.tax += part;
    }
    Ok(())
}

/// The part of each line, by what it costs after its discount. Gift cards get a part only where there
/// is nothing else: they are neither discounted nor taxed.
fn spread(order: &Order, total: i128, drafts: &[Draft]) -> Result<Vec<i128>, PostingError> {
    if total == 0 {
        return Ok(vec![0; drafts.len()]);
    }
    let too_large = |_| PostingError::AmountTooLarge { document_key: order.key.clone() };
    let any_goods = drafts.iter().any(|draft| draft.weight() > 0 && !draft.is_gift_card());
    let weights = drafts.iter().map(|draft| match draft.is_gift_card() && any_goods {
        true => Ok(0),
        false => i64::try_from(draft.weight()),
    });
    let weights = weights.collect::<Result<Vec<_>, _>>().map_err(too_large)?;
    let parts = allocate(i64::try_from(total).map_err(too_large)?, &weights);
    Ok(parts.into_iter().map(i128::from).collect())
}

fn shipping(order: &Order, shipping_tax: i128) -> Amounts {
    let marketplace_tax = marketplace_share(&order.shipping_taxes);
    let included = if order.tax_included { shipping_tax } else { 0 };
    Amounts {
        shipping: i128::from(order.shipping_minor) - included,
        shipping_tax: shipping_tax - marketplace_tax,
        marketplace_tax,
        ..Amounts::ZERO
    }
}

impl Draft {
    fn is_gift_card(&self) -> bool {
        matches!(self.slot, Slot::GiftCard { .. })
    }

    fn weight(&self) -> i128 {
        (self.gross - self.discount).max(0)
    }

    fn finish(self, tax_included: bool) -> (Slot, Amounts) {
        let all_tax = self.tax + self.marketplace_tax;
        let (gross, discount) = if tax_included {
            without_included_tax(self.gross, self.discount, all_tax)
        } else {
            (self.gross, self.discount)
        };
        let goods = Amounts {
            quantity: self.quantity,
            gross,
            discount,
            tax: self.tax,
            marketplace_tax: self.marketplace_tax,
            cost: self.cost,
            ..Amounts::ZERO
        };
        let is_gift_card = self.is_gift_card();
        (self.slot, if is_gift_card { as_gift_card(goods) } else { goods })
    }
}

/// A gift card is owed, not earned: its price leaves gross and discount.
pub(super) fn as_gift_card(goods: Amounts) -> Amounts {
    Amounts { gift_card: goods.gross - goods.discount, gross: 0, discount: 0, ..goods }
}
