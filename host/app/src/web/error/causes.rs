//! What the failures of the crates below mean to a person or program.

use axum::http::StatusCode;
use portolan_access::{SecondFactorError, SecretsError};
use portolan_analytics::AnalyticsError;
use portolan_connector::{Fault, FieldError};
use portolan_db::DbError;
use portolan_jobs::PutScheduleError;

use super::AppError;

impl From<sea_orm::DbErr> for AppError {
    fn from(error: sea_orm::DbErr) -> Self {
        DbError::from(error).into()
    }
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Conflict(_) | DbError::Contended(_) => {
                Self::conflict("Somebody else changed this at the same moment. Reload and try again.")
            }
            DbError::Full(_) => Self::disk_full(error),
            DbError::Unavailable(_) => Self::unavailable(
                "The database does not answer. Nothing was lost; try again in a moment.",
                error,
            ),
            other => Self::internal(other),
        }
    }
}

/// Times and rhythms that people write are checked before: a schedule of the product's own that is refused is our mistake.
impl From<PutScheduleError> for AppError {
    fn from(error: PutScheduleError) -> Self {
        match error {
            PutScheduleError::Database(error) => error.into(),
            PutScheduleError::Invalid(_) => Self::internal(error),
        }
    }
}

impl From<SecretsError> for AppError {
    fn from(error: SecretsError) -> Self {
        match error {
            SecretsError::Database(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl From<SecondFactorError> for AppError {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Refused => Self::invalid(
                "code",
                "The code is not right, was used already, or there were too many tries. Wait for the next one.",
            ),
            SecondFactorError::AlreadyOn => {
                Self::conflict("A second factor is on already. Switch it off before you set up another one.")
            }
            SecondFactorError::NotOn => Self::conflict("There is no second factor. Set one up first."),
            SecondFactorError::Secrets(error) => error.into(),
        }
    }
}

impl From<AnalyticsError> for AppError {
    fn from(error: AnalyticsError) -> Self {
        match error {
            AnalyticsError::Invalid { pointer, message } => Self::invalid(&pointer, message),
            AnalyticsError::Closed { pointer, message } => {
                let mut error = Self::closed(message.clone());
                error.fields = vec![FieldError { path: pointer, message }];
                error
            }
            other => Self::internal(other),
        }
    }
}

/// A plugin's fault, told to the person who asked for a check. Retryable ones blame the channel.
impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::InvalidConfig { fields } => Self::invalid_fields(fields),
            Fault::Auth { detail, .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "channel_refused_credentials",
                format!("The channel refused the credentials: {detail}. Enter them again."),
            ),
            other => Self::new(StatusCode::BAD_GATEWAY, "channel_failed", format!("{other}.")),
        }
    }
}
