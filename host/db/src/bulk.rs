//! Many rows in few statements, within what a statement can bind.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Iterable};

use crate::Dialect;

/// Beyond this, larger statements were measured to gain nothing.
const MAX_ROWS: usize = 500;

/// Inserts all rows and says how many were new or changed. Without `on_conflict`, a row that
/// contradicts a unique key fails the whole.
pub(crate) async fn insert_many<A, C>(
    connection: &C,
    dialect: Dialect,
    rows: Vec<A>,
    on_conflict: Option<&OnConflict>,
) -> Result<u64, DbErr>
where
    A: ActiveModelTrait,
    C: ConnectionTrait,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count().max(1);
    let rows_per_statement = (dialect.max_bind_values() / columns).clamp(1, MAX_ROWS);
    let mut inserted = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut insert = A::Entity::insert_many(rows.by_ref().take(rows_per_statement));
        if let Some(on_conflict) = on_conflict {
            insert = insert.on_conflict(on_conflict.clone());
        }
        inserted += insert.exec_without_returning(connection).await?;
    }
    Ok(inserted)
}

/// Passes over rows that exist.
pub(crate) fn skip_existing() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}
