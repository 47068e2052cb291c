//! A job says what its failure means; the queue acts on it.

use std::fmt::Display;

use portolan_core::Duration;
use portolan_db::DbError;

use crate::LeaseLost;

/// Why a job did not succeed, in the words of what happens next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Runs again after a growing delay, until it has failed so often in a row without getting on as it has
    /// attempts. It rests at least as long as the other side asked for.
    #[error("{message}")]
    Retry { after: Option<Duration>, message: String },
    /// Never succeeds by itself: becomes a dead letter that a person can replay.
    #[error("{0}")]
    Fail(String),
    /// The channel asked for patience: the whole lane rests, for a day at most, and the attempt does not count.
    #[error("{message}")]
    RateLimited { after: Duration, message: String },
    /// A person has to act (a credential was refused): the lane is paused until it is resumed, and the
    /// attempt does not count.
    #[error("{0}")]
    Park(String),
    /// Nothing failed; the job goes on later. The attempt does not count.
    #[error("continues later")]
    Snooze { after: Duration },
    /// Somebody no longer wants the result.
    #[error("cancelled")]
    Cancelled,
    /// The lease went to another worker: whatever this one still holds is discarded.
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
}

/// Between two looks whether there is room on the disk again.
const REST_WHILE_FULL: Duration = Duration::from_secs(15);

impl JobError {
    pub fn retry(error: impl Display) -> Self {
        Self::Retry { after: None, message: error.to_string() }
    }

    /// [`Self::retry`], not before `after` has passed.
    pub fn retry_after(after: Duration, error: impl Display) -> Self {
        Self::Retry { after: Some(after), message: error.to_string() }
    }

    pub fn fail(error: impl Display) -> Self {
        Self::Fail(error.to_string())
    }

    pub fn rate_limited(after: Duration, error: impl Display) -> Self {
        Self::RateLimited { after, message: error.to_string() }
    }

    pub fn park(error: impl Display) -> Self {
        Self::Park(error.to_string())
    }

    pub const fn snooze(after: Duration) -> Self {
        Self::Snooze { after }
    }

    pub const fn cancelled() -> Self {
        Self::Cancelled
    }

    /// The stored name of the class.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Fail(_) => "fail",
            Self::RateLimited { .. } => "rate_limited",
            Self::Park(_) => "park",
            Self::Snooze { .. } => "snooze",
            Self::Cancelled => "cancelled",
            Self::LeaseLost(_) => "lease_lost",
        }
    }
}

/// The database's own trouble passes: the job runs again. A full disk stays until a person makes room, so it costs
/// no attempt: the lane rests, and tries again.
impl From<DbError> for JobError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Full(_) => Self::rate_limited(REST_WHILE_FULL, error),
            _ => Self::retry(error),
        }
    }
}

impl From<sea_orm::DbErr> for JobError {
    fn from(error: sea_orm::DbErr) -> Self {
        DbError::from(error).into()
    }
}
