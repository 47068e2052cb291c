//! A slice that is too large for the channel's paging is replaced by smaller ones, in one transaction. They have to
//! cover exactly what it covered: a gap would never be asked for again, and an overlap would be counted twice.

use std::collections::BTreeSet;

use portolan_connector::{Continuation, Page, SliceSpec};
use portolan_core::{Duration, SliceId};
use portolan_db::DbError;
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};

use super::plan_step::spec_of;
use super::{RunError, Stop, SyncRun};

/// Slices of one sync; a plugin that splits without end stops here.
const MOST_SLICES: u64 = 100_000;

impl SyncRun {
    /// Puts the parts in the slice's place. What it has brought so far comes again with them, so it counts no more,
    /// and what this page brings is dropped.
    pub(super) async fn split_slice(&self, slice: &slice::Model, page: Page) -> Result<(), Stop> {
        let parts = match page.next {
            Continuation::Split(parts) => parts,
            _ => Vec::new(),
        };
        self.remove_staged_files(&BTreeSet::new(), &page.downloads).await;
        let granularity =
            self.plugin.manifest.stream(&slice.stream).map_or(Duration::ZERO, |stream| stream.granularity());
        let parts = if slice.file.is_some() {
            Err(bad_split("a file is read to its end, it can't be split"))
        } else {
            checked_parts(&spec_of(slice), parts, granularity)
        }?;
        let now = self.app.clock.now().0;
        let rows: Vec<slice::ActiveModel> =
            parts.into_iter().map(|part| self.part_row(slice, part, now)).collect();
        let (sync, replaced, more, bytes_fetched) =
            (self.sync.0, slice.clone(), rows.len() as u64, page.bytes_fetched as i64);
        let too_many = self
            .write_progress(move |tx| {
                Box::pin(async move {
                    let known = tx
                        .find::<slice::Entity>()
                        .filter(slice::Column::SyncId.eq(sync))
                        .count(tx)
                        .await
                        .map_err(DbError::from)?;
                    if known + more > MOST_SLICES {
                        return Ok(true);
                    }
                    let counted = tx.find_by_id::<slice::Entity>(replaced.id).await?.unwrap_or(replaced);
                    let less = |column: sync::Column, count: i64| Expr::col(column).sub(count);
                    tx.update_many::<sync::Entity>()
                        .col_expr(sync::Column::Seen, less(sync::Column::Seen, counted.seen))
                        .col_expr(sync::Column::Emitted, less(sync::Column::Emitted, counted.emitted))
                        .col_expr(sync::Column::Skipped, less(sync::Column::Skipped, counted.skipped))
                        .col_expr(
                            sync::Column::BytesFetched,
                            Expr::col(sync::Column::BytesFetched).add(bytes_fetched),
                        )
                        .col_expr(sync::Column::UpdatedAt, Expr::value(now))
                        .filter(sync::Column::Id.eq(sync))
                        .exec(tx)
                        .await
                        .map_err(DbError::from)?;
                    tx.update(slice::ActiveModel {
                        tenant_id: Set(counted.tenant_id),
                        id: Set(counted.id),
                        state: Set(SliceState::Split),
                        token: Set(None),
                        seen: Set(0),
                        emitted: Set(0),
                        skipped: Set(0),
                        expected: Set(None),
                        waiting_until: Set(None),
                        waiting_why: Set(None),
                        updated_at: Set(now),
                        ..Default::default()
                    })
                    .await?;
                    tx.insert_many(rows).await?;
                    Ok(false)
                })
            })
            .await?;
        if too_many {
            let detail = format!("it would make more than {MOST_SLICES} slices of this sync");
            return Err(bad_split(&detail).into());
        }
        self.announce();
        Ok(())
    }

    /// In the same place of the plan.
    fn part_row(&self, slice: &slice::Model, part: SliceSpec, now: i64) -> slice::ActiveModel {
        slice::ActiveModel {
            tenant_id: Set(self.tenant.0),
            id: Set(SliceId::generate(&*self.app.clock, &*self.app.random).0),
            sync_id: Set(self.sync.0),
            connection_id: Set(self.connection.id),
            stream: Set(slice.stream.clone()),
            partition: Set(part.partition.and_then(|partition| serde_json::to_string(&partition).ok())),
            since: Set(part.since.map(|since| since.0)),
            until: Set(part.until.map(|until| until.0)),
            mode: Set(slice.mode.clone()),
            position: Set(slice.position),
            state: Set(SliceState::Pending),
            token: Set(None),
            pages: Set(0),
            seen: Set(0),
            emitted: Set(0),
            skipped: Set(0),
            expected: Set(None),
            error_code: Set(None),
            error_detail: Set(None),
            updated_at: Set(now),
            file: Set(None),
            waiting_until: Set(None),
            waiting_why: Set(None),
        }
    }
}

/// The parts, newest first, if they make up the whole: its time in smaller windows, or its partition in others.
fn checked_parts(
    whole: &SliceSpec,
    mut parts: Vec<SliceSpec>,
    granularity: Duration,
) -> Result<Vec<SliceSpec>, RunError> {
    if parts.iter().any(|part| part.stream != whole.stream) {
        return Err(bad_split("a part is of another stream"));
    }
    let by_partition = parts.iter().all(|part| (part.since, part.until) == (whole.since, whole.until));
    if by_partition {
        let whole_key = whole.partition.as_ref().map(|partition| partition.key.as_str());
        let keys: BTreeSet<Option<&str>> = parts
            .iter()
            .map(|part| part.partition.as_ref().map(|partition| partition.key.as_str()))
            .collect();
        if parts.is_empty() || keys.len() < parts.len() || keys.contains(&None) || keys.contains(&whole_key) {
            return Err(bad_split(
                "its parts are no partitions that differ from each other and from the whole",
            ));
        }
        return Ok(parts);
    }
    if parts.len() < 2 || parts.iter().any(|part| part.partition != whole.partition) {
        return Err(bad_split("its parts are not two or more windows of the same partition"));
    }
    let too_small = |part: &SliceSpec| match (part.since, part.until) {
        (Some(since), Some(until)) => until.since(since) < granularity.max(Duration(1)),
        _ => false,
    };
    if parts.iter().any(too_small) {
        return Err(RunError::Slice {
            code: "split_too_small".to_owned(),
            detail: format!(
                "The channel has more records than it pages through in a window of {} s, the shortest that it can be \
                 asked for. Nothing smaller can be fetched; report it to the plugin's publisher.",
                granularity.as_ms() / 1_000
            ),
        });
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.since));
    let meets = parts.windows(2).all(|pair| pair[0].since.is_some() && pair[0].since == pair[1].until);
    let ends = (parts.last().and_then(|part| part.since), parts.first().and_then(|part| part.until));
    if !meets || ends != (whole.since, whole.until) {
        return Err(bad_split("its windows leave a gap, overlap, or reach beyond it"));
    }
    Ok(parts)
}

fn bad_split(what: &str) -> RunError {
    RunError::Slice {
        code: "bad_split".to_owned(),
        detail: format!(
            "The plugin split a part of the sync, but {what}. Nothing was replaced; report it to the plugin's publisher."
        ),
    }
}

#[cfg(test)]
mod tests;
