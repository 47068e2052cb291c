//! The kinds of ledger event, their stored names, and what each means to a metric.
//!
//! Every kind belongs to exactly one of three classes, so that
//! `net_sales = gross_sales − discounts − returns` holds exactly, whatever was edited:
//!
//! | class | kinds | feeds |
//! |---|---|---|
//! | [`is_sale_or_edit`](EventKind::is_sale_or_edit) | sale, edit_add, price_adjust | `gross_sales` = Σ gross, `discounts` = Σ discount |
//! | [`is_reversal`](EventKind::is_reversal) | edit_remove, cancel, return, refund_line, refund_shipping, refund_discrepancy | `returns` = −Σ (gross − discount) |
//! | neither | tip, duty, fee, gift_card_issue, gift_card_redeem | gross and discount are always 0 |
//!
//! An `edit_remove` is an edit and takes back value; it counts once, as a reversal. A `price_adjust`
//! corrects what was charged without taking units back: it counts in gross sales and discounts, with its
//! sign. A negated copy keeps the kind of the event that it takes back, so both vanish from every sum.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What happened. The names are stored and part of the public vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A line as first sold; also the order's shipping charge (with `shipping_minor` alone), and what an
    /// order's own gross exceeds its lines by (without a line).
    Sale,
    /// Units or value added to an order after it was placed.
    EditAdd,
    /// Units or value taken out of an order by an edit.
    EditRemove,
    /// A price, discount, tax or shipping charge corrected without a change of units.
    PriceAdjust,
    /// Taken back from an order that is cancelled: what still stood of its lines and shipping at its
    /// cancellation, and what refunds took back of its lines, whenever they did. So no unit of a
    /// cancelled order is left to make it count, and none counts as a return.
    Cancel,
    /// Goods returned, refunded line by line, of an order that is not cancelled.
    Return,
    /// Value of a line refunded without its goods coming back.
    RefundLine,
    RefundShipping,
    /// What was refunded beyond or below the lines.
    RefundDiscrepancy,
    Tip,
    Duty,
    /// Fees charged to the buyer, and what a document's total holds beyond its named parts.
    Fee,
    /// A gift card sold, or (negative) its price refunded: money owed, not sales.
    GiftCardIssue,
    GiftCardRedeem,
}

/// The text names no kind of ledger event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of ledger event")]
pub struct UnknownEventKind(pub String);

impl EventKind {
    /// Every kind, in the order of an order's life.
    pub const ALL: [Self; 14] = [
        Self::Sale,
        Self::EditAdd,
        Self::EditRemove,
        Self::PriceAdjust,
        Self::Cancel,
        Self::Return,
        Self::RefundLine,
        Self::RefundShipping,
        Self::RefundDiscrepancy,
        Self::Tip,
        Self::Duty,
        Self::Fee,
        Self::GiftCardIssue,
        Self::GiftCardRedeem,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::EditAdd => "edit_add",
            Self::EditRemove => "edit_remove",
            Self::PriceAdjust => "price_adjust",
            Self::Cancel => "cancel",
            Self::Return => "return",
            Self::RefundLine => "refund_line",
            Self::RefundShipping => "refund_shipping",
            Self::RefundDiscrepancy => "refund_discrepancy",
            Self::Tip => "tip",
            Self::Duty => "duty",
            Self::Fee => "fee",
            Self::GiftCardIssue => "gift_card_issue",
            Self::GiftCardRedeem => "gift_card_redeem",
        }
    }

    /// Feeds `gross_sales` (Σ gross), `discounts` (Σ discount) and `units_ordered` (Σ quantity).
    pub const fn is_sale_or_edit(self) -> bool {
        matches!(self, Self::Sale | Self::EditAdd | Self::PriceAdjust)
    }

    /// Feeds `returns` (−Σ (gross − discount)) and the units that `units_net` subtracts.
    pub const fn is_reversal(self) -> bool {
        matches!(
            self,
            Self::EditRemove
                | Self::Cancel
                | Self::Return
                | Self::RefundLine
                | Self::RefundShipping
                | Self::RefundDiscrepancy
        )
    }

    /// Whether its units decide that an order counts: an order is counted while the units of these
    /// events stand above zero. Edits and the cancellation are among them, returns are not: a returned
    /// order was an order, a cancelled one was not. Gift cards alone make no order.
    pub const fn decides_order(self) -> bool {
        matches!(self, Self::Sale | Self::EditAdd | Self::EditRemove | Self::PriceAdjust | Self::Cancel)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownEventKind(text.chars().take(40).collect()))
    }
}
