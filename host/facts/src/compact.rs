//! Compacting: small parts of a month become fewer and larger ones.
//!
//! Parts of like size are merged, nine or more at a time: so once an event's part has some thousand rows, the event is
//! written again twice at most, however long the ledger grows. A part of a row group's size stays.
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
/// Parts that are merged at once: each of them holds memory meanwhile.
const MAX_PARTS_PER_MERGE: usize = 64;
/// Merging as small parts as these costs next to nothing, and so many of them would cost every question.
pub(crate) const SMALL_PART_ROWS: i64 = 4_096;

/// How large a part is: the first level has fewer than `small_rows`, the others are a factor of eight apart. Nothing for
/// parts that stay as they are.
fn level(rows: i64, small_rows: i64) -> Option<u32> {
    if rows >= ROW_GROUP_ROWS as i64 {
        return None;
    }
    Some((rows / small_rows).checked_ilog2().map_or(0, |doublings| 1 + doublings / 3))
}

/// What is to be merged of a ledger's parts: those of a month and level where these are too many.
fn crowded(parts: Vec<fact_part::Model>, small_rows: i64) -> Vec<Vec<fact_part::Model>> {
    let mut levels: BTreeMap<(i32, u32), Vec<fact_part::Model>> = BTreeMap::new();
    for part in parts {
        if let Some(level) = level(part.row_count, small_rows) {
            levels.entry((part.month, level)).or_default().push(part);
        }
    }
    let merges = levels.values().flat_map(|parts| parts.chunks(MAX_PARTS_PER_MERGE));
    merges.filter(|parts| parts.len() > MAX_PARTS_PER_LEVEL).map(<[_]>::to_vec).collect()
}

impl FactStore {
    /// Merges parts until no month has too many of one level; says how many went into it.
    pub(crate) async fn compact(&self, tenant: TenantId) -> Result<usize, FactsError> {
        let mut merged = 0;
        for fact in Fact::ALL {
            loop {
                let tx = self.database.read(tenant).await?;
                let parts = snapshot::parts(&tx, &[fact]).await?;
                drop(tx);
                let mut merged_now = 0;
                for parts in crowded(parts, self.small_part_rows) {
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
        let expected: i64 = old.iter().map(|part| part.row_count).sum();
        let id = PartId::generate(self.clock.as_ref(), self.random.as_ref());
        let (engine, folder, parts) = (self.engine.clone(), self.folder.clone(), old.clone());
        // Parts are read by the engine's threads, as for a question.
        let runtime = self.engine_threads()?;
        let writing = tokio::task::spawn_blocking(move || {
            let mut rows = runtime.block_on(engine.sorted_rows(fact, &parts))?;
            let mut file = Unfinished::create(&folder, tenant, fact, id, month)?;
            while let Some(batch) = runtime.block_on(rows.next())? {
                file.append(&batch)?;
            }
            let written = file.finish()?;
            part::settle(&folder, std::iter::once(&written))?;
            Ok::<_, FactsError>(written)
        });
        let written = writing.await.map_err(|_| FactsError::Stopped)??;
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
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const LEVELS: [i64; 7] = [1, 4_095, 4_096, 32_767, 32_768, 262_143, 262_144];

    fn part(number: usize, month: i32, row_count: i64) -> fact_part::Model {
        fact_part::Model {
            tenant_id: uuid::Uuid::nil(),
            id: uuid::Uuid::from_u128(number as u128),
            fact: Fact::Sales.table().to_owned(),
            month,
            path: String::new(),
            row_count,
            size_bytes: 0,
            min_version: 0,
            max_version: 0,
            sha256: String::new(),
            created_at: 0,
        }
    }

    #[test]
    fn merging_leads_to_the_next_level_until_a_part_is_full() {
        let level = |rows| level(rows, SMALL_PART_ROWS);
        assert_eq!(LEVELS.map(level), [Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), None]);
        for rows in [4_096, 20_000, 32_768, 200_000] {
            assert!(level(9 * rows) > level(rows) || level(9 * rows).is_none(), "{rows} rows");
        }
    }

    proptest! {
        #[test]
        fn what_is_merged_is_alike_and_little_at_a_time(
            sizes in proptest::collection::vec((0..2_i32, proptest::sample::select(LEVELS.to_vec())), 0..400),
        ) {
            let place = |part: &fact_part::Model| (part.month, level(part.row_count, SMALL_PART_ROWS));
            let mut left: BTreeMap<_, usize> = BTreeMap::new();
            let parts: Vec<_> =
                sizes.iter().enumerate().map(|(number, (month, rows))| part(number, *month, *rows)).collect();
            for part in &parts {
                *left.entry(place(part)).or_default() += 1;
            }
            let mut merged = BTreeSet::new();
            for merge in crowded(parts, SMALL_PART_ROWS) {
                prop_assert!((9..=64).contains(&merge.len()), "{} parts", merge.len());
                for part in &merge {
                    prop_assert_eq!(place(part), place(&merge[0]));
                    prop_assert!(merged.insert(part.id), "no part twice");
                }
                *left.entry(place(&merge[0])).or_default() -= merge.len();
            }
            for ((_, level), parts) in left {
                prop_assert!(parts <= MAX_PARTS_PER_LEVEL || level.is_none(), "{} parts are left", parts);
            }
        }
    }
}
