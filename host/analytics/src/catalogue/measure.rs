//! The atoms of every metric: exact integer sums that the engine computes and metrics combine.
//!
//! Gross, discounts and returns split the ledger by the classes of [`EventKind`], so that
//! net = gross − discounts − returns holds exactly whatever a channel reports. Payments, refunds, disputes and
//! fees split the balance by [`BalanceCategory`], and what is left are other movements and payouts: so the balance is
//! always the sum of its parts.

use portolan_commerce::cash::{BalanceCategory, DisputeState};
use portolan_commerce::ledger::EventKind;

use crate::Fact;

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
    FxGainLoss,
    UnitsOrderedMilli,
    UnitsReversedMilli,
    Orders,
    DiscountedOrders,
    Customers,
    NewCustomers,
    ReturningCustomers,
    RepeatCustomers,
    Cost,
    GrossPayments,
    PaymentRefunds,
    DisputedPayments,
    PaymentFees,
    OtherMovements,
    Payouts,
    /// The rest counts and sums by the date of the payment, whatever date was asked.
    PaymentCount,
    PaidInPeriod,
    DisputeCount,
    DisputedOfPeriod,
    DisputesWon,
    DisputesLost,
}

/// How many measures there are: the width of an accumulator row.
pub const MEASURE_COUNT: usize = Measure::DisputesLost as usize + 1;

/// Which question to the ledger yields a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A signed sum over ledger events, by kind.
    Flow,
    /// A count of orders that stand.
    Order,
    /// A count of customers with an order that stands.
    Customer,
    /// A signed sum over movements of a provider's balance, by category.
    Cash,
    /// The same, always by the date of the payment.
    Payment,
}

impl Source {
    pub const ALL: [Self; 5] = [Self::Flow, Self::Order, Self::Customer, Self::Cash, Self::Payment];

    /// The table that it asks.
    pub const fn fact(self) -> Fact {
        match self {
            Self::Flow | Self::Order | Self::Customer => Fact::Sales,
            Self::Cash | Self::Payment => Fact::Cash,
        }
    }

    /// Sums of events: what rows of any breakdown add up to.
    pub const fn is_sum(self) -> bool {
        !matches!(self, Self::Order | Self::Customer)
    }
}

/// Which kinds of events a term sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    All,
    /// What was sold, added or corrected.
    Forward,
    Reversal,
    Only(EventKind),
    /// Movements of a balance of these categories.
    Of(&'static [BalanceCategory]),
    /// Sent to the bank, less what came back of it.
    Payouts,
    /// Whatever is no payment, refund, dispute, fee or payout.
    Others,
    /// Money taken by disputes that were won.
    DisputesWon,
    /// By disputes that were lost or accepted.
    DisputesLost,
}

/// The categories that metrics of their own are about.
const OF_PAYMENTS: [BalanceCategory; 7] = [
    BalanceCategory::Sale,
    BalanceCategory::Refund,
    BalanceCategory::Dispute,
    BalanceCategory::DisputeReversal,
    BalanceCategory::Fee,
    BalanceCategory::FeeRefund,
    BalanceCategory::TaxOnFee,
];

/// What an event says of itself: by it terms choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    Sold(EventKind),
    Moved {
        category: BalanceCategory,
        dispute: Option<DisputeState>,
        /// Payout by payout: money that a bank sent back of another payout, and that this one pays out again.
        returned: bool,
    },
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
    Cost,
    /// What a balance gained before the fee.
    Amount,
    /// One for an event, minus one for a negated copy: so that they can be counted.
    Events,
    /// The same for events that brought money, and nothing for the others: a payment that bounces is one, not two.
    Incoming,
    /// Net sales at the rate of the event's own day less those at the rate of its order's, in the display currency.
    FxGainLoss,
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
            Self::Cost => "cost_minor",
            Self::Amount => "amount_minor",
            Self::Events => "events",
            Self::Incoming => "incoming",
            Self::FxGainLoss => "fx_gain_loss_minor",
        }
    }

    /// Whether it is an amount of a currency; else it counts.
    pub const fn is_money(self) -> bool {
        !matches!(self, Self::Quantity | Self::Events | Self::Incoming)
    }
}

impl Kinds {
    pub fn include(self, happened: Happened) -> bool {
        match (self, happened) {
            (Self::All, _) => true,
            (Self::Forward, Happened::Sold(kind)) => kind.is_sale_or_edit(),
            (Self::Reversal, Happened::Sold(kind)) => kind.is_reversal(),
            (Self::Only(only), Happened::Sold(kind)) => kind == only,
            (Self::Of(listed), Happened::Moved { category, .. }) => listed.contains(&category),
            (Self::Payouts, Happened::Moved { category, returned, .. }) => category.is_payout() && !returned,
            (Self::Others, Happened::Moved { category, returned, .. }) => {
                returned || !(category.is_payout() || OF_PAYMENTS.contains(&category))
            }
            (Self::DisputesWon, Happened::Moved { dispute, .. }) => dispute == Some(DisputeState::Won),
            (Self::DisputesLost, Happened::Moved { dispute, .. }) => {
                dispute.is_some_and(DisputeState::is_lost)
            }
            _ => false,
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
            Self::GrossPayments
            | Self::PaymentRefunds
            | Self::DisputedPayments
            | Self::PaymentFees
            | Self::OtherMovements
            | Self::Payouts => Source::Cash,
            Self::PaymentCount
            | Self::PaidInPeriod
            | Self::DisputeCount
            | Self::DisputedOfPeriod
            | Self::DisputesWon
            | Self::DisputesLost => Source::Payment,
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
                | Self::FxGainLoss
                | Self::Cost
                | Self::GrossPayments
                | Self::PaymentRefunds
                | Self::DisputedPayments
                | Self::PaymentFees
                | Self::OtherMovements
                | Self::Payouts
                | Self::PaidInPeriod
                | Self::DisputedOfPeriod
        )
    }

    /// The terms of a flow; empty for counts.
    pub const fn terms(self) -> &'static [Term] {
        use BalanceCategory::{Dispute, DisputeReversal, Fee as FeeEntry, FeeRefund, Refund, Sale, TaxOnFee};
        use FlowColumn::{
            Amount, Cost, Discount, Duty, Events, Fee, GiftCard, Gross, Incoming, Quantity, Shipping,
            ShippingTax, Tax, Tip,
        };
        use Kinds::{All, DisputesLost, DisputesWon, Forward, Of, Only, Others, Payouts, Reversal};
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
            Self::FxGainLoss => const { &[plus(FlowColumn::FxGainLoss, All)] },
            Self::UnitsOrderedMilli => const { &[plus(Quantity, Forward)] },
            Self::UnitsReversedMilli => const { &[minus(Quantity, Reversal)] },
            // Gift cards are no goods: what they cost is in no sale.
            Self::Cost => const { &[plus(Cost, Forward), plus(Cost, Reversal)] },
            Self::GrossPayments | Self::PaidInPeriod => const { &[plus(Amount, Of(&[Sale]))] },
            Self::PaymentRefunds => const { &[minus(Amount, Of(&[Refund]))] },
            Self::DisputedPayments => const { &[minus(Amount, Of(&[Dispute, DisputeReversal]))] },
            Self::PaymentFees => {
                const { &[plus(Fee, All), minus(Amount, Of(&[FeeEntry, TaxOnFee, FeeRefund]))] }
            }
            Self::OtherMovements => const { &[plus(Amount, Others)] },
            Self::Payouts => const { &[minus(Amount, Payouts)] },
            Self::PaymentCount => const { &[plus(Incoming, Of(&[Sale]))] },
            Self::DisputeCount => const { &[plus(Events, Of(&[Dispute]))] },
            Self::DisputedOfPeriod => const { &[minus(Amount, Of(&[Dispute]))] },
            Self::DisputesWon => const { &[plus(Events, DisputesWon)] },
            Self::DisputesLost => const { &[plus(Events, DisputesLost)] },
            Self::Orders
            | Self::DiscountedOrders
            | Self::Customers
            | Self::NewCustomers
            | Self::ReturningCustomers
            | Self::RepeatCustomers => &[],
        }
    }

    /// What events of which this happened, with these column sums, add to this measure.
    pub fn contribution(self, happened: Happened, sum_of: impl Fn(FlowColumn) -> i128) -> i128 {
        self.terms()
            .iter()
            .filter(|term| term.kinds.include(happened))
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
