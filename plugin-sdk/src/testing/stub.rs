//! The imports of the contract, answered from memory. One host at a time stands behind a thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::answer::{Answer, Asked, Call, Exchange};
use crate::bindings::portolan::plugin::commerce::Skipped;
use crate::bindings::portolan::plugin::files::File;
use crate::connector::run_normalize;
use crate::sink::Buffers;
use crate::{
    Chunk, Connection, Connector, Control, ControlTotals, Error, Event, FetchRequest, Outcome, Page, Result,
    Slice, Webhook,
};

/// Answers, files, and a record of what the plugin did.
#[derive(Clone, Default)]
pub struct Host {
    state: Rc<RefCell<State>>,
}

/// What answers in the place of a channel.
type Upstream = dyn Fn(&Call) -> Answer;

#[derive(Default)]
pub(crate) struct State {
    answers: VecDeque<(Asked, Answer)>,
    upstream: Option<Rc<Upstream>>,
    files: Vec<(String, File, Vec<u8>)>,
    calls: Vec<Call>,
    /// The first request that nothing answers.
    unanswered: Option<String>,
    logs: Vec<(String, String)>,
    observed: Vec<(String, u32, u64)>,
    secrets: Vec<(String, String)>,
    pub(crate) output: Output,
}

/// What `normalize` emitted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    pub documents: Buffers,
    pub skipped: Vec<Skipped>,
    pub seen: u64,
    pub emitted: u64,
    /// The longest list that came in one call.
    pub largest_batch: usize,
}

impl std::ops::Deref for Output {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        &self.documents
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

impl Host {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer for a request: `GET /orders`, with or without its query. Answers to the same
    /// request come in the order they were added; the last one stays.
    pub fn answer(self, request: &str, answer: Answer) -> Self {
        self.state.borrow_mut().answers.push_back((Asked::Like(request.to_owned()), answer));
        self
    }

    /// Adds an answer for exactly this request.
    pub(crate) fn answer_to(self, method: &str, url: &str, body: &[u8], answer: Answer) -> Self {
        let asked = Asked::Exactly { method: method.to_owned(), url: url.to_owned(), body: body.to_vec() };
        self.state.borrow_mut().answers.push_back((asked, answer));
        self
    }

    /// Adds recorded exchanges: a JSON array of `{"request": "GET /x", "status": 200, "headers": {}, "body": {}}`.
    pub fn cassette(self, json: &str) -> serde_json::Result<Self> {
        let exchanges: Vec<Exchange> = serde_json::from_str(json)?;
        let answers = exchanges.into_iter().map(Exchange::answer);
        self.state.borrow_mut().answers.extend(answers.map(|(asked, answer)| (Asked::Like(asked), answer)));
        Ok(self)
    }

    /// Answers whatever has no answer of its own: a channel in process, such as a sandbox.
    pub fn upstream(self, answer: impl Fn(&Call) -> Answer + 'static) -> Self {
        self.state.borrow_mut().upstream = Some(Rc::new(answer));
        self
    }

    /// Adds a waiting file, decompressed, with ids from 1.
    pub fn file(self, stream: &str, name: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        {
            let mut state = self.state.borrow_mut();
            let id = state.files.len() as u64 + 1;
            let bytes = body.len() as u64;
            let content_type = "text/csv".to_owned();
            let file = File { id, name: name.to_owned(), bytes, content_type, received_at: 0 };
            state.files.push((stream.to_owned(), file, body));
        }
        self
    }

    /// Sets a secret that the plugin may sign and verify with; hmac-sha256 and hmac-sha1 here.
    pub fn secret(self, field: &str, value: &str) -> Self {
        self.state.borrow_mut().secrets.push((field.to_owned(), value.to_owned()));
        self
    }

    /// Every request that was sent, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state.borrow().calls.clone()
    }

    /// The first request that had no answer, whatever the plugin made of that.
    pub(crate) fn unanswered(&self) -> Option<String> {
        self.state.borrow().unanswered.clone()
    }

    /// Every log line: level and message.
    pub fn logs(&self) -> Vec<(String, String)> {
        self.state.borrow().logs.clone()
    }

    /// Every observed limit: bucket, remaining, reset in milliseconds.
    pub fn observed_limits(&self) -> Vec<(String, u32, u64)> {
        self.state.borrow().observed.clone()
    }

    /// Runs something with this host behind the plugin's imports.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let before = CURRENT.with(|current| current.replace(Some(self.state.clone())));
        let result = call();
        CURRENT.with(|current| *current.borrow_mut() = before);
        result
    }

    pub fn fetch<C: Connector>(&self, request: &FetchRequest) -> Result<Page> {
        self.run(|| C::fetch(request))
    }

    /// Hands an event over, as the host does once it has verified the signature.
    pub fn handle<C: Webhook>(&self, connection: &Connection, event: &Event) -> Result<Outcome> {
        self.run(|| C::handle(connection, event))
    }

    /// Asks for the channel's own totals of a slice.
    pub fn totals<C: Control>(&self, connection: &Connection, slice: &Slice) -> Result<ControlTotals> {
        self.run(|| C::totals(connection, slice))
    }

    /// Normalises one chunk, and checks what the real host checks.
    pub fn normalize<C: Connector>(&self, chunk: &Chunk) -> Result<Output> {
        self.state.borrow_mut().output = Output::default();
        let info = crate::bindings::portolan::plugin::sync::ChunkInfo {
            stream: chunk.stream.clone(),
            framing: chunk.framing.clone(),
            content_type: chunk.content_type.clone(),
        };
        let Chunk { body, config, time_zone, received_at, .. } = chunk.clone();
        let summary = self.run(|| run_normalize::<C>(info, body, config, time_zone, received_at))?;
        let mut output = std::mem::take(&mut self.state.borrow_mut().output);
        output.seen = summary.seen.into();
        output.emitted = summary.emitted.into();
        if summary.skipped as usize != output.skipped.len() {
            return Err(Error::PluginBug(format!("{summary:?} but {} dead letters", output.skipped.len())));
        }
        Ok(output)
    }

    pub(crate) fn file_body(&self, id: u64) -> Option<Vec<u8>> {
        self.state.borrow().files.iter().find(|(_, file, _)| file.id == id).map(|(_, _, body)| body.clone())
    }
}

fn with<T>(act: impl FnOnce(&mut State) -> T) -> T {
    let current = CURRENT.with(|current| current.borrow().clone()).unwrap_or_default();
    let mut state = current.borrow_mut();
    act(&mut state)
}

pub(crate) mod imports {
    //! Same names and signatures as the generated imports.

    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;
    use sha2::Sha256;

    use super::{Call, File, with};
    use crate::bindings::portolan::plugin::http::{HttpError, Request, Response, Staged};
    use crate::bindings::portolan::plugin::log::Level;
    use crate::{Error, Result};

    pub fn log(level: Level, message: &str, _fields: &[(String, String)]) {
        with(|state| state.logs.push((format!("{level:?}").to_lowercase(), message.to_owned())));
    }

    pub fn files_waiting(stream: &str) -> Result<Vec<File>> {
        Ok(with(|state| {
            let waiting = state.files.iter().filter(|(each, _, _)| each == stream);
            waiting.map(|(_, file, _)| file.clone()).collect()
        }))
    }

    pub fn peek_file(id: u64, bytes: u32) -> Result<Vec<u8>> {
        with(|state| {
            let found = state.files.iter().find(|(_, file, _)| file.id == id);
            let (_, _, body) = found.ok_or_else(|| Error::PluginBug(format!("there is no file {id}")))?;
            Ok(body[..body.len().min(bytes as usize)].to_vec())
        })
    }

    pub fn sign(secret: &str, algorithm: &str, message: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let key = key(secret)?;
        match algorithm {
            "hmac-sha256" => Ok(mac::<Hmac<Sha256>>(&key, message)?.finalize().into_bytes().to_vec()),
            "hmac-sha1" => Ok(mac::<Hmac<Sha1>>(&key, message)?.finalize().into_bytes().to_vec()),
            _ => Err(unknown(algorithm)),
        }
    }

    pub fn verify(
        secret: &str,
        algorithm: &str,
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<bool, String> {
        let key = key(secret)?;
        match algorithm {
            "hmac-sha256" => Ok(mac::<Hmac<Sha256>>(&key, message)?.verify_slice(signature).is_ok()),
            "hmac-sha1" => Ok(mac::<Hmac<Sha1>>(&key, message)?.verify_slice(signature).is_ok()),
            _ => Err(unknown(algorithm)),
        }
    }

    fn key(secret: &str) -> std::result::Result<String, String> {
        let found = with(|state| state.secrets.iter().find(|(field, _)| field == secret).cloned());
        found.map(|(_, value)| value).ok_or_else(|| format!("the test set no secret {secret:?}"))
    }

    fn mac<M: Mac + KeyInit>(key: &str, message: &[u8]) -> std::result::Result<M, String> {
        let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())?;
        mac.update(message);
        Ok(mac)
    }

    fn unknown(algorithm: &str) -> String {
        format!("the test host signs with hmac-sha256 and hmac-sha1, not with {algorithm:?}")
    }

    pub fn observe_limit(bucket: &str, remaining: u32, reset_ms: u64) {
        with(|state| state.observed.push((bucket.to_owned(), remaining, reset_ms)));
    }

    pub fn send(request: &Request) -> std::result::Result<Response, HttpError> {
        with(|state| {
            let call = Call::of(request);
            let position = state.answers.iter().position(|(asked, _)| asked.is(&call));
            let Some(position) = position else {
                let Some(upstream) = state.upstream.clone() else {
                    let what = format!("the test has no answer to {} {}", call.method, call.url);
                    state.unanswered.get_or_insert_with(|| what.clone());
                    return Err(HttpError::Denied(what));
                };
                let answer = upstream(&call);
                state.calls.push(call);
                return answer.respond(request);
            };
            let more = state.answers.iter().skip(position + 1).any(|(asked, _)| asked.is(&call));
            let answer = state.answers[position].1.clone();
            if more {
                state.answers.remove(position);
            }
            state.calls.push(call);
            answer.respond(request)
        })
    }

    pub fn send_all(requests: &[Request]) -> Vec<std::result::Result<Response, HttpError>> {
        requests.iter().map(send).collect()
    }

    pub fn download(request: &Request) -> std::result::Result<Staged, HttpError> {
        let response = send(request)?;
        Ok(with(|state| {
            let id = state.files.len() as u64 + 1;
            let bytes = response.body.len() as u64;
            let file = File {
                id,
                name: request.url.clone(),
                bytes,
                content_type: "application/octet-stream".to_owned(),
                received_at: 0,
            };
            state.files.push((String::new(), file, response.body));
            Staged { id, bytes, status: response.status, headers: response.headers }
        }))
    }
}

pub(crate) mod emit {
    //! Same names and signatures as the generated sink.

    use super::with;
    use crate::commerce;

    macro_rules! sinks {
        ($($name:ident: $document:ident;)*) => {
            $(pub fn $name(batch: &[commerce::$document]) {
                with(|state| {
                    let output = &mut state.output;
                    output.largest_batch = output.largest_batch.max(batch.len());
                    output.documents.$name.extend_from_slice(batch);
                });
            })*
        };
    }

    sinks! {
        orders: Order;
        refunds: Refund;
        transactions: Transaction;
        balance_entries: BalanceEntry;
        payouts: Payout;
        disputes: Dispute;
        checkouts: Checkout;
        products: Product;
        inventory: InventoryLevel;
        stores: Store;
        locations: Location;
        staff: StaffMember;
        fulfilments: Fulfilment;
        customers: Customer;
        metrics: Metric;
    }

    pub fn skip(batch: &[commerce::Skipped]) {
        with(|state| {
            state.output.largest_batch = state.output.largest_batch.max(batch.len());
            state.output.skipped.extend_from_slice(batch);
        });
    }
}
