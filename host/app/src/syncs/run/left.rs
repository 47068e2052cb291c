//! Chunks that earlier syncs have left: staged and not lived to normalise, or failed. What is staged is never asked
//! for again, and a file's rows are nowhere else, so they are tried before anything is fetched. They count in the
//! sync that reads them.

use portolan_db::DbError;
use portolan_db::entity::chunk::{self, ChunkState, Column};
use portolan_db::entity::sync::{self, SyncState};
use portolan_jobs::JobError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::finish::sentence;
use super::{RunError, Stop, SyncRun};
use crate::syncs::ops::Trigger;

/// By itself, a chunk is tried by so many later syncs with one version of its plugin. A person's "Sync now" tries
/// always, and so does the first sync with another version.
const MOST_TRIES: i32 = 3;
/// Failed chunks that one sync tries, those first that were tried least.
const FAILED_AT_ONCE: u64 = 100;

/// A chunk to try.
struct Left {
    id: Uuid,
    /// How many syncs will have tried it with the present plugin.
    tries: i32,
}

impl SyncRun {
    /// Tries each once, however often this sync's job is taken up: a chunk that stops its worker stops it once.
    pub(super) async fn normalise_left_behind(&self) -> Result<(), Stop> {
        for left in self.left_behind().await? {
            self.check_requests().await?;
            self.note_try(&left).await?;
            match self.normalise_by_id(left.id).await {
                // The chunk has its reason, and this sync ends with it.
                Ok(()) | Err(Stop::Failed(RunError::Slice { .. })) => {}
                Err(Stop::Failed(error @ (RunError::Job(_) | RunError::Retry { .. }))) => {
                    // Trouble that passes is none of the chunk's: this sync's next attempt tries it again.
                    self.take_try_back(&left).await?;
                    return Err(Stop::Failed(error));
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    async fn left_behind(&self) -> Result<Vec<Left>, JobError> {
        let (sync, plugin) = (self.sync.0, self.plugin.plugin.sha256.as_str());
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        // What a sync that has not ended has stored is its own to read.
        let open: Vec<Uuid> = tx
            .find::<sync::Entity>()
            .select_only()
            .column(sync::Column::Id)
            .filter(sync::Column::ConnectionId.eq(self.connection.id))
            .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running, SyncState::Paused]))
            .into_tuple()
            .all(&tx)
            .await
            .map_err(JobError::retry)?;
        let mut others = tx
            .find::<chunk::Entity>()
            .select_only()
            .columns([Column::Id, Column::Tries, Column::PluginSha256])
            .filter(Column::ConnectionId.eq(self.connection.id))
            .filter(Column::SyncId.ne(sync))
            .filter(Column::SyncId.is_not_in(open))
            .filter(Condition::any().add(Column::TriedBy.is_null()).add(Column::TriedBy.ne(sync)));
        if self.trigger != Trigger::Manual.to_text() {
            let worth_it =
                Condition::any().add(Column::Tries.lt(MOST_TRIES)).add(Column::PluginSha256.ne(plugin));
            others = others.filter(worth_it);
        }
        let staged = others.clone().filter(Column::State.eq(ChunkState::Staged)).order_by_asc(Column::Id);
        let mut failed = others.filter(Column::State.eq(ChunkState::Failed));
        if let Some(stream) = Trigger::stream_of(&self.trigger) {
            failed = failed.filter(Column::Stream.eq(stream));
        }
        let failed = failed.order_by_asc(Column::Tries).order_by_asc(Column::Id).limit(FAILED_AT_ONCE);
        let mut found: Vec<(Uuid, i32, String)> =
            staged.into_tuple().all(&tx).await.map_err(JobError::retry)?;
        found.extend(failed.into_tuple().all(&tx).await.map_err(JobError::retry)?);
        let left = |(id, tries, sha256): (Uuid, i32, String)| Left {
            id,
            tries: if sha256 == plugin { tries.saturating_add(1) } else { 1 },
        };
        Ok(found.into_iter().map(left).collect())
    }

    /// Before it is tried, it has failed: whoever takes the job over after a crash knows what was at hand.
    async fn note_try(&self, left: &Left) -> Result<(), JobError> {
        let (id, tries, sync) = (left.id, left.tries, self.sync.0);
        let plugin = self.plugin.plugin.sha256.clone();
        self.write(move |tx| {
            Box::pin(async move {
                tx.update_many::<chunk::Entity>()
                    .col_expr(Column::State, Expr::value(ChunkState::Failed.as_str()))
                    .col_expr(Column::Tries, Expr::value(tries))
                    .col_expr(Column::TriedBy, Expr::value(sync))
                    .col_expr(Column::PluginSha256, Expr::value(plugin))
                    .col_expr(Column::Error, Expr::value("The server stopped while it was read."))
                    .filter(Column::Id.eq(id))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
    }

    async fn take_try_back(&self, left: &Left) -> Result<(), JobError> {
        let (id, tries) = (left.id, left.tries - 1);
        self.write(move |tx| {
            Box::pin(async move {
                tx.update_many::<chunk::Entity>()
                    .col_expr(Column::Tries, Expr::value(tries))
                    .col_expr(Column::TriedBy, Expr::value(None::<Uuid>))
                    .filter(Column::Id.eq(id))
                    .filter(Column::State.eq(ChunkState::Failed))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
    }

    /// The chunk stays, with its raw records, for the next sync to try.
    pub(super) async fn mark_failed(&self, chunk: Uuid, reason: &str) -> Result<(), JobError> {
        let reason = reason.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                tx.update_many::<chunk::Entity>()
                    .col_expr(Column::State, Expr::value(ChunkState::Failed.as_str()))
                    .col_expr(Column::Error, Expr::value(reason))
                    .filter(Column::Id.eq(chunk))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
    }

    /// What this sync tried in vain, as code and sentence.
    pub(super) async fn what_is_still_left(&self) -> Result<Option<(String, String)>, JobError> {
        let tx = self.app.db.read(self.tenant).await.map_err(JobError::retry)?;
        let reasons: Vec<Option<String>> = tx
            .find::<chunk::Entity>()
            .select_only()
            .column(Column::Error)
            .filter(Column::ConnectionId.eq(self.connection.id))
            .filter(Column::State.eq(ChunkState::Failed))
            .filter(Column::TriedBy.eq(self.sync.0))
            .order_by_asc(Column::Id)
            .into_tuple()
            .all(&tx)
            .await
            .map_err(JobError::retry)?;
        let Some(first) = reasons.first() else { return Ok(None) };
        let reason = sentence(first.as_deref().unwrap_or("Nobody knows why"));
        let what = match reasons.len() {
            1 => "A page that an earlier sync stored still can't be read".to_owned(),
            pages => format!("{pages} pages that earlier syncs stored still can't be read"),
        };
        let detail = format!(
            "{what}: {reason} What this sync fetched is in. Up to {MOST_TRIES} syncs try again by themselves; \
             “Sync now” and a newer plugin always do."
        );
        Ok(Some(("left_unread".to_owned(), detail)))
    }
}
