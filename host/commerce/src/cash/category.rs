//! What an entry of a provider's balance is, in one vocabulary for all providers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::word::plain;

/// What moved the balance. The names are stored and part of the public vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceCategory {
    /// A buyer's payment.
    Sale,
    /// Given back to a buyer.
    Refund,
    /// Taken away because a buyer contests the payment.
    Dispute,
    /// Given back after a dispute, won or withdrawn.
    DisputeReversal,
    /// Charged by the provider in an entry of its own, beside the fees that entries carry.
    Fee,
    FeeRefund,
    TaxOnFee,
    /// Exchanged from one balance to another.
    Fx,
    ReserveHold,
    ReserveRelease,
    Adjustment,
    /// Between accounts at the provider.
    Transfer,
    /// Sent to the bank.
    Payout,
    /// Came back from the bank.
    PayoutReversal,
    Loan,
    Ads,
    ShippingLabel,
    Subscription,
    /// None of these, or a word that the ledger does not know.
    Other,
}

/// The text names no category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no category of balance entries")]
pub struct UnknownBalanceCategory(pub String);

impl BalanceCategory {
    pub const ALL: [Self; 19] = [
        Self::Sale,
        Self::Refund,
        Self::Dispute,
        Self::DisputeReversal,
        Self::Fee,
        Self::FeeRefund,
        Self::TaxOnFee,
        Self::Fx,
        Self::ReserveHold,
        Self::ReserveRelease,
        Self::Adjustment,
        Self::Transfer,
        Self::Payout,
        Self::PayoutReversal,
        Self::Loan,
        Self::Ads,
        Self::ShippingLabel,
        Self::Subscription,
        Self::Other,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            Self::Fee => "fee",
            Self::FeeRefund => "fee_refund",
            Self::TaxOnFee => "tax_on_fee",
            Self::Fx => "fx",
            Self::ReserveHold => "reserve_hold",
            Self::ReserveRelease => "reserve_release",
            Self::Adjustment => "adjustment",
            Self::Transfer => "transfer",
            Self::Payout => "payout",
            Self::PayoutReversal => "payout_reversal",
            Self::Loan => "loan",
            Self::Ads => "ads",
            Self::ShippingLabel => "shipping_label",
            Self::Subscription => "subscription",
            Self::Other => "other",
        }
    }

    /// What a connector's word means, whatever its case and separators; `None` where the ledger does not
    /// know it.
    pub fn named(word: &str) -> Option<Self> {
        let word = plain(word);
        Self::ALL.into_iter().find(|category| plain(category.as_str()) == word)
    }

    /// What an entry told by this word is posted as; see [`findings`](super::findings) for who should know.
    pub fn posted(word: &str) -> Self {
        Self::named(word).unwrap_or(Self::Other)
    }

    /// Money on its way to the bank, or back: what the other entries of a payout add up to.
    pub const fn is_payout(self) -> bool {
        matches!(self, Self::Payout | Self::PayoutReversal)
    }
}

impl fmt::Display for BalanceCategory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for BalanceCategory {
    type Err = UnknownBalanceCategory;

    /// Reads the stored name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == text)
            .ok_or_else(|| UnknownBalanceCategory(text.chars().take(40).collect()))
    }
}
