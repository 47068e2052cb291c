//! Rows of a statement read by position and without copies: for the few places that read millions.
//!
//! An entity's model looks its columns up by name in every row and owns every text. That costs more than the row.

use sea_orm::{DbErr, QueryResult, RuntimeErr};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

/// One row; its values are asked for by their place in the `SELECT`.
#[derive(Clone, Copy)]
pub enum Cells<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

impl<'r> Cells<'r> {
    pub fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let sqlite = row.try_as_sqlite_row().map(Self::Sqlite);
        let found = sqlite.or_else(|| row.try_as_pg_row().map(Self::Postgres));
        found.ok_or_else(|| DbErr::Custom("a row of no database that this house knows".to_owned()))
    }

    pub fn text(self, place: usize) -> Result<Option<&'r str>, DbErr> {
        match self {
            Self::Sqlite(row) => row.try_get(place),
            Self::Postgres(row) => row.try_get(place),
        }
        .map_err(unreadable)
    }

    pub fn uuid(self, place: usize) -> Result<Option<Uuid>, DbErr> {
        match self {
            Self::Sqlite(row) => row.try_get(place),
            Self::Postgres(row) => row.try_get(place),
        }
        .map_err(unreadable)
    }

    /// Of a column of 64 bits.
    pub fn integer(self, place: usize) -> Result<Option<i64>, DbErr> {
        match self {
            Self::Sqlite(row) => row.try_get(place),
            Self::Postgres(row) => row.try_get(place),
        }
        .map_err(unreadable)
    }

    /// Of a column of 32 bits.
    pub fn small_integer(self, place: usize) -> Result<Option<i32>, DbErr> {
        match self {
            Self::Sqlite(row) => row.try_get(place),
            Self::Postgres(row) => row.try_get(place),
        }
        .map_err(unreadable)
    }

    pub fn boolean(self, place: usize) -> Result<Option<bool>, DbErr> {
        match self {
            Self::Sqlite(row) => row.try_get(place),
            Self::Postgres(row) => row.try_get(place),
        }
        .map_err(unreadable)
    }
}

fn unreadable(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
