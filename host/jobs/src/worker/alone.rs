//! Whether this is the only worker of an embedded database: a lock on a file beside it, which the
//! operating system releases however the process ends.

use std::fs::{File, TryLockError};
use std::path::Path;

/// Held while the worker runs.
pub(super) struct Alone {
    _lock: File,
}

impl Alone {
    /// `None` when another worker holds the lock, or when there is no telling.
    pub fn claim(database: &Path) -> Option<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push(".worker");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = file.and_then(|file| match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        });
        match lock {
            Ok(lock) => lock.map(|lock| Self { _lock: lock }),
            Err(error) => {
                tracing::warn!(%error, "cannot tell whether another worker runs, so none is succeeded");
                None
            }
        }
    }
}
