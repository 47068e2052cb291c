//! What can go wrong with a question, in words that say what to do.

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// The question itself is at fault; `pointer` is a JSON pointer into it.
    #[error("{message}")]
    Invalid { pointer: String, message: String },
    /// It is about what is kept from whoever asks.
    #[error("{message}")]
    Closed { pointer: String, message: String },
    /// It needs more memory than one question may take.
    #[error(
        "This question needs more memory than one question may use: choose a shorter range or fewer breakdowns."
    )]
    TooLarge,
    /// A sum of money does not fit into 64 bits of minor units.
    #[error("The sum of {metric} is too large to show in {currency}: choose a shorter range.")]
    Overflow { metric: &'static str, currency: String },
    /// The tenant has no ledger.
    #[error("tenant not found")]
    UnknownTenant,
    /// The engine or the database failed; nothing about the question helps.
    #[error("analytics engine failed: {0}")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AnalyticsError {
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), message: message.into() }
    }

    pub fn closed(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Closed { pointer: pointer.into(), message: message.into() }
    }

    pub fn engine(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Engine(error.into())
    }
}
