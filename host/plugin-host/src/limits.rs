//! What stops a call: memory, tables, computing time; and the words in which it is told.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portolan_connector::Fault;
use portolan_core::{Clock, SystemClock};
use tokio::time::error::Elapsed;
use wasmtime::{ResourceLimiter, UpdateDeadline};

/// What a guest may hold at once: streams and pollables of WASI, and whatever it makes up itself.
pub const MAX_RESOURCES: usize = 1_000;

const MAX_TABLE_ELEMENTS: usize = 100_000;
const MAX_INSTANCES: usize = 100;
const MAX_TABLES: usize = 100;
const MAX_MEMORIES: usize = 20;

/// Why the host put an end to a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    #[error("computing time is used up")]
    Cpu { budget_ms: u64 },
    #[error("{detail}")]
    Output { detail: String },
    #[error("{0}")]
    Bug(String),
}

impl Stop {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Cpu { budget_ms } => Fault::Stopped {
                limit: "cpu".to_owned(),
                detail: format!(
                    "it computed for more than {budget_ms} ms in one call: let it return smaller pages, or raise limits.cpu_ms in its manifest"
                ),
            },
            Self::Output { detail } => Fault::Stopped { limit: "output".to_owned(), detail: detail.clone() },
            Self::Bug(detail) => Fault::PluginBug { detail: detail.clone() },
        }
    }
}

/// Counts what a call uses.
#[derive(Debug)]
pub struct Meter {
    memory_limit: usize,
    memory_used: usize,
    /// The growth that was refused last, in bytes of the whole.
    refused: Option<usize>,
    stopwatch: Stopwatch,
    budget_ms: u64,
    stop: Option<Stop>,
}

/// How long a call has computed, in the guest and in the host functions that it called; waiting is free.
///
/// The ticks of the epoch alone would not do: they only reach the guest between two host calls, so that a
/// flood of long ones (megabytes logged, hashed or emitted) would cost a tick each, however long they took.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch {
    shared: Arc<Measured>,
}

#[derive(Debug, Default)]
struct Measured {
    /// Time of the turns that have ended.
    spent_us: AtomicI64,
    /// When the present turn began.
    began_us: AtomicI64,
}

impl Stopwatch {
    /// Runs a future for so long in all, and counts the time of its turns.
    pub async fn limit<F: Future>(self, wall: Duration, future: F) -> Result<F::Output, Elapsed> {
        let mut future = std::pin::pin!(future);
        let turns = std::future::poll_fn(|context| {
            self.shared.began_us.store(now_us(), Ordering::Relaxed);
            let polled = future.as_mut().poll(context);
            self.shared.spent_us.store(self.spent_us(), Ordering::Relaxed);
            polled
        });
        tokio::time::timeout(wall, turns).await
    }

    /// Meaningful inside a turn.
    fn spent_us(&self) -> i64 {
        let turn_us = now_us().saturating_sub(self.shared.began_us.load(Ordering::Relaxed));
        self.shared.spent_us.load(Ordering::Relaxed).saturating_add(turn_us)
    }
}

/// Real time, as the ticker's: a limit that a test could hold still would be none.
fn now_us() -> i64 {
    SystemClock.monotonic().0
}

impl Meter {
    pub fn new(memory_limit: u64, cpu_ms: u64) -> Self {
        Self {
            memory_limit: usize::try_from(memory_limit).unwrap_or(usize::MAX),
            memory_used: 0,
            refused: None,
            stopwatch: Stopwatch::default(),
            budget_ms: cpu_ms.max(1),
            stop: None,
        }
    }

    /// Called at each tick of the epoch in which the guest computes.
    pub fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        if self.stopwatch.spent_us() > i64::try_from(self.budget_ms.saturating_mul(1_000)).unwrap_or(i64::MAX)
        {
            return Err(self.stop(Stop::Cpu { budget_ms: self.budget_ms }));
        }
        Ok(UpdateDeadline::Yield(1))
    }

    /// What measures the call that this meter belongs to.
    pub fn stopwatch(&self) -> Stopwatch {
        self.stopwatch.clone()
    }

    /// Remembers why, because the engine wraps errors on their way out of the guest.
    pub fn stop(&mut self, stop: Stop) -> wasmtime::Error {
        self.stop.get_or_insert_with(|| stop.clone());
        wasmtime::Error::new(stop)
    }

    pub fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// The fault of a guest that gave up after it got no more memory.
    pub fn out_of_memory(&self) -> Option<Fault> {
        let asked = self.refused?;
        Some(Fault::Stopped {
            limit: "memory".to_owned(),
            detail: format!(
                "it asked for {} MiB of memory, the limit is {} MiB: let it return smaller pages, or raise limits.memory_bytes in its manifest (at most 256 MiB)",
                asked >> 20,
                self.memory_limit >> 20
            ),
        })
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let whole = self.memory_used.saturating_add(desired.saturating_sub(current));
        if whole > self.memory_limit {
            self.refused = Some(whole);
            return Ok(false);
        }
        self.memory_used = whole;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }
    fn tables(&self) -> usize {
        MAX_TABLES
    }
    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
