//! What is odd about an order's documents. It is posted as it is told, and reported here.

use std::collections::BTreeMap;

use portolan_core::{Currency, StoreCalendar};

use super::amounts::Slot;
use super::facts::{OrderFacts, PostingError, order_versions, quantity_milli, standing_refunds};
use super::history::tell;

/// Something that people should look at. Nothing was left out or cut because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// More units of a line were refunded than were sold.
    RefundedBeyondSold { order_key: String, line_key: String, sold_milli: i128, refunded_milli: i128 },
    /// A refund is in another currency than its order: both stand, and don't net.
    RefundInOtherCurrency { order_key: String, refund_key: String, order: Currency, refund: Currency },
    /// The order's gross differs from that of its lines: the difference stands without a line.
    GrossBeyondLines { order_key: String, difference_minor: i128 },
    /// The order's total differs from its parts: the difference stands as a fee.
    TotalBeyondParts { order_key: String, difference_minor: i128 },
}

/// What is odd about an order as it is now. Of an order that has not been seen, nothing can be said.
pub fn findings(facts: &OrderFacts<'_>, calendar: &StoreCalendar) -> Result<Vec<Finding>, PostingError> {
    let versions = order_versions(facts, calendar);
    let Some(newest) = versions.last().filter(|order| !order.deleted) else {
        return Ok(Vec::new());
    };
    let told = tell(&versions, newest, calendar)?;
    let order_key = || newest.key.clone();
    let mut findings = Vec::new();
    if let Some(beyond) = told.current.get(&Slot::BeyondLines).filter(|beyond| beyond.gross != 0) {
        findings.push(Finding::GrossBeyondLines { order_key: order_key(), difference_minor: beyond.gross });
    }
    if let Some(beyond) = told.current.get(&Slot::Fee) {
        findings.push(Finding::TotalBeyondParts { order_key: order_key(), difference_minor: beyond.fee });
    }

    let mut refunded: BTreeMap<&str, i128> = BTreeMap::new();
    for refund in standing_refunds(facts, Some(&newest.key), calendar) {
        if refund.currency != newest.currency {
            findings.push(Finding::RefundInOtherCurrency {
                order_key: order_key(),
                refund_key: refund.key.clone(),
                order: newest.currency,
                refund: refund.currency,
            });
        }
        for line in &refund.lines {
            *refunded.entry(&line.line).or_default() +=
                quantity_milli(&refund.key, &line.line, line.quantity)?;
        }
    }
    for (line_key, refunded_milli) in refunded {
        let of_line = told.current.iter().filter(|(slot, _)| slot.line_key() == Some(line_key));
        let sold_milli: i128 = of_line.map(|(_, amounts)| amounts.quantity).sum();
        if refunded_milli > sold_milli.max(0) {
            let line_key = line_key.to_owned();
            findings.push(Finding::RefundedBeyondSold {
                order_key: order_key(),
                line_key,
                sold_milli,
                refunded_milli,
            });
        }
    }
    Ok(findings)
}
