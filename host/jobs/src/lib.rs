//! The durable queue, on the same SQL database as everything else: a job is enqueued in the
//! transaction that makes it necessary, so neither can exist without the other.
//!
//! - A **lane** is a queue inside the queue with its own limit; each connection has one, so that no
//!   channel starves another.
//! - A claim gives a **lease** of 30 s, kept alive by heartbeats, and a **fencing token** that grows with
//!   every claim. Whatever a job writes goes through [`JobContext::write`], which checks the token in the same
//!   transaction: a worker that was paused past its lease can compute, but never write.
//! - A failure is **classified where it happens** ([`JobError`]); the queue never guesses. Failures and crashes
//!   are counted in a row: what a job writes as **progress** ([`JobContext::write_progress`]) forgives those
//!   before, so a long job outlives any number of unrelated faults, and one that gets nowhere ends.
//! - A **schedule** fires once, however many processes look at it.
//!
//! In which order transactions lock says `lane.rs`.
//!
//! Every process that shares a database must agree on the time within a few seconds: leases are compared
//! with the injected clock.

mod backoff;
mod cron;
mod enqueue;
mod error;
mod handler;
mod lane;
mod lease;
mod maintain;
mod queue;
mod schedule;
mod settle;
mod worker;

pub use backoff::{LONGEST_PATIENCE, RetryPolicy};
pub use cron::{CronSchedule, InvalidSchedule};
pub use enqueue::{Enqueued, NewJob};
pub use error::JobError;
pub use handler::{JobContext, JobHandler, Registry};
pub use lane::Lane;
pub use queue::{ClaimedJob, LeaseLost, Queue};
pub use schedule::{NewSchedule, PutScheduleError};
pub use settle::Settled;
pub use worker::{Worker, WorkerOptions};
