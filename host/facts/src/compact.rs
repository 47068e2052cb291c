//! Compacting: small parts of a month become fewer and larger ones.
//!
//! Parts of like size are merged, eight into one: so an event is written again only when its part is to become eight
//! times as large, two or three times in all, however long the ledger grows. A part of a row group's size stays.
//!
//! Parts are sorted, so merging reads them side by side; of each only a batch is in memory.

use std::collections::BTreeMap;

use portolan_analytics::Fact;
use portolan_core::{PartId, TenantId};
use portolan_db::entity::fact_part;
use portolan_db::sea_orm::{ColumnTrait, QueryFilter};
use portolan_db::{DbError, TenantTx, WriteClass};

use crate::fold::row;
use crate::part::{self, ROW_GROUP_ROWS, Unfinished};
use crate::{FactStore, FactsError, snapshot};

/// More parts than this of one level and month are merged.
const MAX_PARTS_PER_LEVEL: usize = 8;
/// Merging as small parts as these costs next to nothing, and so many of them would cost every question.
const SMALL_PART_ROWS: i64 = 4_096;

/// How large a part is: the levels are a factor of eight apart. Nothing for parts that stay as they are.
fn level(rows: i64) -> Option<u32> {
    if rows >= ROW_GROUP_ROWS as i64 {
        return None;
    }
    Some((rows / SMALL_PART_ROWS).checked_ilog2().map_or(0, |doublings| 1 + doublings / 3))
}

impl FactStore {
    /// Merges parts until no month has too many of one level; says how many went into it.
    pub(crate) async fn compact(&self, tenant: TenantId) -> Result<usize, FactsError> {
        let mut merged = 0;
        for fact in Fact::ALL {
            loop {
                let crowded = self.crowded(tenant, fact).await?;
                let mut merged_now = 0;
                for parts in crowded {
                    merged_now += self.merge(tenant, fact, parts).await?;
                }
                merged += merged_now;
                // What was merged may make the next level crowded.
                if merged_now == 0 {
                    break;
                }
            }
        }
        Ok(merged)
    }

    /// The parts of each month and level with too many of them.
    async fn crowded(&self, tenant: TenantId, fact: Fact) -> Result<Vec<Vec<fact_part::Model>>, FactsError> {
        let tx = self.database.read(tenant).await?;
        let mut levels: BTreeMap<(i32, u32), Vec<fact_part::Model>> = BTreeMap::new();
        for part in snapshot::parts(&tx, &[fact]).await? {
            if let Some(level) = level(part.row_count) {
                levels.entry((part.month, level)).or_default().push(part);
            }
        }
        Ok(levels.into_values().filter(|parts| parts.len() > MAX_PARTS_PER_LEVEL).collect())
    }

    /// Writes one part with the rows of some of a month; says how many those were, or none if they are gone.
    async fn merge(
        &self,
        tenant: TenantId,
        fact: Fact,
        old: Vec<fact_part::Model>,
    ) -> Result<usize, FactsError> {
        let Some(month) = old.first().map(|part| part.month) else { return Ok(0) };
        let paths: Vec<String> = old.iter().map(|part| part.path.clone()).collect();
        let _open = self.readers.open(&paths);
        let versions = (
            old.iter().map(|part| part.min_version).min().unwrap_or_default(),
            old.iter().map(|part| part.max_version).max().unwrap_or_default(),
        );
        let mut rows = self.engine.sorted_rows(fact, &paths).await?;
        let id = PartId::generate(self.clock.as_ref(), self.random.as_ref());
        let folder = self.folder.clone();
        let runtime = tokio::runtime::Handle::current();
        let writing = tokio::task::spawn_blocking(move || {
            let mut file = Unfinished::create(&folder, tenant, fact, id, month)?;
            while let Some(batch) = runtime.block_on(rows.next())? {
                file.append(&batch)?;
            }
            let written = file.finish()?;
            part::settle(&folder, std::iter::once(&written))?;
            Ok::<_, FactsError>(written)
        });
        let written = writing.await.map_err(|_| FactsError::Stopped)??;
        let expected: i64 = old.iter().map(|part| part.row_count).sum();
        if written.row_count != expected {
            let message = format!("{expected} rows of parts became {} when merged", written.row_count);
            return Err(FactsError::Damaged(message));
        }
        let new = row(&written, versions, self.clock.now().0);
        let count = old.len();
        let replaced = self
            .database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move { replace_parts(tx, old, new).await })
            })
            .await;
        match replaced {
            Ok(()) => Ok(count),
            // Merged by someone else meanwhile.
            Err(DbError::Missing(_)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

async fn replace_parts(
    tx: &TenantTx,
    old: Vec<fact_part::Model>,
    new: fact_part::ActiveModel,
) -> Result<(), DbError> {
    let ids: Vec<uuid::Uuid> = old.iter().map(|part| part.id).collect();
    let deleted =
        tx.delete_many::<fact_part::Entity>().filter(fact_part::Column::Id.is_in(ids)).exec(tx).await?;
    if deleted.rows_affected != old.len() as u64 {
        return Err(DbError::Missing(portolan_db::sea_orm::DbErr::RecordNotUpdated));
    }
    tx.insert(new).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_leads_to_the_next_level_until_a_part_is_full() {
        assert_eq!([1, 4_095, 4_096, 32_767, 32_768, 262_143].map(level), [0, 0, 1, 1, 2, 2].map(Some));
        assert_eq!(level(262_144), None);
        for rows in [4_096, 20_000, 32_768, 200_000] {
            assert!(level(9 * rows) > level(rows) || level(9 * rows).is_none(), "{rows} rows");
        }
    }
}
