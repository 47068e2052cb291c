//! The life of an order whose channel keeps no history: told by the versions of its document.
//!
//! The first version was sold when the order was placed. What a later version changes was edited when
//! that version was updated. What still stands when the order is cancelled is taken back then, after the
//! refunds that came before; what changes in the document after its cancellation moves nothing more.
//! Versions in another currency than the newest are passed over: a correction, not a movement of money.

use portolan_core::{Instant, StoreCalendar};

use super::EventKind;
use super::amounts::{Amounts, Slot, Standing};
use super::facts::{PostingError, instant};
use super::movement::{Movement, standing_after};
use super::refunds::{SoldLines, refund_after_cancellation, refund_movements};
use super::state::sold_by;
use crate::document::{Order, Refund};

/// An order as its versions tell it, before any refund.
pub(super) struct Told<'a> {
    pub movements: Vec<Movement<'a>>,
    /// Each slot as the last version that had it sold it.
    pub sold: Standing,
    /// What the order holds now.
    pub current: Standing,
}

/// Everything that moved: sales, edits, refunds and the cancellation.
pub(super) fn movements<'a>(
    versions: &[&'a Order],
    newest: &'a Order,
    refunds: &[&'a Refund],
    calendar: &StoreCalendar,
) -> Result<Vec<Movement<'a>>, PostingError> {
    let Told { mut movements, sold, .. } = tell(versions, newest, calendar)?;
    let cancelled_at = newest.cancelled_at.map(|at| instant(at, calendar));
    let mut lines = SoldLines::new(&sold, newest.tax_included);
    let mut in_other_currencies = Vec::new();
    for &refund in refunds {
        let at = instant(refund.at, calendar);
        if refund.currency != newest.currency {
            // Amounts of two currencies can't be taken from each other: it stands by itself.
            let nothing_sold = Standing::new();
            let mut apart = SoldLines::new(&nothing_sold, newest.tax_included);
            in_other_currencies.extend(refund_movements(refund, at, &mut apart)?);
        } else if cancelled_at.is_none_or(|cancelled_at| at <= cancelled_at) {
            movements.extend(refund_movements(refund, at, &mut lines)?);
        }
    }
    if let Some(cancelled_at) = cancelled_at {
        let cancelled = cancellation(newest, &sold, &standing_after(&movements), cancelled_at);
        let mut left: i128 = -cancelled.iter().map(|movement| movement.amounts.charged()).sum::<i128>();
        movements.extend(cancelled);
        for &refund in refunds.iter().filter(|refund| refund.currency == newest.currency) {
            let at = instant(refund.at, calendar);
            if at > cancelled_at {
                movements.extend(refund_after_cancellation(refund, at, &mut left));
            }
        }
    }
    movements.extend(in_other_currencies);
    if cancelled_at.is_some() {
        movements.iter_mut().for_each(part_of_cancellation);
    }
    Ok(movements)
}

/// Goods of a cancelled order were never kept: what came back of them before is its cancellation too.
fn part_of_cancellation(movement: &mut Movement<'_>) {
    if matches!(movement.kind, EventKind::Return | EventKind::RefundLine) {
        movement.kind = EventKind::Cancel;
    }
}

/// Sales and edits.
pub(super) fn tell<'a>(
    versions: &[&'a Order],
    newest: &'a Order,
    calendar: &StoreCalendar,
) -> Result<Told<'a>, PostingError> {
    let placed_at = instant(newest.placed_at, calendar);
    let cancelled_at = newest.cancelled_at.map(|at| instant(at, calendar));
    let counted = versions.iter().filter(|order| !order.deleted && order.currency == newest.currency);

    let mut told = Told { movements: Vec::new(), sold: Standing::new(), current: Standing::new() };
    for (index, order) in counted.enumerate() {
        let updated_at = instant(order.updated_at, calendar);
        if index > 0 && cancelled_at.is_some_and(|cancelled_at| updated_at > cancelled_at) {
            break;
        }
        let standing = sold_by(order)?;
        for (slot, amounts) in changes(&told.current, &standing) {
            let (kind, at) = match index {
                0 => (first_kind(&slot), placed_at),
                _ => (edit_kind(&slot, amounts, told.current.get(&slot)), updated_at),
            };
            told.movements.push(Movement::new(kind, slot, at, newest.currency, amounts));
        }
        told.sold.extend(standing.iter().map(|(slot, amounts)| (slot.clone(), *amounts)));
        told.current = standing;
    }
    Ok(told)
}

fn changes(before: &Standing, after: &Standing) -> Vec<(Slot, Amounts)> {
    let gone = before.iter().filter(|(slot, _)| !after.contains_key(slot));
    let gone = gone.map(|(slot, amounts)| (slot.clone(), -*amounts));
    let kept = after
        .iter()
        .map(|(slot, amounts)| (slot.clone(), *amounts - before.get(slot).copied().unwrap_or_default()));
    gone.chain(kept).filter(|(_, amounts)| *amounts != Amounts::ZERO).collect()
}

fn cancellation<'a>(
    newest: &'a Order,
    sold: &Standing,
    standing: &Standing,
    at: Instant,
) -> Vec<Movement<'a>> {
    let taken_back = sold.iter().map(|(slot, sold)| {
        let left = sold.left_of(standing.get(slot).copied().unwrap_or_default());
        let kind = own_kind(slot).unwrap_or(EventKind::Cancel);
        Movement::new(kind, slot.clone(), at, newest.currency, -left).because(newest.cancel_reason.as_deref())
    });
    taken_back.filter(|movement| movement.amounts != Amounts::ZERO).collect()
}

/// Slots that have one kind of their own, whatever happens to them.
pub(super) fn own_kind(slot: &Slot) -> Option<EventKind> {
    match slot {
        Slot::GiftCard { .. } => Some(EventKind::GiftCardIssue),
        Slot::Duty => Some(EventKind::Duty),
        Slot::Tip => Some(EventKind::Tip),
        Slot::Fee => Some(EventKind::Fee),
        Slot::Discrepancy => Some(EventKind::RefundDiscrepancy),
        Slot::Line { .. } | Slot::BeyondLines | Slot::Shipping => None,
    }
}

fn first_kind(slot: &Slot) -> EventKind {
    own_kind(slot).unwrap_or(EventKind::Sale)
}

/// Units decide: more is an addition, fewer a removal, as many a correction of the price. A line that
/// comes or goes without units is decided by its coming or going.
fn edit_kind(slot: &Slot, change: Amounts, before: Option<&Amounts>) -> EventKind {
    if let Some(kind) = own_kind(slot) {
        return kind;
    }
    if !matches!(slot, Slot::Line { .. }) {
        return EventKind::PriceAdjust;
    }
    match change.quantity.signum() {
        1 => EventKind::EditAdd,
        -1 => EventKind::EditRemove,
        _ if before.is_none() => EventKind::EditAdd,
        _ if before.is_some_and(|before| *before == -change) => EventKind::EditRemove,
        _ => EventKind::PriceAdjust,
    }
}
