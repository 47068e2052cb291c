//! Files that are here for one request alone: an upload on its way in, the beginning of a file that is looked at.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use portolan_core::id::new_uuid;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Below the data folder. The second one had been used for files that are looked at.
const FOLDERS: [&str; 2] = ["uploads/incoming", "uploads/looked-at"];
/// Longer than any upload lasts that still gets on.
const LEFT_OVER_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// A file that goes however its request ends: also when its sender goes away.
pub struct PassingFile(PathBuf);

impl PassingFile {
    /// A place for a file; nothing lies there yet.
    pub async fn new(app: &App) -> AppResult<Self> {
        let folder = app.data_dir.join(FOLDERS[0]);
        tokio::fs::create_dir_all(&folder).await.map_err(AppError::storage)?;
        Ok(Self(folder.join(new_uuid(&*app.clock, &*app.random).to_string())))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PassingFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "failed to remove a file that had been received");
        }
    }
}

/// Removes what a server left that was killed while a file passed through. Says how many files.
pub async fn sweep_left_over(app: &App) -> io::Result<usize> {
    let now = UNIX_EPOCH + Duration::from_micros(app.clock.now().0.unsigned_abs());
    let mut removed = 0;
    for folder in FOLDERS {
        let mut entries = match tokio::fs::read_dir(app.data_dir.join(folder)).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        while let Some(entry) = entries.next_entry().await? {
            let written = entry.metadata().await?.modified()?;
            if now.duration_since(written).is_ok_and(|age| age > LEFT_OVER_AFTER) {
                tokio::fs::remove_file(entry.path()).await?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
