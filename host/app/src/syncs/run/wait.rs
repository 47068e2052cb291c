//! Slices that wait for their channel: a report that is being made, a job in its queue. Nothing is held meanwhile, no
//! instance and no worker; other slices have their turn, and the job sleeps when none is left.

use portolan_admin_ui::format::span;
use portolan_connector::WaitFor;
use portolan_core::{Duration, Instant};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync;
use portolan_jobs::{JobError, LONGEST_PATIENCE};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder};

use super::finish::sentence;
use super::{Stop, SyncRun};

/// A plugin that wants to be asked again at once is asked again a little later: waiting must not spin.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What to do next.
pub(super) enum NextSlice {
    Run(Box<slice::Model>),
    /// All that are left wait; this one is the first to be asked again.
    Wait(Box<slice::Model>),
    Nothing,
}

/// Until when a slice waits, and for what.
pub(super) fn waiting(wait: WaitFor, now: Instant) -> (i64, String) {
    let asked = Duration::from_ms(i64::try_from(wait.wait_ms).unwrap_or(i64::MAX).min(i64::MAX / 1_000));
    let why = wait.why.trim();
    let why = if why.is_empty() { "the channel is still preparing the answer" } else { why };
    ((now + asked.clamp(SHORTEST_WAIT, LONGEST_PATIENCE)).0, why.to_owned())
}

/// Whether a page shows the slice as waiting.
pub(in crate::syncs) fn is_waiting(slice: &slice::Model, now: Instant) -> bool {
    matches!(slice.state, SliceState::Pending | SliceState::Running)
        && slice.waiting_until.is_some_and(|until| until > now.0)
}

impl SyncRun {
    /// Asked anew each time: a slice may have been split into others, or may have waited long enough.
    pub(super) async fn next_slice(&self) -> Result<NextSlice, JobError> {
        let now = self.app.clock.now().0;
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let open = tx
            .find::<slice::Entity>()
            .filter(slice::Column::SyncId.eq(self.sync.0))
            .filter(slice::Column::State.is_in([SliceState::Pending, SliceState::Running]));
        let may_run = Condition::any()
            .add(slice::Column::WaitingUntil.is_null())
            .add(slice::Column::WaitingUntil.lte(now));
        let first = open
            .clone()
            .filter(may_run)
            .order_by_asc(slice::Column::Position)
            .order_by_desc(slice::Column::Since)
            .order_by_asc(slice::Column::Id)
            .one(&tx)
            .await
            .map_err(JobError::retry)?;
        if let Some(slice) = first {
            return Ok(NextSlice::Run(Box::new(slice)));
        }
        let waiting =
            open.order_by_asc(slice::Column::WaitingUntil).one(&tx).await.map_err(JobError::retry)?;
        Ok(waiting.map_or(NextSlice::Nothing, |slice| NextSlice::Wait(Box::new(slice))))
    }

    /// Gives the job back until the first slice may be asked for again. No attempt is burnt.
    pub(super) async fn wait_for(&self, slice: slice::Model) -> Result<(), JobError> {
        let now = self.app.clock.now();
        let until = Instant(slice.waiting_until.unwrap_or(now.0));
        let left = until.since(now).clamp(SHORTEST_WAIT, LONGEST_PATIENCE);
        let why = slice.waiting_why.unwrap_or_default();
        let detail = format!("{}: {} It is asked again in {}.", slice.stream, sentence(&why), span(left));
        let row = sync::ActiveModel {
            tenant_id: Set(self.tenant.0),
            id: Set(self.sync.0),
            error_code: Set(Some(WAITING.to_owned())),
            error_detail: Set(Some(detail)),
            updated_at: Set(now.0),
            ..Default::default()
        };
        self.write(move |tx| {
            Box::pin(async move {
                tx.update(row).await?;
                Ok(())
            })
        })
        .await?;
        self.announce();
        Err(JobError::snooze(left))
    }
}

/// The code under which a sync says that all that is left of it waits.
pub(in crate::syncs) const WAITING: &str = "waiting";

impl From<Box<slice::Model>> for Stop {
    fn from(slice: Box<slice::Model>) -> Self {
        Self::Waits(slice)
    }
}

#[cfg(test)]
mod tests;
