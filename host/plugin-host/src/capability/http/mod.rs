//! `http`: the only way out of the sandbox.
//!
//! **Invariant:** every connection is opened through [`Egress::permit`] and by a client of its own policy; a
//! secret is written only into requests toward hosts that its scheme is bound to, and never into anything that
//! the guest gets.

mod account;
mod address;
mod auth;
mod client;
mod download;
mod egress;
mod exchange;
mod outgoing;
mod quota;
mod retry_after;
mod seats;
mod tape;

pub use client::{Clients, Lookup};
pub use egress::Egress;
pub use outgoing::{GrantedOrigin, NotAnOrigin, Outgoing, OutgoingAnswer, outgoing_to_providers};
pub use seats::Seats;
pub use tape::{Player, Recorder, Tape};

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use portolan_connector::rate::RateBudgets;
use portolan_connector::{ConnectionContext, Manifest, ObservedLimit, StagedFile};
use portolan_core::Clock;
use serde_json::Value;

use self::account::Account;
use self::auth::ReadyScheme;
use self::tape::Answered;
use crate::bindings::portolan::plugin::http as wit;
use crate::options::HttpOptions;
use crate::state::HostState;
use crate::text::Scrubber;

const MAX_FAN_OUT: usize = 1_000;

/// What all calls of the process share.
pub struct SharedHttp {
    pub clients: Clients,
    pub budgets: Arc<dyn RateBudgets>,
    pub seats: Seats,
    pub options: HttpOptions,
    pub clock: Arc<dyn Clock>,
    pub downloads_dir: PathBuf,
    pub next_download: AtomicU64,
}

/// The capability of one call.
pub struct HttpCall {
    shared: Arc<SharedHttp>,
    manifest: Arc<Manifest>,
    connection: portolan_core::ConnectionId,
    account: Account,
    egress: Egress,
    /// Absent unless somebody records or replays.
    tape: Option<Arc<Tape>>,
    schemes: Vec<ReadyScheme>,
    scrubber: Scrubber,
    response_bytes: u64,
    requests: AtomicU32,
    bytes_fetched: AtomicU64,
    body_bytes: AtomicU64,
    download_bytes: AtomicU64,
    /// Exchanges begun and not ended; one that was cut off stays counted.
    in_flight: AtomicU32,
    limits: Mutex<Vec<ObservedLimit>>,
    /// The longest time for which a request was not sent for want of budget; 0 where all were.
    throttled_ms: AtomicU64,
    /// How long the channel asked to be left alone when it last refused; 0 where it did not say.
    asked_ms: AtomicU64,
    downloads: Mutex<Vec<download::Download>>,
}

/// What a call leaves behind.
pub struct HttpOutcome {
    pub bytes_fetched: u64,
    pub limits: Vec<ObservedLimit>,
    pub downloads: Vec<StagedFile>,
}

/// Removes the secrets of a connection in every form in which they may come back.
pub fn scrubber_for(manifest: &Manifest, connection: &ConnectionContext, config: &Value) -> Scrubber {
    Scrubber::new(connection.secrets.iter().map(|(_, value)| value)).and(auth::credentials(
        manifest,
        config,
        &connection.secrets,
    ))
}

impl HttpCall {
    /// Errors: a configuration value that names no usable host.
    pub fn new(
        shared: Arc<SharedHttp>,
        manifest: Arc<Manifest>,
        connection: &ConnectionContext,
        config: &Value,
        scrubber: Scrubber,
    ) -> Result<Self, String> {
        let egress = Egress::new(&manifest, config, connection)?;
        let response_bytes = manifest.limits.response_bytes.min(shared.options.response_bytes);
        Ok(Self {
            schemes: auth::ready_schemes(&manifest, config, &connection.secrets),
            account: Account::of(&manifest, connection, config),
            connection: connection.id,
            shared,
            manifest,
            egress,
            tape: None,
            scrubber,
            response_bytes,
            requests: AtomicU32::new(0),
            bytes_fetched: AtomicU64::new(0),
            body_bytes: AtomicU64::new(0),
            download_bytes: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            limits: Mutex::default(),
            throttled_ms: AtomicU64::new(0),
            asked_ms: AtomicU64::new(0),
            downloads: Mutex::default(),
        })
    }

    /// Has the call recorded, or answered from a cassette.
    pub fn put_in(&mut self, tape: Arc<Tape>) {
        self.tape = Some(tape);
    }

    pub fn base_url(&self) -> Option<String> {
        self.egress.base_url().map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    /// Ends the call; downloads that its page does not name are removed.
    pub fn finish(self, stream: &str, named: impl Fn(u64) -> bool) -> std::io::Result<HttpOutcome> {
        let mut downloads = self.downloads.into_inner().unwrap_or_else(PoisonError::into_inner);
        downloads.retain(|download| named(download.id()));
        let now = self.shared.clock.now();
        Ok(HttpOutcome {
            bytes_fetched: self.bytes_fetched.into_inner(),
            limits: self.limits.into_inner().unwrap_or_else(PoisonError::into_inner),
            downloads: downloads
                .into_iter()
                .map(|download| download.keep(stream, now))
                .collect::<Result<_, _>>()?,
        })
    }

    async fn send(&self, request: &wit::Request) -> Result<wit::Response, wit::HttpError> {
        if let Some(player) = self.player() {
            return self.play(player, request);
        }
        let place = self.recorder().map(Recorder::begin);
        let time = self.timeout_of(request);
        let exchange = async {
            let mut opened = self.open(request, time).await?;
            let body = self.read_body(&mut opened.response).await?;
            Ok(wit::Response {
                status: opened.response.status().as_u16(),
                headers: self.shown_headers(opened.response.headers()),
                body,
                url: self.scrubber.text(opened.url.as_str()).into_owned(),
                attempts: opened.attempts,
            })
        };
        let answer = self.timed(time, exchange).await;
        if let (Some(recorder), Some(place)) = (self.recorder(), place) {
            let answered = answer.as_ref().map(|answer| Answered {
                status: answer.status,
                headers: &answer.headers,
                body: &answer.body,
            });
            recorder.note(place, &self.scrubber, request, answered);
        }
        answer
    }

    /// Whether the call was cut off while it waited for the channel.
    pub fn was_waiting(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    async fn timed<T>(
        &self,
        time: Duration,
        exchange: impl Future<Output = Result<T, wit::HttpError>>,
    ) -> Result<T, wit::HttpError> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = tokio::time::timeout(time, exchange).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        answer.unwrap_or(Err(wit::HttpError::Timeout))
    }

    fn count_request(&self) -> Result<(), wit::HttpError> {
        let most = self.shared.options.requests_per_call;
        if self.requests.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(wit::HttpError::Denied(format!(
                "one call may send {most} requests: return a page and go on"
            )));
        }
        Ok(())
    }

    /// Counts a piece of a body. All bodies of one call together are bounded, however many requests it
    /// sends: the host may hold them at once.
    fn count_body(&self, bytes: u64) -> Result<(), wit::HttpError> {
        self.bytes_fetched.fetch_add(bytes, Ordering::Relaxed);
        within(&self.body_bytes, bytes, self.shared.options.bodies_per_call_bytes)
    }

    /// Counts a piece of a download; all downloads of one call share the cap of one.
    fn count_download(&self, bytes: u64) -> Result<(), wit::HttpError> {
        self.bytes_fetched.fetch_add(bytes, Ordering::Relaxed);
        within(&self.download_bytes, bytes, self.shared.options.download_bytes)
    }
}

fn not_here() -> wit::HttpError {
    wit::HttpError::Denied("there is no network here".to_owned())
}

impl wit::Host for HostState {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::HttpError>> {
        let Some(http) = &self.http else { return Ok(Err(not_here())) };
        Ok(http.send(&request).await)
    }

    async fn send_all(
        &mut self,
        requests: Vec<wit::Request>,
    ) -> wasmtime::Result<Vec<Result<wit::Response, wit::HttpError>>> {
        let Some(http) = &self.http else { return Ok(requests.iter().map(|_| Err(not_here())).collect()) };
        if requests.len() > MAX_FAN_OUT {
            let refused = || wit::HttpError::Denied(format!("one fan-out may have {MAX_FAN_OUT} requests"));
            return Ok(requests.iter().map(|_| Err(refused())).collect());
        }
        let at_once = http.at_once(&requests);
        let exchanges: Vec<_> = requests.iter().map(|request| http.send(request)).collect();
        Ok(stream::iter(exchanges).buffered(at_once).collect().await)
    }

    async fn download(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Staged, wit::HttpError>> {
        let Some(http) = &self.http else { return Ok(Err(not_here())) };
        Ok(http.download(&request).await)
    }

    fn observe_limit(&mut self, bucket: String, remaining: u32, reset_ms: u64) -> wasmtime::Result<()> {
        if let Some(http) = &self.http {
            http.observe(bucket, remaining, reset_ms);
        }
        Ok(())
    }
}

/// Adds to a budget; past its end the guest is told how large it is.
fn within(spent: &AtomicU64, bytes: u64, most: u64) -> Result<(), wit::HttpError> {
    if spent.fetch_add(bytes, Ordering::Relaxed) + bytes > most {
        return Err(wit::HttpError::TooLarge(most));
    }
    Ok(())
}
