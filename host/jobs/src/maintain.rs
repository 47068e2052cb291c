//! Keeping the queue healthy: lane counts that drifted, history that nobody reads any more.

use portolan_core::Duration;
use portolan_db::{DbError, WriteClass};
use sea_orm::ConnectionTrait;

use crate::Queue;
use crate::queue::first_i64;

/// How long ended jobs are kept.
const KEEP_ENDED: Duration = Duration::from_days(14);

impl Queue {
    /// Counts each lane's running jobs anew and has each lane with waiting jobs looked at. Changes
    /// nothing where the counts were right.
    pub async fn audit_lanes(&self) -> Result<u64, DbError> {
        let changed = self
            .database
            .system_write_as(WriteClass::Background, |tx| {
                Box::pin(async move {
                    let running =
                        "(SELECT count(*) FROM job WHERE job.lane_id = lane.id AND job.state = 'running')";
                    let next =
                        "(SELECT min(run_at) FROM job WHERE job.lane_id = lane.id AND job.state = 'ready')";
                    // Counting before locking would count a moment that has passed when the lock comes.
                    let lock = format!("SELECT id FROM lane ORDER BY id{}", tx.dialect().for_update());
                    tx.query_all_raw(tx.statement(lock, [])).await?;
                    let sql = format!(
                        "UPDATE lane SET running = {running}, next_at = {next} \
                         WHERE running <> {running} OR COALESCE(next_at, -1) <> COALESCE({next}, -1)"
                    );
                    Ok::<_, DbError>(tx.execute_raw(tx.statement(sql, [])).await?.rows_affected())
                })
            })
            .await?;
        if changed > 0 {
            self.wake();
        }
        Ok(changed)
    }

    /// Forgets jobs that ended long ago; dead letters stay until somebody looked at them.
    pub async fn forget_ended(&self) -> Result<u64, DbError> {
        let before = self.clock.now() - KEEP_ENDED;
        self.database
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    let sql = format!(
                        "WITH ended AS MATERIALIZED (SELECT id FROM job WHERE state IN ('done', 'cancelled') \
                         AND finished_at < $1 LIMIT 500{}) DELETE FROM job WHERE id IN (SELECT id FROM ended)",
                        tx.dialect().for_update_skip_locked()
                    );
                    Ok(tx.execute_raw(tx.statement(sql, [before.0.into()])).await?.rows_affected())
                })
            })
            .await
    }

    /// How many jobs wait or run: zero means that nothing is left to do.
    pub async fn unfinished(&self) -> Result<i64, DbError> {
        let tx = self.database.system_read().await?;
        let sql = "SELECT count(*) FROM job WHERE state IN ('ready', 'running')";
        first_i64(tx.query_one_raw(tx.statement(sql, [])).await?)
    }
}
