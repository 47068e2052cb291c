//! Whether the database's disk has room, learned from the writes themselves.

use std::sync::atomic::{AtomicBool, Ordering};

/// What the last write that needed room found.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    full: AtomicBool,
}

impl Disk {
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// A statement failed because there was no room.
    pub fn ran_full(&self) {
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "the disk of the database is full: free some space; nothing acknowledged is lost, \
                 and what waits goes on by itself"
            );
        }
    }

    /// A transaction that changed rows was committed.
    pub fn took_a_write(&self) {
        if self.full.swap(false, Ordering::Relaxed) {
            tracing::warn!("the disk of the database has room again");
        }
    }
}
