//! The two ledgers, as tables of facts that questions are about.

/// A table of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// What was sold.
    Sales,
    /// What it did to a provider's balance.
    Cash,
}

impl Fact {
    pub const ALL: [Self; 2] = [Self::Sales, Self::Cash];

    /// Its name in statements, and where its parts are listed.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Sales => "sale_events",
            Self::Cash => "cash_events",
        }
    }

    /// In sentences: "… is about sales".
    pub(crate) const fn subject(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::Cash => "payments",
        }
    }

    /// By which key its rows are posted: rows of one key lie together in parts.
    pub const fn ledger_key(self) -> &'static str {
        match self {
            Self::Sales => "order_key",
            Self::Cash => "payment_key",
        }
    }
}
