//! One claimed job from start to settlement.

use std::sync::Arc;

use portolan_core::Duration;
use tokio::task::JoinError;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::WorkerOptions;
use crate::{ClaimedJob, JobContext, JobError, LeaseLost, Queue, Registry, RetryPolicy, Settled};

/// Before the lease ends, by the monotonic clock, a worker that cannot reach the database gives up.
const MARGIN: Duration = Duration::from_secs(5);

/// How a job's code ended.
enum Ended {
    Returned(Result<(), JobError>),
    Panicked,
    /// Told to stop, and took longer than it may.
    Unfinished,
    LeaseLost,
}

pub(super) async fn run(
    queue: Queue,
    registry: Arc<Registry>,
    options: WorkerOptions,
    job: ClaimedJob,
    shutdown: CancellationToken,
) {
    let Some(handler) = registry.find(&job.kind) else {
        let unknown = JobError::fail(format!("no worker knows jobs of the kind {:?}", job.kind));
        return settle(&queue, &job, Ended::Returned(Err(unknown)), RetryPolicy::default()).await;
    };
    let payload = match serde_json::from_str(&job.payload) {
        Ok(payload) => payload,
        Err(error) => {
            let unreadable = JobError::fail(format!("the job's payload cannot be read: {error}"));
            return settle(&queue, &job, Ended::Returned(Err(unreadable)), RetryPolicy::default()).await;
        }
    };
    let policy = handler.retry_policy();
    let stopping = CancellationToken::new();
    let context = JobContext::new(queue.clone(), job.clone(), stopping.clone());
    let code = async move { handler.run(&context, payload).await };
    let task = AbortOnDropHandle::new(tokio::spawn(code.in_current_span()));
    let ended = watch(&queue, &job, options, task, &stopping, &shutdown).await;
    settle(&queue, &job, ended, policy).await;
}

/// Waits for the job's code, keeping the lease alive, until it ends or has to be ended.
async fn watch(
    queue: &Queue,
    job: &ClaimedJob,
    options: WorkerOptions,
    mut task: AbortOnDropHandle<Result<(), JobError>>,
    stopping: &CancellationToken,
    shutdown: &CancellationToken,
) -> Ended {
    let beat = options.heartbeat.to_std();
    let mut heartbeat = interval(beat);
    heartbeat.reset();
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_beat = queue.clock().monotonic();
    let mut told_to_stop = false;
    let patience = sleep(options.drain.to_std());
    tokio::pin!(patience);
    loop {
        tokio::select! {
            result = &mut task => return ended(result),
            () = shutdown.cancelled(), if !told_to_stop => {
                stopping.cancel();
                told_to_stop = true;
                patience.set(sleep(options.drain.to_std()));
            }
            () = &mut patience, if told_to_stop => return Ended::Unfinished,
            _ = heartbeat.tick() => match timeout(beat, queue.heartbeat(job)).await {
                Ok(Ok(Ok(()))) => last_beat = queue.clock().monotonic(),
                Ok(Ok(Err(LeaseLost(_)))) => return Ended::LeaseLost,
                Ok(Err(error)) => tracing::warn!(%error, "extending the lease failed, trying again"),
                Err(_) => tracing::warn!("extending the lease takes too long, trying again"),
            },
        }
        let silent = Duration(queue.clock().monotonic().0 - last_beat.0);
        let latest = Duration((queue.lease.0 - MARGIN.0).max(queue.lease.0 / 2));
        if silent > latest {
            return Ended::LeaseLost;
        }
    }
}

fn ended(result: Result<Result<(), JobError>, JoinError>) -> Ended {
    match result {
        Ok(result) => Ended::Returned(result),
        Err(error) if error.is_panic() => Ended::Panicked,
        Err(_) => Ended::Unfinished,
    }
}

/// Writes the end down; as long as the database is away, for as long as the lease lasts. Where that
/// fails, the reaper takes the job back.
async fn settle(queue: &Queue, job: &ClaimedJob, ended: Ended, policy: RetryPolicy) {
    if matches!(ended, Ended::LeaseLost) {
        tracing::warn!("the lease is lost, the job's result is discarded");
        return;
    }
    let started = queue.clock().monotonic();
    loop {
        let settled = match &ended {
            Ended::Returned(result) => queue.settle(job, result.clone(), policy).await,
            Ended::Panicked => {
                queue.settle(job, Err(JobError::retry("the job's code panicked")), policy).await
            }
            Ended::Unfinished | Ended::LeaseLost => queue.release(job).await,
        };
        match settled {
            Ok(Ok(settled)) => return log_end(&ended, settled),
            Ok(Err(lost)) => return tracing::warn!("{lost}, the job's result is discarded"),
            Err(error) if queue.clock().monotonic().0 - started.0 > queue.lease.0 => {
                return tracing::error!(%error, "the job's end could not be written, it will run again");
            }
            Err(error) => tracing::warn!(%error, "writing the job's end failed, trying again"),
        }
        sleep(std::time::Duration::from_millis(500)).await;
    }
}

fn log_end(ended: &Ended, settled: Settled) {
    match ended {
        Ended::Returned(Ok(())) => tracing::debug!("job done"),
        Ended::Returned(Err(error)) if settled == Settled::Dead => {
            tracing::error!(%error, "job failed for good")
        }
        Ended::Returned(Err(error)) => {
            tracing::info!(error.class = error.class(), %error, ?settled, "job goes on later")
        }
        Ended::Panicked => tracing::error!(?settled, "the job's code panicked"),
        Ended::Unfinished | Ended::LeaseLost => tracing::info!("job given back unfinished"),
    }
}
