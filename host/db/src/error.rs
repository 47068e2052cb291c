//! What can go wrong with the database, in the words of what a caller can do about it.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failed database operation. Nothing of its transaction has been kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// Try again later: the database is away, or too busy to hand out a connection.
    #[error("the database cannot be reached: {0}")]
    Unavailable(DbErr),
    /// Try again at once: another transaction was in the way.
    #[error("another transaction was in the way: {0}")]
    Contended(DbErr),
    /// A row with this key exists already, or the row it belongs to does not.
    #[error("the row contradicts another row: {0}")]
    Conflict(DbErr),
    /// Make room, then try again.
    #[error("the database's disk is full: free some space, then try again ({0})")]
    Full(DbErr),
    /// The row to change is not there.
    #[error("the row is not there: {0}")]
    Missing(DbErr),
    /// The database is set up in a way that could lose acknowledged data.
    #[error("the database is not safe to use: {0}")]
    Unsafe(String),
    #[error("the database refused: {0}")]
    Other(DbErr),
}

impl DbError {
    /// Whether a unique key was violated: the row exists already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Conflict(error) if is_unique_violation(error))
    }

    /// Whether the same work may succeed when it is simply done again.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Contended(_))
    }
}

fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        if error.sql_err().is_some() {
            return Self::Conflict(error);
        }
        match &error {
            DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => Self::Missing(error),
            DbErr::ConnectionAcquire(_) => Self::Unavailable(error),
            DbErr::Conn(source) | DbErr::Exec(source) | DbErr::Query(source) => match kind_of_runtime(source)
            {
                Kind::Unavailable => Self::Unavailable(error),
                Kind::Contended => Self::Contended(error),
                Kind::Full => Self::Full(error),
                // Whatever keeps a connection from being made, there is no database without it.
                Kind::Other if matches!(error, DbErr::Conn(_)) => Self::Unavailable(error),
                Kind::Other => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

enum Kind {
    Unavailable,
    Contended,
    Full,
    Other,
}

fn kind_of_runtime(error: &RuntimeErr) -> Kind {
    match error {
        RuntimeErr::SqlxError(error) => kind_of(error),
        RuntimeErr::Internal(_) => Kind::Other,
    }
}

fn kind_of(error: &sqlx::Error) -> Kind {
    match error {
        sqlx::Error::Io(source) if source.kind() == std::io::ErrorKind::StorageFull => Kind::Full,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Kind::Unavailable,
        sqlx::Error::Database(source) => {
            let code = source.code().unwrap_or_default();
            match source.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                Some(_) => kind_of_sqlite(code.parse().unwrap_or_default()),
                None => kind_of_sqlstate(&code),
            }
        }
        _ => Kind::Other,
    }
}

/// `SQLITE_IOERR_SHMSIZE`: the index of the write-ahead log could not grow.
const SQLITE_IOERR_SHMSIZE: u32 = 10 | (19 << 8);

/// SQLite's extended result code, whose low byte is the class: <https://www.sqlite.org/rescode.html>.
fn kind_of_sqlite(code: u32) -> Kind {
    if code == SQLITE_IOERR_SHMSIZE {
        return Kind::Full;
    }
    match code & 0xFF {
        5 | 6 => Kind::Contended,
        10 | 14 => Kind::Unavailable,
        13 => Kind::Full,
        _ => Kind::Other,
    }
}

/// PostgreSQL's SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn kind_of_sqlstate(code: &str) -> Kind {
    match code {
        "40001" | "40P01" | "55P03" => Kind::Contended,
        "53100" => Kind::Full,
        "53300" | "57P01" | "57P02" | "57P03" | "25P03" => Kind::Unavailable,
        code if code.starts_with("08") => Kind::Unavailable,
        _ => Kind::Other,
    }
}
