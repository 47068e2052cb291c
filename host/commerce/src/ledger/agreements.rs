//! The life of an order whose channel keeps its own history: its agreements say what happened, and
//! when. They determine the events alone; refund documents of such an order post nothing.
//!
//! Of an order that is cancelled, whatever its agreements take back is its cancellation.

use std::collections::BTreeMap;

use portolan_core::{Instant, StoreCalendar};

use super::EventKind;
use super::amounts::{Amounts, Share, Slot, without_included_tax, without_stated_tax};
use super::facts::{PostingError, instant, quantity_milli};
use super::movement::Movement;
use super::state::{as_gift_card, marketplace_share};
use crate::document::{Agreement, Order, OrderLine, Sale};
use crate::word::plain;

/// Why an agreement was made, as far as events differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Order,
    Edit,
    Refund,
    Cancellation,
}

/// What a sale is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Product,
    GiftCard,
    Shipping,
    Tip,
    Duty,
    Fee,
    Adjustment,
}

/// What a line's sales hand out in proportion to units and tax.
struct LineShares {
    marketplace_tax: Share,
    cost: Share,
}

pub(super) fn movements<'a>(
    order: &'a Order,
    calendar: &StoreCalendar,
) -> Result<Vec<Movement<'a>>, PostingError> {
    let mut shares = line_shares(order)?;
    let mut agreements: Vec<(Instant, &Agreement)> = order
        .agreements
        .iter()
        .map(|agreement| (instant(agreement.happened_at, calendar), agreement))
        .collect();
    agreements.sort_by_key(|(at, agreement)| (*at, agreement.key.as_str()));

    let mut movements = Vec::new();
    for (happened_at, agreement) in agreements {
        let occasion = occasion(order, agreement);
        // An imported order was recorded later than it was placed: it sold when it was placed.
        let at = match occasion {
            Occasion::Order => instant(order.placed_at, calendar),
            _ => happened_at,
        };
        let reason = match occasion {
            Occasion::Order => None,
            Occasion::Cancellation => order.cancel_reason.as_deref().or(Some(&agreement.reason)),
            Occasion::Edit | Occasion::Refund => Some(agreement.reason.as_str()),
        };
        for sale in &agreement.sales {
            let subject = Subject::named(&sale.line_kind);
            let kind = kind(occasion, subject, sale);
            let amounts = amounts(order, sale, subject, &mut shares)?;
            movements.push(Movement {
                location: agreement.location.as_deref(),
                staff: agreement.staff.as_deref(),
                presentment_minor: sale.presentment_minor,
                ..Movement::new(kind, slot(sale, subject), at, order.currency, amounts).because(reason)
            });
        }
    }
    Ok(movements)
}

fn occasion(order: &Order, agreement: &Agreement) -> Occasion {
    match plain(&agreement.reason).as_str() {
        "order" => Occasion::Order,
        "cancel" | "cancellation" | "cancelled" | "canceled" => Occasion::Cancellation,
        "refund" | "return" if order.cancelled_at.is_some() => Occasion::Cancellation,
        "refund" | "return" => Occasion::Refund,
        _ => Occasion::Edit,
    }
}

fn kind(occasion: Occasion, subject: Subject, sale: &Sale) -> EventKind {
    match subject {
        Subject::GiftCard => return EventKind::GiftCardIssue,
        Subject::Tip => return EventKind::Tip,
        Subject::Duty => return EventKind::Duty,
        Subject::Fee => return EventKind::Fee,
        Subject::Product | Subject::Shipping | Subject::Adjustment => {}
    }
    let action = plain(&sale.action);
    let units = sale.quantity.map_or(0, |quantity| quantity.unscaled.signum());
    let taken_back = match action.as_str() {
        "return" => true,
        "order" | "update" => false,
        _ => sale.gross_minor < 0,
    };
    match (occasion, subject) {
        (Occasion::Order, _) => EventKind::Sale,
        (Occasion::Cancellation, _) if taken_back => EventKind::Cancel,
        (_, Subject::Shipping) if taken_back => EventKind::RefundShipping,
        (Occasion::Refund | Occasion::Cancellation, Subject::Adjustment) => EventKind::RefundDiscrepancy,
        (Occasion::Edit, Subject::Adjustment) | (_, Subject::Shipping) => EventKind::PriceAdjust,
        (Occasion::Refund, _) if taken_back && units != 0 => EventKind::Return,
        (Occasion::Refund, _) if taken_back => EventKind::RefundLine,
        (Occasion::Edit, _) if taken_back => EventKind::EditRemove,
        // What is left adds to the order or corrects it: an edit, or an exchange inside a return.
        _ => match units {
            1 => EventKind::EditAdd,
            -1 => EventKind::EditRemove,
            _ if action == "order" => EventKind::EditAdd,
            _ => EventKind::PriceAdjust,
        },
    }
}

fn slot(sale: &Sale, subject: Subject) -> Slot {
    let key = sale.line.clone().unwrap_or_default();
    match subject {
        Subject::Product => Slot::Line { key, occurrence: 0 },
        Subject::GiftCard => Slot::GiftCard { key, occurrence: 0 },
        Subject::Shipping => Slot::Shipping,
        Subject::Tip => Slot::Tip,
        Subject::Duty => Slot::Duty,
        Subject::Fee => Slot::Fee,
        Subject::Adjustment => Slot::Discrepancy,
    }
}

fn amounts(
    order: &Order,
    sale: &Sale,
    subject: Subject,
    shares: &mut BTreeMap<String, LineShares>,
) -> Result<Amounts, PostingError> {
    let all_tax = i128::from(sale.tax_minor);
    let (mut gross, mut discount) = (i128::from(sale.gross_minor), i128::from(sale.discount_minor));
    if order.tax_included {
        (gross, discount) = match sale.discount_tax_minor {
            // The channel has rounded already, and its parts add up: rounding again would not.
            Some(discount_tax) => without_stated_tax(gross, discount, all_tax, discount_tax.into()),
            None => without_included_tax(gross, discount, all_tax),
        };
    }
    let quantity = match sale.quantity {
        Some(quantity) => quantity_milli(&order.key, sale.line.as_deref().unwrap_or_default(), quantity)?,
        None => 0,
    };
    let of_line = match subject {
        Subject::Shipping => shares.get_mut(SHIPPING),
        _ => sale.line.as_ref().and_then(|line| shares.get_mut(line)),
    };
    let (marketplace_tax, cost) = match of_line {
        Some(line) => (line.marketplace_tax.take(all_tax), line.cost.take(quantity)),
        None => (0, 0),
    };
    let tax = all_tax - marketplace_tax;
    let net = gross - discount;
    let taxed = Amounts { quantity, tax, marketplace_tax, ..Amounts::ZERO };
    Ok(match subject {
        Subject::Product | Subject::Adjustment => Amounts { gross, discount, cost, ..taxed },
        Subject::GiftCard => as_gift_card(Amounts { gross, discount, cost, ..taxed }),
        Subject::Shipping => Amounts { shipping: net, shipping_tax: tax, tax: 0, quantity: 0, ..taxed },
        Subject::Tip => Amounts { tip: net, quantity: 0, ..taxed },
        Subject::Duty => Amounts { duty: net, quantity: 0, ..taxed },
        Subject::Fee => Amounts { fee: net, quantity: 0, ..taxed },
    })
}

/// No line's key: shipping's own tax lines.
const SHIPPING: &str = "\0shipping";

fn line_shares(order: &Order) -> Result<BTreeMap<String, LineShares>, PostingError> {
    let mut shares = BTreeMap::new();
    for line in &order.lines {
        shares.entry(line.key.clone()).or_insert(LineShares::of(order, line)?);
    }
    let shipping_tax = order.shipping_taxes.iter().map(|tax| i128::from(tax.amount_minor)).sum();
    let marketplace_tax = Share::new(marketplace_share(&order.shipping_taxes), shipping_tax);
    shares.insert(SHIPPING.to_owned(), LineShares { marketplace_tax, cost: Share::default() });
    Ok(shares)
}

impl LineShares {
    fn of(order: &Order, line: &OrderLine) -> Result<Self, PostingError> {
        let quantity = quantity_milli(&order.key, &line.key, line.quantity)?;
        Ok(Self {
            marketplace_tax: Share::new(marketplace_share(&line.taxes), line.tax_minor.into()),
            cost: Share::new(line.cost_minor.unwrap_or_default().into(), quantity),
        })
    }
}

impl Subject {
    fn named(line_kind: &str) -> Self {
        match plain(line_kind).as_str() {
            "gift-card" => Self::GiftCard,
            "shipping" => Self::Shipping,
            "tip" => Self::Tip,
            "duty" => Self::Duty,
            "fee" | "additional-fee" => Self::Fee,
            "adjustment" => Self::Adjustment,
            _ => Self::Product,
        }
    }
}
