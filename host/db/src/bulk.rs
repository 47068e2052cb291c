//! Many rows in few statements, whose texts are few as well: both databases prepare a text once.
//!
//! Rows go out in groups of 1, 2, 4, … rows, the largest first, so that any number of rows is sent with a
//! handful of texts per table. A text of its own for every number of rows was measured to cost the
//! database more (reading and planning thousands of parameters) than the rows themselves.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sea_orm::sea_query::{Expr, OnConflict, Query, Values};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, EntityTrait, IdenStatic, Iterable, Statement,
};

use crate::{DbError, Dialect};

/// Rows that are made while they are sent.
pub trait Rows<A>: IntoIterator<Item = A, IntoIter: ExactSizeIterator + Send> {}

impl<A, I: IntoIterator<Item = A, IntoIter: ExactSizeIterator + Send>> Rows<A> for I {}

/// Inserts all rows and says how many were new or changed. Without `on_conflict`, a row that
/// contradicts a unique key fails the whole.
///
/// Errors: also a row that leaves a column open; rows of one statement have the same columns.
pub(crate) async fn insert_many<A, C>(
    connection: &C,
    dialect: Dialect,
    mut rows: impl ExactSizeIterator<Item = Result<A, DbError>> + Send,
    on_conflict: Option<&OnConflict>,
) -> Result<u64, DbError>
where
    A: ActiveModelTrait,
    C: ConnectionTrait,
{
    if rows.len() == 0 {
        return Ok(0);
    }
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().collect();
    let text = InsertText::of::<A::Entity>(dialect, &columns, on_conflict)?;
    let mut inserted = 0;
    let mut next = text.of_next_rows(&columns, &mut rows)?;
    while let Some(statement) = next {
        // The database works while the next statement is written.
        let (done, after) =
            tokio::join!(connection.execute_raw(statement), async { text.of_next_rows(&columns, &mut rows) });
        inserted += done?.rows_affected();
        next = after?;
    }
    Ok(inserted)
}

/// Passes over rows that exist.
pub(crate) fn skip_existing() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}

/// The largest group that the rows left fill, within what a statement should have.
fn group_size(left: usize, columns: usize, dialect: Dialect) -> usize {
    let most = (dialect.max_bind_values() / columns.max(1)).min(max_rows(dialect));
    1 << left.min(most.max(1)).ilog2()
}

/// Beyond these, larger statements were measured to gain nothing; PostgreSQL keeps a plan for each text,
/// about 2 KB a value.
const fn max_rows(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Sqlite => 256,
        Dialect::Postgres => 128,
    }
}

fn open_column<E: EntityTrait>(column: &E::Column) -> DbErr {
    let table = E::default();
    DbErr::Custom(format!("a row for {} leaves {} open", table.table_name(), column.as_str()))
}

/// An `INSERT` but for the number of its rows.
struct InsertText {
    dialect: Dialect,
    columns: usize,
    before: String,
    after: String,
}

impl InsertText {
    fn of<E: EntityTrait>(
        dialect: Dialect,
        columns: &[E::Column],
        on_conflict: Option<&OnConflict>,
    ) -> Result<Self, DbErr> {
        let mut insert = Query::insert();
        insert.into_table(E::default()).columns(columns.iter().copied());
        insert
            .values(columns.iter().map(|_| Expr::value(0)))
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        if let Some(on_conflict) = on_conflict {
            insert.on_conflict(on_conflict.clone());
        }
        let one_row = dialect.backend().build(&insert).sql;
        // No name of ours has such a word in it, and no placeholder a bracket.
        let parts = one_row
            .split_once(" VALUES (")
            .and_then(|(before, rest)| Some((before, rest.split_once(')')?.1)));
        let Some((before, after)) = parts else {
            return Err(DbErr::Custom(format!("not an INSERT of values: {one_row}")));
        };
        Ok(Self {
            dialect,
            columns: columns.len(),
            before: format!("{before} VALUES "),
            after: after.to_owned(),
        })
    }

    /// The statement for the largest group that the rows left fill.
    fn of_next_rows<A: ActiveModelTrait>(
        &self,
        columns: &[<A::Entity as EntityTrait>::Column],
        rows: &mut impl ExactSizeIterator<Item = Result<A, DbError>>,
    ) -> Result<Option<Statement>, DbError> {
        if rows.len() == 0 {
            return Ok(None);
        }
        let count = group_size(rows.len(), columns.len(), self.dialect);
        let mut values = Vec::with_capacity(count * columns.len());
        for row in rows.by_ref().take(count) {
            let mut row = row?;
            for column in columns {
                match row.take(*column) {
                    ActiveValue::Set(value) | ActiveValue::Unchanged(value) => values.push(value),
                    ActiveValue::NotSet => return Err(open_column::<A::Entity>(column).into()),
                }
            }
        }
        let (sql, db_backend) = (self.for_rows(count), self.dialect.backend());
        Ok(Some(Statement { sql, values: Some(Values(values)), db_backend }))
    }

    fn for_rows(&self, rows: usize) -> String {
        let placeholders = placeholders(self.dialect, self.columns, rows);
        [&*self.before, &*placeholders, &*self.after].concat()
    }
}

/// `(?, ?), (?, ?)` or `($1, $2), ($3, $4)`, made once for each shape.
fn placeholders(dialect: Dialect, columns: usize, rows: usize) -> Arc<str> {
    type Shape = (bool, usize, usize);
    static MADE: LazyLock<Mutex<HashMap<Shape, Arc<str>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let shape = (dialect == Dialect::Postgres, columns, rows);
    Arc::clone(made.entry(shape).or_insert_with(|| write_placeholders(dialect, columns, rows).into()))
}

fn write_placeholders(dialect: Dialect, columns: usize, rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            text.push_str(if column == 0 { "" } else { ", " });
            match dialect {
                Dialect::Sqlite => text.push('?'),
                // Writing into a string cannot fail.
                Dialect::Postgres => _ = write!(text, "${}", row * columns + column + 1),
            }
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_rows_goes_out_in_few_sizes() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for rows in 1..2_000 {
                let (mut left, mut statements) = (rows, 0);
                while left > 0 {
                    let size = group_size(left, 41, dialect);
                    assert!(size.is_power_of_two() && size <= left && size * 41 <= dialect.max_bind_values());
                    left -= size;
                    statements += 1;
                }
                assert!(statements <= rows / max_rows(dialect) + 8, "{rows} rows in {statements} statements");
            }
            assert_eq!(
                group_size(1, 100_000, dialect),
                1,
                "a row that is too wide is the database's to refuse"
            );
        }
    }

    #[test]
    fn placeholders_count_through_all_rows() {
        assert_eq!(write_placeholders(Dialect::Sqlite, 2, 2), "(?, ?), (?, ?)");
        assert_eq!(write_placeholders(Dialect::Postgres, 2, 2), "($1, $2), ($3, $4)");
    }
}
