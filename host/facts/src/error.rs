//! What can go wrong with parts and questions.

use std::io;
use std::path::{Path, PathBuf};

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use portolan_analytics::AnalyticsError;
use portolan_db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    #[error("database failed")]
    Database(#[from] DbError),
    #[error("engine failed")]
    Engine(#[from] DataFusionError),
    #[error("failed to build columns")]
    Arrow(#[from] ArrowError),
    #[error("failed to write or read a part")]
    Parquet(#[from] ParquetError),
    #[error("failed to use {path}")]
    File { path: PathBuf, source: io::Error },
    /// What is stored is not what was stored: a row that says what nobody could have written, a part that is gone.
    #[error("{0}")]
    Damaged(String),
    /// The thread that wrote a part went away.
    #[error("background work was stopped")]
    Stopped,
}

impl FactsError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}

impl From<FactsError> for AnalyticsError {
    fn from(error: FactsError) -> Self {
        match &error {
            FactsError::Engine(engine) if is_exhausted(engine) => Self::TooLarge,
            _ => Self::engine(error),
        }
    }
}

/// How the engine says that the space on disk is used up, when it says so in words alone.
const SPILL_LIMIT: &str = "spilling process has exceeded the allowable limit";

fn is_exhausted(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => true,
        // Writing spilled rows turns the error into one of input and output, of which the text is left.
        other => other.to_string().contains(SPILL_LIMIT),
    }
}
