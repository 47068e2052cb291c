//! The queue on both databases.

mod enqueue;
mod fencing;
mod history;
mod lanes;
mod locks;
mod progress;
mod retry;
mod schedules;
mod support;
mod worker;
