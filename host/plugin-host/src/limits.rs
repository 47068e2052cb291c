//! What stops a call: memory, tables, computing time; and the words in which it is told.

use portolan_connector::Fault;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::engine::TICK_MS;

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
    ticks: u64,
    tick_budget: u64,
    stop: Option<Stop>,
}

impl Meter {
    pub fn new(memory_limit: u64, cpu_ms: u64) -> Self {
        Self {
            memory_limit: usize::try_from(memory_limit).unwrap_or(usize::MAX),
            memory_used: 0,
            refused: None,
            ticks: 0,
            tick_budget: cpu_ms.div_ceil(TICK_MS).max(1),
            stop: None,
        }
    }

    /// Called at each tick during which the guest computed; waiting for a response costs one.
    pub fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.ticks += 1;
        if self.ticks > self.tick_budget {
            return Err(self.stop(Stop::Cpu { budget_ms: self.tick_budget * TICK_MS }));
        }
        Ok(UpdateDeadline::Yield(1))
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
