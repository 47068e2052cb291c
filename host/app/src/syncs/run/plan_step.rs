//! The first step of a run: its slices, planned once and stored.

use portolan_connector::manifest::StreamMode;
use portolan_connector::{Partition, SliceMode, SliceSpec, StreamDeclaration};
use portolan_core::{Instant, SliceId};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::stream;
use portolan_jobs::JobError;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};

use super::{RunError, SyncRun};
use crate::syncs::ops::Trigger;
use crate::syncs::plan::{StreamFacts, plan_slices};

/// A slice to be, and the one file it reads.
struct Planned {
    spec: SliceSpec,
    file: Option<i64>,
}

impl From<SliceSpec> for Planned {
    fn from(spec: SliceSpec) -> Self {
        Self { spec, file: None }
    }
}

impl SyncRun {
    /// Plans the slices of every enabled stream, unless an earlier attempt did.
    pub(super) async fn plan(&self) -> Result<(), RunError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let planned = tx
            .find::<slice::Entity>()
            .filter(slice::Column::SyncId.eq(self.sync.0))
            .count(&tx)
            .await
            .map_err(JobError::retry)?;
        if planned > 0 {
            return Ok(());
        }
        let mut wanted = tx
            .find::<stream::Entity>()
            .filter(stream::Column::ConnectionId.eq(self.connection.id))
            .filter(stream::Column::Enabled.eq(true));
        if let Some(name) = Trigger::stream_of(&self.trigger) {
            wanted = wanted.filter(stream::Column::Name.eq(name));
        }
        let streams = wanted.all(&tx).await.map_err(JobError::retry)?;
        drop(tx);
        let mut planned = Vec::new();
        // In the order in which the manifest names them: stores before orders, for example.
        for declaration in &self.plugin.manifest.streams {
            if let Some(row) = streams.iter().find(|row| row.name == declaration.name) {
                planned.extend(self.plan_stream(declaration, row).await?);
            }
        }
        self.store_plan(planned).await
    }

    async fn plan_stream(
        &self,
        declaration: &StreamDeclaration,
        row: &stream::Model,
    ) -> Result<Vec<Planned>, RunError> {
        let now = self.app.clock.now();
        let facts = StreamFacts {
            name: declaration.name.clone(),
            snapshot: declaration.mode != StreamMode::Incremental,
            watermark: row.watermark_at.map(Instant),
            largest_window: declaration.largest_window(),
            lookback: declaration.lookback(),
            lag: declaration.lag(),
            retention: declaration.retention(),
        };
        if declaration.mode == StreamMode::Files {
            return Ok(self.plan_files(&facts, now));
        }
        if !declaration.partitioned {
            return Ok(plan_slices(&facts, None, now).into_iter().map(Planned::from).collect());
        }
        let partitions = self
            .app
            .runtime
            .partitions(&self.plugin.plugin, self.context.clone(), &declaration.name, now)
            .await
            .map_err(super::fetch::fault)?;
        let slices = partitions.into_iter().flat_map(|partition| plan_slices(&facts, Some(partition), now));
        Ok(slices.map(Planned::from).collect())
    }

    /// A slice for each waiting file, oldest first: what the plugin says about one is no other's trouble.
    fn plan_files(&self, facts: &StreamFacts, now: Instant) -> Vec<Planned> {
        let waiting = self.context.files.iter().filter(|file| file.stream == facts.name);
        waiting
            .flat_map(|file| {
                let slices = plan_slices(facts, None, now);
                slices.into_iter().map(|spec| Planned { spec, file: Some(file.id as i64) })
            })
            .collect()
    }

    async fn store_plan(&self, planned: Vec<Planned>) -> Result<(), RunError> {
        let now = self.app.clock.now();
        let rows: Vec<slice::ActiveModel> = planned
            .into_iter()
            .enumerate()
            .map(|(position, Planned { spec, file })| slice::ActiveModel {
                tenant_id: Set(self.tenant.0),
                id: Set(SliceId::generate(&*self.app.clock, &*self.app.random).0),
                sync_id: Set(self.sync.0),
                connection_id: Set(self.connection.id),
                stream: Set(spec.stream),
                partition: Set(spec.partition.and_then(|partition| serde_json::to_string(&partition).ok())),
                since: Set(spec.since.map(|since| since.0)),
                until: Set(spec.until.map(|until| until.0)),
                mode: Set(mode_name(spec.mode).to_owned()),
                position: Set(position as i64),
                state: Set(SliceState::Pending),
                token: Set(None),
                pages: Set(0),
                seen: Set(0),
                emitted: Set(0),
                skipped: Set(0),
                expected: Set(None),
                error_code: Set(None),
                error_detail: Set(None),
                updated_at: Set(now.0),
                file: Set(file),
                waiting_until: Set(None),
                waiting_why: Set(None),
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                tx.insert_many(rows).await?;
                Ok(())
            })
        })
        .await?;
        Ok(())
    }
}

pub(super) fn mode_name(mode: SliceMode) -> &'static str {
    match mode {
        SliceMode::Incremental => "incremental",
        SliceMode::Backfill => "backfill",
        SliceMode::Snapshot => "snapshot",
    }
}

/// A stored slice as the plugin is asked for it.
pub(super) fn spec_of(slice: &slice::Model) -> SliceSpec {
    let mode = match slice.mode.as_str() {
        "incremental" => SliceMode::Incremental,
        "backfill" => SliceMode::Backfill,
        _ => SliceMode::Snapshot,
    };
    SliceSpec {
        stream: slice.stream.clone(),
        partition: slice.partition.as_deref().and_then(|text| serde_json::from_str::<Partition>(text).ok()),
        since: slice.since.map(Instant),
        until: slice.until.map(Instant),
        mode,
    }
}
