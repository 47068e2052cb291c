//! Removing files that nothing lists: left by a crash, by a lost race, or by a merge.
//!
//! Another process may still be reading a file that was just unlisted, so a file goes only after it has
//! been seen unlisted for a while, and never while a question in this process has it open.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use portolan_analytics::Fact;
use portolan_core::{Duration, TenantId};

use crate::part::tenant_folder;
use crate::{FactStore, FactsError, snapshot};

/// Longer than any question runs.
const GRACE: Duration = Duration::from_minutes(15);

/// Which files are being read, and since when files have been seen unlisted.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<String, usize>,
    unlisted_since: HashMap<String, Duration>,
}

/// Keeps some files from being removed while it lives.
pub(crate) struct OpenFiles {
    readers: Arc<Readers>,
    paths: Vec<String>,
}

impl Readers {
    pub(crate) fn open(self: &Arc<Self>, paths: &[String]) -> OpenFiles {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            *state.open.entry(path.clone()).or_default() += 1;
        }
        OpenFiles { readers: self.clone(), paths: paths.to_vec() }
    }

    /// Of the unlisted files, those that may go now.
    fn removable(&self, unlisted: HashSet<String>, prefix: &str, now: Duration) -> Vec<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unlisted_since.retain(|path, _| !path.starts_with(prefix) || unlisted.contains(path));
        let mut removable = Vec::new();
        for path in unlisted {
            let since = *state.unlisted_since.entry(path.clone()).or_insert(now);
            if now.0 - since.0 >= GRACE.0 && !state.open.contains_key(&path) {
                state.unlisted_since.remove(&path);
                removable.push(path);
            }
        }
        removable
    }
}

impl Drop for OpenFiles {
    fn drop(&mut self) {
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        for path in &self.paths {
            if let Some(count) = state.open.get_mut(path) {
                *count -= 1;
                if *count == 0 {
                    state.open.remove(path);
                }
            }
        }
    }
}

impl FactStore {
    /// Removes files that have been unlisted for a while; says how many. For a background job, now and then.
    pub async fn sweep(&self, tenant: TenantId) -> Result<usize, FactsError> {
        let mut removable = Vec::new();
        for fact in Fact::ALL {
            // Files first, list second: a part that is committed in between is in the list.
            let below = tenant_folder(tenant, fact);
            let files = self.files(below.clone()).await?;
            let tx = self.database.read(tenant).await?;
            let parts = snapshot::parts(&tx, &[fact]).await?;
            drop(tx);
            let listed: HashSet<String> = parts.into_iter().map(|part| part.path).collect();
            let unlisted = files.into_iter().filter(|path| !listed.contains(path)).collect();
            removable.extend(self.readers.removable(unlisted, &below, self.clock.monotonic()));
        }
        let count = removable.len();
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || remove(&folder, &removable))
            .await
            .map_err(|_| FactsError::Stopped)??;
        Ok(count)
    }

    async fn files(&self, below: String) -> Result<Vec<String>, FactsError> {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || list(&folder, &below)).await.map_err(|_| FactsError::Stopped)?
    }
}

fn list(folder: &Path, below: &str) -> Result<Vec<String>, FactsError> {
    let parts = folder.join(below);
    if !parts.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&parts).map_err(FactsError::file(&parts))? {
        let entry = entry.map_err(FactsError::file(&parts))?;
        files.push(format!("{below}/{}", entry.file_name().to_string_lossy()));
    }
    Ok(files)
}

fn remove(folder: &Path, paths: &[String]) -> Result<(), FactsError> {
    for path in paths {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(FactsError::file(&path))?;
    }
    Ok(())
}
