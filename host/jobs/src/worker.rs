//! Runs jobs: claims as many as it has places for, keeps their leases alive, writes down how they
//! ended, and stops without leaving anything half done.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use portolan_core::{Duration, id};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::backoff::below;
use crate::{ClaimedJob, Queue, Registry};

mod alone;
mod supervise;

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Jobs at once.
    pub concurrency: usize,
    /// How often an idle worker looks, also when nobody wakes it.
    pub poll: Duration,
    /// How often leases are extended; a third of the lease or less.
    pub heartbeat: Duration,
    /// How long running jobs may take to stop.
    pub drain: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            poll: Duration::from_secs(1),
            heartbeat: Duration::from_secs(10),
            drain: Duration::from_secs(25),
        }
    }
}

/// One worker of this process.
pub struct Worker {
    id: Uuid,
    queue: Queue,
    registry: Arc<Registry>,
    options: WorkerOptions,
}

impl Worker {
    pub fn new(queue: Queue, registry: Registry, options: WorkerOptions) -> Self {
        let id = id::new_uuid(&*queue.clock, &*queue.random);
        Self { id, queue, registry: Arc::new(registry), options }
    }

    /// Works until `shutdown`. Then claims nothing more, tells running jobs to stop, waits for them as
    /// long as [`WorkerOptions::drain`] says, and gives back what is unfinished with its attempt refunded.
    pub async fn run(self, shutdown: CancellationToken) {
        let alone = self.take_over().await;
        let maintenance = tokio::spawn(maintain(self.queue.clone(), self.options.poll, shutdown.clone()));
        let mut running = JoinSet::new();
        while !shutdown.is_cancelled() {
            let free = self.options.concurrency.saturating_sub(running.len());
            match self.queue.claim(self.id, free).await {
                Ok(jobs) => jobs.into_iter().for_each(|job| self.start(&mut running, job, &shutdown)),
                Err(error) => tracing::warn!(%error, "claiming jobs failed, trying again"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.queue.wake.notified(), if running.len() < self.options.concurrency => {}
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = tokio::time::sleep(self.jittered_poll()) => {}
            }
        }
        while running.join_next().await.is_some() {}
        if let Err(error) = maintenance.await {
            tracing::error!(%error, "the queue's maintenance ended badly");
        }
        drop(alone);
    }

    /// On an embedded database without another worker, takes back at once what a predecessor left
    /// running: after a crash nobody has to wait for its leases to run out.
    async fn take_over(&self) -> Option<alone::Alone> {
        let alone = alone::Alone::claim(self.queue.database().file()?)?;
        match self.queue.take_back_all().await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "took up what the last run of this server left unfinished"),
            Err(error) => tracing::warn!(%error, "unfinished jobs wait until their leases run out"),
        }
        Some(alone)
    }

    fn start(&self, running: &mut JoinSet<()>, job: ClaimedJob, shutdown: &CancellationToken) {
        let span =
            tracing::info_span!("job", job.id = %job.id, job.kind = job.kind, job.attempt = job.attempt);
        let supervised =
            supervise::run(self.queue.clone(), self.registry.clone(), self.options, job, shutdown.clone());
        running.spawn(supervised.instrument(span));
    }

    /// Workers of many processes do not look at the same moment.
    fn jittered_poll(&self) -> StdDuration {
        let poll = self.options.poll.0;
        Duration(poll / 2 + below(&*self.queue.random, poll / 2)).to_std()
    }
}

/// Fires schedules at every turn; takes back lost jobs, audits lanes and forgets old jobs now and then.
async fn maintain(queue: Queue, turn: Duration, shutdown: CancellationToken) {
    for round in 0_u64.. {
        report("firing schedules", queue.fire_due().await.map(|_| ()));
        if round.is_multiple_of(10) {
            report("taking back lost jobs", queue.reap().await.map(|_| ()));
        }
        if round.is_multiple_of(30) {
            report("auditing lanes", queue.audit_lanes().await.map(|_| ()));
        }
        if round.is_multiple_of(600) {
            report("forgetting old jobs", queue.forget_ended().await.map(|_| ()));
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(turn.to_std()) => {}
        }
    }
}

fn report(doing: &str, result: Result<(), portolan_db::DbError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "{doing} failed, trying again");
    }
}
