//! A plugin runtime for tests of the slices: pages and faults are scripted, nothing is executed.
//!
//! A raw record of the fake is a [`Document`] as JSON, or any other JSON, which is then skipped with
//! a reason; so what a test puts in is what comes out of `normalize`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use portolan_commerce::document::{Document, Skipped};
use portolan_core::Instant;
use serde_json::Value;

use crate::{
    CheckReport, ChunkInfo, ConnectionContext, Continuation, Fault, FetchRequest, InstalledPlugin, Manifest,
    NormalizeRequest, Normalized, Page, Partition, Payload, PluginRef, PluginRuntime, RawChunk,
};

/// Answers a fetch in place of the script; `None` leaves it to the script.
pub type FetchHook = Arc<dyn Fn(&FetchRequest) -> Option<Result<Page, Fault>> + Send + Sync>;

/// Changes what a build makes of a chunk: so two builds can differ.
pub type ReadingHook = Arc<dyn Fn(&PluginRef, &mut Normalized) + Send + Sync>;

/// A scripted runtime. Clones share one script.
#[derive(Clone, Default)]
pub struct FakeRuntime {
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    plugins: Vec<InstalledPlugin>,
    account: Option<CheckReport>,
    check_faults: VecDeque<Fault>,
    partitions: BTreeMap<String, Vec<Partition>>,
    pages: BTreeMap<String, Vec<ScriptedPage>>,
    fetch_faults: BTreeMap<(String, usize), VecDeque<Fault>>,
    normalize_faults: VecDeque<Fault>,
    fetch_hook: Option<FetchHook>,
    reading_hook: Option<ReadingHook>,
    fetches: Vec<FetchRequest>,
}

#[derive(Clone)]
struct ScriptedPage {
    /// Where the page lies in the cursor's time; `None` belongs to every slice.
    at: Option<Instant>,
    records: Vec<Value>,
}

impl FakeRuntime {
    pub fn new() -> Self {
        Self::default()
    }

    /// Installs a plugin by its manifest.
    pub fn plugin(self, manifest: Manifest) -> Self {
        self.add(manifest);
        self
    }

    /// Who the channel says is behind every connection.
    pub fn account(self, report: CheckReport) -> Self {
        self.script().account = Some(report);
        self
    }

    /// The next `check` fails.
    pub fn check_fault(self, fault: Fault) -> Self {
        self.script().check_faults.push_back(fault);
        self
    }

    pub fn partitions_of(self, stream: &str, partitions: Vec<Partition>) -> Self {
        self.script().partitions.insert(stream.to_owned(), partitions);
        self
    }

    /// Appends a page of documents to a stream; every slice of the stream gets it.
    pub fn page(self, stream: &str, documents: &[Document]) -> Self {
        self.records(stream, None, documents.iter().map(record_of).collect())
    }

    /// Appends a page that only slices get whose window holds `at`.
    pub fn page_at(self, stream: &str, at: Instant, documents: &[Document]) -> Self {
        self.records(stream, Some(at), documents.iter().map(record_of).collect())
    }

    /// Appends a page of raw records; one that is no document is skipped by `normalize`.
    pub fn records(self, stream: &str, at: Option<Instant>, records: Vec<Value>) -> Self {
        self.script().pages.entry(stream.to_owned()).or_default().push(ScriptedPage { at, records });
        self
    }

    /// Fetching the page with this index (of its slice) fails, once per call of this function.
    pub fn fetch_fault(self, stream: &str, page_index: usize, fault: Fault) -> Self {
        self.script().fetch_faults.entry((stream.to_owned(), page_index)).or_default().push_back(fault);
        self
    }

    /// The next `normalize` fails.
    pub fn normalize_fault(self, fault: Fault) -> Self {
        self.script().normalize_faults.push_back(fault);
        self
    }

    /// Answers fetches that the script cannot express.
    pub fn on_fetch(
        self,
        hook: impl Fn(&FetchRequest) -> Option<Result<Page, Fault>> + Send + Sync + 'static,
    ) -> Self {
        self.script().fetch_hook = Some(Arc::new(hook));
        self
    }

    /// Has builds make other things of the records than the records say.
    pub fn on_normalize(self, hook: impl Fn(&PluginRef, &mut Normalized) + Send + Sync + 'static) -> Self {
        self.script().reading_hook = Some(Arc::new(hook));
        self
    }

    /// Every fetch so far, oldest first.
    pub fn fetches(&self) -> Vec<FetchRequest> {
        self.script().fetches.clone()
    }

    /// Drops all pages of a stream, so that a test can tell what the channel says next.
    pub fn clear_pages(&self, stream: &str) {
        self.script().pages.remove(stream);
    }

    fn add(&self, manifest: Manifest) -> InstalledPlugin {
        let installed = InstalledPlugin {
            plugin: PluginRef {
                id: manifest.id.clone(),
                version: manifest.version.clone(),
                sha256: fake_hash(&manifest.version),
            },
            manifest: Arc::new(manifest),
            size_bytes: 1,
        };
        let mut script = self.script();
        script.plugins.retain(|known| known.plugin != installed.plugin);
        script.plugins.push(installed.clone());
        installed
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a version: the same in both halves, as whoever knows one half alone has to tell builds apart, too.
fn fake_hash(version: &str) -> String {
    let half = format!("{:0>32}", version.replace(|character: char| !character.is_ascii_digit(), ""));
    format!("{half}{half}")
}

impl Script {
    fn installed(&self, plugin: &PluginRef) -> Result<(), Fault> {
        let known = self.plugins.iter().any(|installed| installed.plugin == *plugin);
        if known {
            Ok(())
        } else {
            Err(Fault::Unavailable { detail: format!("plugin {} is not installed", plugin.id) })
        }
    }

    fn next_page(&mut self, request: &FetchRequest) -> Result<Page, Fault> {
        let stream = &request.slice.stream;
        let index = page_index(request.token.as_ref())?;
        if let Some(fault) = self
            .fetch_faults
            .get_mut(&(stream.clone(), index))
            .and_then(std::collections::VecDeque::pop_front)
        {
            return Err(fault);
        }
        let in_window = |page: &&ScriptedPage| {
            page.at.is_none_or(|at| {
                request.slice.since.is_none_or(|since| since <= at)
                    && request.slice.until.is_none_or(|until| at < until)
            })
        };
        let pages: Vec<&ScriptedPage> =
            self.pages.get(stream).map(|pages| pages.iter().filter(in_window).collect()).unwrap_or_default();
        let Some(page) = pages.get(index) else {
            return Ok(Page::new(Vec::new(), Continuation::Done));
        };
        let next = if index + 1 < pages.len() {
            Continuation::More(Bytes::from((index + 1).to_string()))
        } else {
            Continuation::Done
        };
        let mut answer = Page::new(vec![chunk_of(stream, &page.records)], next);
        answer.expected = Some(pages.iter().map(|page| page.records.len() as u64).sum());
        Ok(answer)
    }
}

/// A document as the fake's raw record.
pub fn record_of(document: &Document) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

/// A chunk of the fake's raw records.
pub fn chunk_of(stream: &str, records: &[Value]) -> RawChunk {
    let body = serde_json::to_vec(records).unwrap_or_default();
    RawChunk {
        info: ChunkInfo {
            stream: stream.to_owned(),
            framing: "json".to_owned(),
            content_type: "application/json".to_owned(),
        },
        payload: Payload::Inline(Bytes::from(body)),
    }
}

fn page_index(token: Option<&Bytes>) -> Result<usize, Fault> {
    let Some(token) = token else { return Ok(0) };
    let index = std::str::from_utf8(token).ok().and_then(|text| text.parse().ok());
    index.ok_or_else(|| Fault::CursorExpired { detail: "not a token of this runtime".to_owned() })
}

/// Every raw record that is a document comes out as it went in, with its place in the chunk.
fn normalize_records(body: &[u8]) -> Result<Normalized, Fault> {
    let records: Vec<Value> = serde_json::from_slice(body).map_err(|error| Fault::UpstreamBug {
        status: None,
        request_id: None,
        detail: error.to_string(),
    })?;
    let mut normalized = Normalized { seen: records.len() as u32, ..Normalized::default() };
    for (src, mut record) in (0_u32..).zip(records) {
        if let Some(fields) = record.as_object_mut() {
            fields.insert("src".to_owned(), src.into());
        }
        match serde_json::from_value(record) {
            Ok(document) => {
                normalized.documents.push(document);
                normalized.emitted += 1;
            }
            Err(error) => {
                normalized.skipped.push(Skipped { src, path: None, reason: error.to_string() });
            }
        }
    }
    Ok(normalized)
}

#[async_trait]
impl PluginRuntime for FakeRuntime {
    /// The fake takes the manifest itself for a component.
    async fn install(&self, component: Bytes) -> Result<InstalledPlugin, Fault> {
        let manifest = Manifest::parse(&component).map_err(|error| Fault::Other {
            other_code: "invalid_manifest".to_owned(),
            retryable: false,
            detail: error.to_string(),
        })?;
        Ok(self.add(manifest))
    }

    fn plugins(&self) -> Vec<InstalledPlugin> {
        self.script().plugins.clone()
    }

    fn find(&self, plugin_id: &str) -> Option<InstalledPlugin> {
        self.script().plugins.iter().rev().find(|installed| installed.plugin.id == plugin_id).cloned()
    }

    async fn check(
        &self,
        plugin: &PluginRef,
        _: ConnectionContext,
        _: Instant,
    ) -> Result<CheckReport, Fault> {
        let mut script = self.script();
        script.installed(plugin)?;
        if let Some(fault) = script.check_faults.pop_front() {
            return Err(fault);
        }
        Ok(script.account.clone().unwrap_or_else(|| CheckReport {
            account: "account-1".to_owned(),
            display_name: "Test account".to_owned(),
            currency: None,
            time_zone: None,
            notes: Vec::new(),
        }))
    }

    async fn partitions(
        &self,
        plugin: &PluginRef,
        _: ConnectionContext,
        stream: &str,
        _: Instant,
    ) -> Result<Vec<Partition>, Fault> {
        let script = self.script();
        script.installed(plugin)?;
        Ok(script.partitions.get(stream).cloned().unwrap_or_default())
    }

    async fn fetch(&self, plugin: &PluginRef, request: FetchRequest) -> Result<Page, Fault> {
        let hook = {
            let mut script = self.script();
            script.installed(plugin)?;
            script.fetches.push(request.clone());
            script.fetch_hook.clone()
        };
        match hook.and_then(|hook| hook(&request)) {
            Some(answer) => answer,
            None => self.script().next_page(&request),
        }
    }

    async fn normalize(&self, plugin: &PluginRef, request: NormalizeRequest) -> Result<Normalized, Fault> {
        let hook = {
            let mut script = self.script();
            script.installed(plugin)?;
            if let Some(fault) = script.normalize_faults.pop_front() {
                return Err(fault);
            }
            script.reading_hook.clone()
        };
        let mut normalized = normalize_records(&request.body)?;
        if let Some(hook) = hook {
            hook(plugin, &mut normalized);
        }
        Ok(normalized)
    }
}

#[cfg(test)]
mod tests;
