//! The atoms of every metric: exact integer sums that the engine computes and metrics combine.
//!
//! Gross, discounts and returns split the ledger by the classes of [`EventKind`], so that
//! net = gross − discounts − returns holds exactly whatever a channel reports.

use portolan_commerce::ledger::EventKind;

/// An exact integer: minor units, thousandths of units, or a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Measure {
    GrossSales,
    Discounts,
    Returns,
    Shipping,
    Taxes,
    Duties,
    Tips,
    Fees,
    GiftCardIssued,
    GiftCardRedeemed,
    UnitsOrderedMilli,
    UnitsReversedMilli,
    Orders,
    DiscountedOrders,
    Customers,
    NewCustomers,
    ReturningCustomers,
    RepeatCustomers,
}

/// How many measures there are: the width of an accumulator row.
pub const MEASURE_COUNT: usize = Measure::RepeatCustomers as usize + 1;

/// Which question to the ledger yields a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A signed sum over ledger events, by kind.
    Flow,
    /// A count of orders that stand.
    Order,
    /// A count of customers with an order that stands.
    Customer,
}

/// Which kinds of events a term sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    All,
    /// What was sold, added or corrected.
    Forward,
    Reversal,
    Only(EventKind),
}

/// `sign` × the sum of `column` over `kinds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub column: FlowColumn,
    pub sign: i8,
    pub kinds: Kinds,
}

/// The ledger columns that flows are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FlowColumn {
    Quantity,
    Gross,
    Discount,
    Tax,
    Shipping,
    ShippingTax,
    Duty,
    Tip,
    Fee,
    GiftCard,
}

impl FlowColumn {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quantity => "quantity_milli",
            Self::Gross => "gross_minor",
            Self::Discount => "discount_minor",
            Self::Tax => "tax_minor",
            Self::Shipping => "shipping_minor",
            Self::ShippingTax => "shipping_tax_minor",
            Self::Duty => "duty_minor",
            Self::Tip => "tip_minor",
            Self::Fee => "fee_minor",
            Self::GiftCard => "gift_card_minor",
        }
    }
}

impl Kinds {
    pub fn include(self, kind: EventKind) -> bool {
        match self {
            Self::All => true,
            Self::Forward => kind.is_sale_or_edit(),
            Self::Reversal => kind.is_reversal(),
            Self::Only(only) => kind == only,
        }
    }
}

impl Measure {
    pub const fn index(self) -> usize {
        self as usize
    }

    pub const fn source(self) -> Source {
        match self {
            Self::Orders | Self::DiscountedOrders => Source::Order,
            Self::Customers | Self::NewCustomers | Self::ReturningCustomers | Self::RepeatCustomers => {
                Source::Customer
            }
            _ => Source::Flow,
        }
    }

    /// Money is never added across currencies; units and counts may be.
    pub const fn is_money(self) -> bool {
        matches!(
            self,
            Self::GrossSales
                | Self::Discounts
                | Self::Returns
                | Self::Shipping
                | Self::Taxes
                | Self::Duties
                | Self::Tips
                | Self::Fees
                | Self::GiftCardIssued
                | Self::GiftCardRedeemed
        )
    }

    /// The terms of a flow; empty for counts.
    pub const fn terms(self) -> &'static [Term] {
        use FlowColumn::{Discount, Duty, Fee, GiftCard, Gross, Quantity, Shipping, ShippingTax, Tax, Tip};
        use Kinds::{All, Forward, Only, Reversal};
        match self {
            Self::GrossSales => const { &[plus(Gross, Forward)] },
            Self::Discounts => const { &[plus(Discount, Forward)] },
            Self::Returns => const { &[minus(Gross, Reversal), plus(Discount, Reversal)] },
            Self::Shipping => const { &[plus(Shipping, All)] },
            Self::Taxes => const { &[plus(Tax, All), plus(ShippingTax, All)] },
            Self::Duties => const { &[plus(Duty, All)] },
            Self::Tips => const { &[plus(Tip, All)] },
            Self::Fees => const { &[plus(Fee, All)] },
            Self::GiftCardIssued => const { &[plus(GiftCard, Only(EventKind::GiftCardIssue))] },
            Self::GiftCardRedeemed => const { &[minus(GiftCard, Only(EventKind::GiftCardRedeem))] },
            Self::UnitsOrderedMilli => const { &[plus(Quantity, Forward)] },
            Self::UnitsReversedMilli => const { &[minus(Quantity, Reversal)] },
            _ => &[],
        }
    }

    /// What events of `kind`, with these column sums, add to this measure.
    pub fn contribution(self, kind: EventKind, sum_of: impl Fn(FlowColumn) -> i128) -> i128 {
        self.terms()
            .iter()
            .filter(|term| term.kinds.include(kind))
            .map(|term| i128::from(term.sign) * sum_of(term.column))
            .sum()
    }
}

const fn plus(column: FlowColumn, kinds: Kinds) -> Term {
    Term { column, sign: 1, kinds }
}

const fn minus(column: FlowColumn, kinds: Kinds) -> Term {
    Term { column, sign: -1, kinds }
}
