//! One call into a plugin: a store with its limits, the export, and the words for whatever ended it.

use std::sync::Arc;
use std::time::Duration;

use portolan_connector::{ConnectionContext, Fault, FetchRequest, Manifest, NormalizeRequest};
use portolan_core::Instant;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Engine, Store, Trap};

use crate::bindings::exports::portolan::plugin::normalizer::Summary;
use crate::bindings::portolan::plugin::{sync as wit, types};
use crate::capability::files::Files;
use crate::capability::http::{HttpCall, SharedHttp, Tape, scrubber_for};
use crate::capability::log::Log;
use crate::capability::signer::Signer;
use crate::capability::sink::Sink;
use crate::convert;
use crate::limits::{MAX_RESOURCES, Meter, Stopwatch};
use crate::options::{Limits, Options};
use crate::runtime::Loaded;
use crate::state::HostState;
use crate::text::Scrubber;

/// A call that has what it needs but no store yet.
pub struct Prepared {
    loaded: Arc<Loaded>,
    state: HostState,
    wall: Duration,
    hostcall_bytes: usize,
    pub scrubber: Scrubber,
    /// What the guest sees of the configuration.
    config: Arc<str>,
    normalize: Option<NormalizeRequest>,
}

/// A store, ready to be called once.
pub struct Call {
    loaded: Arc<Loaded>,
    store: Store<HostState>,
    wall: Duration,
    scrubber: Scrubber,
    config: Arc<str>,
    normalize: Option<NormalizeRequest>,
    /// Given back when the call is dropped, however it ended.
    _places: [OwnedSemaphorePermit; 2],
}

impl Prepared {
    /// A call that may reach the network.
    pub fn fetching(
        loaded: Arc<Loaded>,
        options: &Options,
        http: Arc<SharedHttp>,
        connection: &ConnectionContext,
        now: Instant,
    ) -> Result<Self, Fault> {
        let manifest = loaded.installed.manifest.clone();
        let config: Value = serde_json::from_str(&connection.config)
            .map_err(|error| invalid_config(format!("the configuration is no JSON: {error}")))?;
        let scrubber = scrubber_for(&manifest, connection, &config);
        let mut prepared = Self::new(loaded, options, scrubber.clone(), now);
        prepared.config = without_secrets(&manifest, &connection.config);
        prepared.state.signer = Signer::new(&manifest, &connection.secrets);
        prepared.state.files = Files::new(connection.files.clone());
        let http = HttpCall::new(http, manifest, connection, &config, scrubber).map_err(invalid_config)?;
        prepared.state.http = Some(http);
        Ok(prepared)
    }

    /// A call that can reach nothing.
    pub fn pure(loaded: Arc<Loaded>, options: &Options, request: NormalizeRequest) -> Self {
        let mut prepared = Self::new(loaded, options, Scrubber::default(), request.received_at);
        prepared.config = without_secrets(&prepared.manifest(), &request.config);
        prepared.normalize = Some(request);
        prepared
    }

    fn new(loaded: Arc<Loaded>, options: &Options, scrubber: Scrubber, frozen_at: Instant) -> Self {
        let limits: &Limits = &options.limits;
        let asked = &loaded.installed.manifest.limits;
        let meter = Meter::new(asked.memory_bytes.min(limits.memory_bytes), asked.cpu_ms.min(limits.cpu_ms));
        let log = Log::new(&loaded.installed.plugin.id, scrubber.clone(), limits.log_lines, limits.log_bytes);
        let sink = Sink::new(limits.sink_rows, limits.sink_bytes);
        Self {
            wall: Duration::from_millis(asked.wall_ms.min(limits.wall_ms).max(1)),
            hostcall_bytes: limits.hostcall_bytes,
            state: HostState::new(meter, log, sink, frozen_at),
            scrubber,
            config: Arc::from("{}"),
            normalize: None,
            loaded,
        }
    }

    /// Cuts the time to what is left of the run.
    pub fn within(mut self, now: Instant, deadline: Instant) -> Self {
        self.wall = self.wall.min(deadline.since(now).to_std());
        self
    }

    /// Has its requests recorded, or answered from a cassette.
    pub fn taped(mut self, tape: Option<Arc<Tape>>) -> Self {
        if let (Some(http), Some(tape)) = (&mut self.state.http, tape) {
            http.put_in(tape);
        }
        self
    }

    pub fn manifest(&self) -> Arc<Manifest> {
        self.loaded.installed.manifest.clone()
    }

    /// The places that calls of this plugin share.
    pub fn places(&self) -> Arc<Semaphore> {
        self.loaded.places.clone()
    }

    pub fn open(self, engine: &Engine, places: [OwnedSemaphorePermit; 2]) -> Result<Call, Fault> {
        let mut store = Store::new(engine, self.state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(self.hostcall_bytes);
        store.set_max_component_handles(MAX_RESOURCES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| context.data_mut().meter.tick());
        Ok(Call {
            loaded: self.loaded,
            store,
            wall: self.wall,
            scrubber: self.scrubber,
            config: self.config,
            normalize: self.normalize,
            _places: places,
        })
    }
}

type Answer<T> = wasmtime::Result<Result<T, types::PluginError>>;

impl Call {
    pub async fn instantiate(mut self) -> Result<(), Fault> {
        let loaded = self.loaded.clone();
        let answer: Result<Answer<()>, _> = self
            .stopwatch()
            .limit(self.wall, async {
                loaded.linked.pure.instantiate_async(&mut self.store).await?;
                Ok(Ok(()))
            })
            .await;
        self.settle(answer)
    }

    pub async fn check(
        mut self,
        connection: &ConnectionContext,
        now: Instant,
    ) -> Result<wit::CheckReport, Fault> {
        let loaded = self.loaded.clone();
        let conn = self.connection(connection, now);
        let answer = self
            .stopwatch()
            .limit(self.wall, async {
                let plugin = loaded.linked.fetching.instantiate_async(&mut self.store).await?;
                plugin.portolan_plugin_source().call_check(&mut self.store, &conn).await
            })
            .await;
        with_quota(self.store.data().http.as_ref(), self.settle(answer)).await
    }

    pub async fn partitions(
        mut self,
        connection: &ConnectionContext,
        stream: &str,
        now: Instant,
    ) -> Result<Vec<wit::Partition>, Fault> {
        let loaded = self.loaded.clone();
        let conn = self.connection(connection, now);
        let answer = self
            .stopwatch()
            .limit(self.wall, async {
                let plugin = loaded.linked.fetching.instantiate_async(&mut self.store).await?;
                plugin.portolan_plugin_source().call_partitions(&mut self.store, &conn, stream).await
            })
            .await;
        with_quota(self.store.data().http.as_ref(), self.settle(answer)).await
    }

    pub async fn fetch(mut self, request: &FetchRequest) -> Result<(wit::Page, HostState), Fault> {
        let loaded = self.loaded.clone();
        let conn = self.connection(&request.connection, request.now);
        let request = convert::fetch_request(request, conn);
        let answer = self
            .stopwatch()
            .limit(self.wall, async {
                let plugin = loaded.linked.fetching.instantiate_async(&mut self.store).await?;
                plugin.portolan_plugin_source().call_fetch(&mut self.store, &request).await
            })
            .await;
        let page = with_quota(self.store.data().http.as_ref(), self.settle(answer)).await?;
        Ok((page, self.store.into_data()))
    }

    pub async fn normalize(mut self) -> Result<(Summary, HostState), Fault> {
        let Some(request) = self.normalize.take() else {
            return Err(Fault::PluginBug { detail: "there is nothing to normalize".to_owned() });
        };
        let loaded = self.loaded.clone();
        let info = wit::ChunkInfo {
            stream: request.info.stream,
            framing: request.info.framing,
            content_type: request.info.content_type,
        };
        let answer = self
            .stopwatch()
            .limit(self.wall, async {
                let plugin = loaded.linked.pure.instantiate_async(&mut self.store).await?;
                plugin
                    .portolan_plugin_normalizer()
                    .call_normalize(
                        &mut self.store,
                        &info,
                        &request.body,
                        &self.config,
                        &request.time_zone,
                        request.received_at.0,
                    )
                    .await
            })
            .await;
        let summary = self.settle(answer)?;
        Ok((summary, self.store.into_data()))
    }

    fn stopwatch(&self) -> Stopwatch {
        self.store.data().meter.stopwatch()
    }

    fn connection(&self, context: &ConnectionContext, now: Instant) -> wit::Connection {
        let base_url = self.store.data().http.as_ref().and_then(HttpCall::base_url);
        convert::connection(context, &self.config, base_url, now)
    }

    /// What a call ended in. The store is dropped by the caller on every error: it is never used twice.
    fn settle<T>(&self, answer: Result<Answer<T>, tokio::time::error::Elapsed>) -> Result<T, Fault> {
        match answer {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(error))) => Err(convert::fault(error, &self.scrubber)),
            Ok(Err(error)) => Err(self.explain(&error)),
            // The channel was slow, not the plugin: that may be better later.
            Err(_) if self.store.data().http.as_ref().is_some_and(HttpCall::was_waiting) => {
                Err(Fault::Transient {
                    after_ms: None,
                    detail: format!(
                        "the channel did not answer within the {} ms of the call",
                        self.wall.as_millis()
                    ),
                })
            }
            Err(_) => Err(Fault::Stopped {
                limit: "deadline".to_owned(),
                detail: format!(
                    "it took longer than {} ms for one call: let it return smaller pages or shorter waits, or raise limits.wall_ms in its manifest",
                    self.wall.as_millis()
                ),
            }),
        }
    }

    /// Words for a trap, the host's own reasons first.
    fn explain(&self, error: &wasmtime::Error) -> Fault {
        let meter = &self.store.data().meter;
        if let Some(stop) = meter.stopped() {
            return stop.fault();
        }
        let words = format!("{error:#}");
        if let Some(fault) = meter.out_of_memory() {
            return fault;
        }
        if words.contains("fuel") && words.contains("hostcall") || words.contains("too much data") {
            return Fault::Stopped {
                limit: "output".to_owned(),
                detail: "it handed more data to the host in one call than a call may: let it work in smaller batches".to_owned(),
            };
        }
        if words.contains("handle limit exceeded") || words.contains("no free keys") {
            return Fault::Stopped {
                limit: "resources".to_owned(),
                detail: format!(
                    "it held more than {MAX_RESOURCES} resources (streams, pollables) at once: let it give back what it no longer needs"
                ),
            };
        }
        let last_words = self.store.data().log.last_words();
        let trap = error.downcast_ref::<Trap>().map(ToString::to_string);
        let cause = trap.unwrap_or_else(|| error.root_cause().to_string());
        let detail = match last_words {
            Some(line) => format!("{cause}; its last words: {line}"),
            None => cause,
        };
        Fault::Stopped {
            limit: "trap".to_owned(),
            detail: format!(
                "it crashed ({}): the page is kept; report this to the plugin's publisher",
                self.scrubber.clean(&detail, 600)
            ),
        }
    }
}

/// A failure of a call that may have sent requests can be about the channel's quota.
async fn with_quota<T>(http: Option<&HttpCall>, settled: Result<T, Fault>) -> Result<T, Fault> {
    match (settled, http) {
        (Err(fault), Some(http)) => Err(http.settle_fault(fault).await),
        (settled, _) => settled,
    }
}

/// The configuration as a guest may see it. Callers hand it over without secrets; should one ever
/// not, it ends here.
fn without_secrets(manifest: &Manifest, config: &Arc<str>) -> Arc<str> {
    if !manifest.secret_fields().iter().any(|field| config.contains(field.as_str())) {
        return config.clone();
    }
    match serde_json::from_str::<Value>(config) {
        Ok(parsed) => Arc::from(manifest.split_config(&parsed).public.to_string()),
        Err(_) => Arc::from("{}"),
    }
}

fn invalid_config(message: String) -> Fault {
    Fault::InvalidConfig { fields: vec![portolan_connector::FieldError { path: String::new(), message }] }
}
