//! Contested payments in one vocabulary: where a dispute is, how it stands, and why it was opened.
//!
//! Connectors tell these words; the usual names that providers give to the same are understood, too.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::word::plain;

/// How far a dispute has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputePhase {
    /// The buyer asks; no money has moved.
    Inquiry,
    Chargeback,
    PreArbitration,
    Arbitration,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    /// The seller gave in.
    Accepted,
    /// Ended without a word about who won.
    Closed,
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
}

/// Why a payment is contested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    Fraud,
    NotReceived,
    NotAsDescribed,
    Duplicate,
    CreditNotProcessed,
    CancelledSubscription,
    Unrecognised,
    AmountDiffers,
    Other,
}

/// The text names no state of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a dispute")]
pub struct UnknownDisputeState(pub String);

impl DisputePhase {
    /// `None` where nobody knows the word.
    pub fn named(word: &str) -> Option<Self> {
        Some(match plain(word).as_str() {
            "inquiry" | "warning" | "retrieval" => Self::Inquiry,
            "chargeback" | "dispute" => Self::Chargeback,
            "pre-arbitration" | "prearbitration" => Self::PreArbitration,
            "arbitration" => Self::Arbitration,
            _ => return None,
        })
    }
}

impl DisputeState {
    pub const ALL: [Self; 9] = [
        Self::NeedsResponse,
        Self::UnderReview,
        Self::Won,
        Self::Lost,
        Self::Accepted,
        Self::Closed,
        Self::WarningNeedsResponse,
        Self::WarningUnderReview,
        Self::WarningClosed,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Accepted => "accepted",
            Self::Closed => "closed",
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
        }
    }

    /// `None` where nobody knows the word: it then counts as neither won nor lost.
    pub fn named(word: &str) -> Option<Self> {
        let word = plain(word);
        if let Some(state) = Self::ALL.into_iter().find(|state| plain(state.as_str()) == word) {
            return Some(state);
        }
        Some(match word.as_str() {
            "open" | "evidence-required" | "waiting-for-seller-response" => Self::NeedsResponse,
            "processing" | "waiting-for-buyer-response" => Self::UnderReview,
            "inquiry-evidence-required" => Self::WarningNeedsResponse,
            "inquiry-processing" => Self::WarningUnderReview,
            "inquiry-closed" => Self::WarningClosed,
            "resolved" | "charge-refunded" => Self::Closed,
            _ => return None,
        })
    }

    /// The money is gone for good, also where the seller gave in.
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Lost | Self::Accepted)
    }
}

impl fmt::Display for DisputeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DisputeState {
    type Err = UnknownDisputeState;

    /// Reads the stored name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownDisputeState(text.chars().take(40).collect()))
    }
}

impl DisputeReason {
    /// What a word means; a reason that nobody knows is [`Other`](Self::Other).
    pub fn named(word: &str) -> Self {
        match plain(word).as_str() {
            "fraud" | "fraudulent" | "no-cardholder-authorization" | "unauthorised" | "unauthorized" => {
                Self::Fraud
            }
            "not-received" | "product-not-received" | "merchandise-or-service-not-received" => {
                Self::NotReceived
            }
            "not-as-described" | "product-unacceptable" | "merchandise-or-service-not-as-described" => {
                Self::NotAsDescribed
            }
            "duplicate" | "duplicate-transaction" => Self::Duplicate,
            "credit-not-processed" | "customer-requests-credit" => Self::CreditNotProcessed,
            "cancelled-subscription"
            | "canceled-subscription"
            | "subscription-canceled"
            | "cancelled"
            | "canceled-recurring-billing" => Self::CancelledSubscription,
            "unrecognised" | "unrecognized" | "not-recognized" => Self::Unrecognised,
            "amount-differs" | "incorrect-amount" => Self::AmountDiffers,
            _ => Self::Other,
        }
    }
}
