//! What a metric can be cut by, and which ledger columns that takes.

use serde::{Deserialize, Serialize};

use crate::Fact;

/// A way to cut a metric, besides time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The kind of place that sells: all connections through one connector.
    Channel,
    /// One account at a channel.
    Connection,
    /// The channel's own sales channel ("web", "pos").
    SalesChannel,
    Store,
    Product,
    Country,
    Currency,
    /// Whether the event's order was its customer's first.
    NewReturning,
    /// What happened: sale, return, cancel...
    Kind,
    /// What moved a balance: payment, refund, fee...
    BalanceCategory,
    PaymentMethod,
    Payout,
}

/// A column by which the engine groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Period,
    Connection,
    SalesChannel,
    Store,
    Product,
    Country,
    Currency,
    Standing,
    Kind,
    Category,
    Method,
    Payout,
    DisputeState,
    /// Whether a bank sent the money back of another payout than the one it is in now.
    Returned,
}

impl Dimension {
    pub const ALL: &'static [Self] = &[
        Self::Channel,
        Self::Connection,
        Self::SalesChannel,
        Self::Store,
        Self::Product,
        Self::Country,
        Self::Currency,
        Self::NewReturning,
        Self::Kind,
        Self::BalanceCategory,
        Self::PaymentMethod,
        Self::Payout,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Connection => "connection",
            Self::SalesChannel => "sales_channel",
            Self::Store => "store",
            Self::Product => "product",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::NewReturning => "new_returning",
            Self::Kind => "kind",
            Self::BalanceCategory => "balance_category",
            Self::PaymentMethod => "payment_method",
            Self::Payout => "payout",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Channel => "Channel",
            Self::Connection => "Connection",
            Self::SalesChannel => "Sales channel",
            Self::Store => "Store",
            Self::Product => "Product",
            Self::Country => "Country",
            Self::Currency => "Currency",
            Self::NewReturning => "New or returning",
            Self::Kind => "Kind of event",
            Self::BalanceCategory => "Balance category",
            Self::PaymentMethod => "Payment method",
            Self::Payout => "Payout",
        }
    }

    pub const fn description(self) -> &'static str {
        match self {
            Self::Channel => "The kind of place that sells; all connections through one connector together.",
            Self::Connection => "One account at a channel.",
            Self::SalesChannel => "The sales channel inside a connection, as the source names it.",
            Self::Store => "The store inside a connection.",
            Self::Product => "The product, by the connection's own key.",
            Self::Country => "The country the order went to, as the source tells it.",
            Self::Currency => "The currency of the amounts. Amounts of unlike currencies are never added.",
            Self::NewReturning => {
                "New: the event's order is its customer's first in the whole ledger. Returning: it came after the first. \
                 Unknown: no customer, or no order."
            }
            Self::Kind => "What happened: sale, edit, cancellation, return, refund...",
            Self::BalanceCategory => "What moved a provider's balance: sale, refund, dispute, fee, payout...",
            Self::PaymentMethod => "How the buyer paid, as the provider names it.",
            Self::Payout => "The transfer to the bank, by the provider's own key. Unknown: not paid out yet.",
        }
    }

    /// Whether rows of this table have it.
    pub const fn is_of(self, fact: Fact) -> bool {
        match self {
            Self::Channel | Self::Connection | Self::Currency => true,
            Self::BalanceCategory | Self::PaymentMethod | Self::Payout => matches!(fact, Fact::Cash),
            Self::SalesChannel
            | Self::Store
            | Self::Product
            | Self::Country
            | Self::NewReturning
            | Self::Kind => matches!(fact, Fact::Sales),
        }
    }

    /// Whether its values are unique within a connection only, and named with it.
    pub(crate) const fn is_of_connection(self) -> bool {
        matches!(self, Self::Store | Self::Product | Self::Payout)
    }

    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dimension| dimension.id() == id)
    }

    pub(crate) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Channel | Self::Connection => &[Key::Connection],
            Self::SalesChannel => &[Key::SalesChannel],
            Self::Store => &[Key::Connection, Key::Store],
            Self::Product => &[Key::Connection, Key::Product],
            Self::Country => &[Key::Country],
            Self::Currency => &[Key::Currency],
            Self::NewReturning => &[Key::Standing],
            Self::Kind => &[Key::Kind],
            Self::BalanceCategory => &[Key::Category],
            Self::PaymentMethod => &[Key::Method],
            Self::Payout => &[Key::Connection, Key::Payout],
        }
    }
}

impl Key {
    /// Whether a ledger has few of its values, so that their combinations are few, too.
    pub(crate) const fn is_small(self) -> bool {
        !matches!(self, Self::Product | Self::Payout)
    }

    /// The column's name in every statement.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Connection => "connection_id",
            Self::SalesChannel => "channel",
            Self::Store => "store_key",
            Self::Product => "product_key",
            Self::Country => "country",
            Self::Currency => "currency",
            Self::Standing => "standing",
            Self::Kind => "kind",
            Self::Category => "category",
            Self::Method => "method",
            Self::Payout => "payout_key",
            Self::DisputeState => "dispute_state",
            Self::Returned => "returned",
        }
    }
}
