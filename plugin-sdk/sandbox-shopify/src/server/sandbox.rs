//! Answers one request: token, faults, cost, execution.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graphql_parser::query::parse_query;
use portolan_sandbox::{ExportOutcome, Fault, FaultKind, FaultQueue, Reply, Upstream, parse_header};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bucket::Bucket;
use super::bulk::{BulkDesk, BulkPlan, Exports};
use super::memory::Memory;
use super::resolve::{ShopIndex, ShopRoot};
use crate::graphql::GraphqlError;
use crate::graphql::cost::LARGEST_COST;
use crate::graphql::query::Query;
use crate::world::{Shop, Size, World};

/// How fast query cost refills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottlePlan {
    pub maximum_available: u64,
    /// Points per second.
    pub restore_rate: u64,
}

impl ThrottlePlan {
    /// As recorded from development stores.
    pub const RECORDED: Self = Self { maximum_available: 2_000, restore_rate: 100 };
    /// Never in the way: for demos and throughput measurements.
    pub const GENEROUS: Self = Self { maximum_available: 10_000_000, restore_rate: 10_000_000 };
}

/// What a sandbox is made with.
#[derive(Debug, Clone)]
pub struct Options {
    pub size: Size,
    pub seed: u64,
    /// The world ends here: seconds since 1970.
    pub until: i64,
    /// The access token that is accepted.
    pub token: String,
    pub throttle: ThrottlePlan,
    pub bulk: BulkPlan,
    /// Bytes of answered nodes that are kept for the next time; 0 renders each anew. The orders of
    /// size S take about 130 MB.
    pub remember_bytes: usize,
}

impl Options {
    /// A tiny world with a fixed end, for tests.
    pub fn tiny() -> Self {
        let until = 1_782_864_000; // 2026-07-01T00:00:00Z
        Self {
            size: Size::Tiny,
            seed: 1,
            until,
            token: "shpat_sandbox".to_owned(),
            throttle: ThrottlePlan::GENEROUS,
            bulk: BulkPlan::USUAL,
            remember_bytes: 0,
        }
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) faults: FaultQueue,
    buckets: Vec<Bucket>,
    pub(super) requests: u64,
    /// Requests that were refused for want of points.
    refused: u64,
    /// Requests for files.
    pub(super) reads: u64,
}

/// A Shopify without a socket.
#[derive(Debug)]
pub struct Sandbox {
    pub world: Arc<World>,
    options: Options,
    indices: Vec<ShopIndex>,
    memory: Memory,
    state: Mutex<State>,
    /// By shop. `state` may be taken while one of them is held, never the other way round.
    desks: Vec<Mutex<BulkDesk>>,
    started: Instant,
}

/// Where files lie for who asks in process; over HTTP they lie with the sandbox itself.
const FILES_URL: &str = "https://storage.googleapis.com/shopify-sandbox";

/// The body of a GraphQL request.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    query: String,
    #[serde(default)]
    variables: Value,
    operation_name: Option<String>,
}

impl Sandbox {
    pub fn new(options: Options) -> Self {
        let world = World::generate(options.size, options.seed, options.until);
        let indices = world.shops.iter().map(ShopIndex::of).collect();
        let buckets = world.shops.iter().map(|_| Bucket::new(options.throttle)).collect();
        let (faults, requests, refused, reads) = (FaultQueue::default(), 0, 0, 0);
        let state = Mutex::new(State { faults, buckets, requests, refused, reads });
        let memory = Memory::new(options.remember_bytes);
        let desks = world.shops.iter().map(|_| Mutex::default()).collect();
        Self { world: Arc::new(world), options, indices, memory, state, desks, started: now() }
    }

    /// Misbehaves on a later request.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Counters, waiting faults and what the shops hold.
    pub fn report(&self) -> Value {
        let state = self.state();
        let shops = self.world.shops.iter().zip(&state.buckets).map(|(shop, bucket)| {
            json!({
                "name": shop.profile.name,
                "currency": shop.profile.currency,
                "timeZone": shop.profile.zone.name(),
                "orders": shop.order_count(),
                "products": shop.products.len(),
                "customers": shop.customers.len(),
                "locations": shop.locations.len(),
                "inventoryLevels": shop.levels.len(),
                "checkouts": shop.checkouts.len(),
                "throttleStatus": bucket.status(),
            })
        });
        json!({
            "seed": self.options.seed,
            "until": crate::time::instant_text(self.options.until),
            "requests": state.requests,
            "refused": state.refused,
            "reads": state.reads,
            "faultsFired": state.faults.fired,
            "faultsWaiting": state.faults.waiting().collect::<Vec<_>>(),
            "shops": shops.collect::<Vec<_>>(),
        })
    }

    /// Answers a request to `graphql.json` of a shop (`None`: the first one).
    pub fn answer(&self, shop: Option<&str>, token: Option<&str>, fault: Option<&str>, body: &[u8]) -> Reply {
        self.answer_at(FILES_URL, shop, token, fault, body)
    }

    /// The same where files lie elsewhere: each shop's in a folder of its name.
    pub fn answer_at(
        &self,
        files_url: &str,
        shop: Option<&str>,
        token: Option<&str>,
        fault: Option<&str>,
        body: &[u8],
    ) -> Reply {
        let Some(index) = self.position(shop) else {
            return Reply::json(404, &json!({ "errors": "Not Found" }));
        };
        let request = serde_json::from_slice::<Request>(body);
        let cursor = request.as_ref().ok().and_then(|request| request.variables.get("after")?.as_str());
        let fault = {
            let mut state = self.state();
            state.requests += 1;
            fault.and_then(parse_header).or_else(|| state.faults.take(cursor.is_some()))
        };
        if token != Some(self.options.token.as_str()) || fault == Some(FaultKind::InvalidToken) {
            let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return Reply::json(401, &json!({ "errors": message }));
        }
        if let Some(reply) = fault.as_ref().and_then(|fault| self.instead(fault, index)) {
            return reply;
        }
        let request = match &request {
            Ok(request) => request,
            Err(error) => return Reply::json(400, &json!({ "errors": error.to_string() })),
        };
        let mut reply =
            Reply::text(200, "application/json; charset=utf-8", &self.run(index, request, files_url));
        if fault == Some(FaultKind::RepeatedCursor) {
            reply.body = repeat_cursor(&reply.body, cursor);
        }
        reply.spoilt_by(fault.as_ref())
    }

    /// The answer of a fault that stands in the place of the right one.
    fn instead(&self, fault: &FaultKind, index: usize) -> Option<Reply> {
        let failure = |error: Value| Reply::json(200, &json!({ "errors": [error] }));
        Some(match fault {
            FaultKind::RateLimited { retry_after_s } => {
                let complaint = json!({ "errors": "Exceeded 2 calls per second for api client." });
                Reply::rate_limited(*retry_after_s, &complaint)
            }
            FaultKind::Throttled => Reply::json(200, &throttled(500, &self.state().buckets[index])),
            FaultKind::AccessDenied { scope } => {
                let scope = scope.as_deref().unwrap_or("read_orders");
                failure(json!({
                    "message": format!("Access denied for orders field. Required access: `{scope}` access scope."),
                    "extensions": { "code": "ACCESS_DENIED", "requiredAccess": format!("`{scope}` access scope.") },
                    "path": ["orders"],
                }))
            }
            FaultKind::InternalError => failure(json!({
                "message": "Internal error. Looks like something went wrong on our end.",
                "extensions": { "code": "INTERNAL_SERVER_ERROR", "requestId": "sandbox" },
            })),
            other => return Reply::of_fault(other),
        })
    }

    /// The body of an answer.
    fn run(&self, index: usize, request: &Request, files_url: &str) -> String {
        let refused = |error: &GraphqlError| json!({ "errors": [error.to_json()] }).to_string();
        let text = request.query.as_str();
        let document = match parse_query::<&str>(text) {
            Ok(document) => document,
            Err(error) => return json!({ "errors": [{ "message": error.to_string() }] }).to_string(),
        };
        let query = Query::new(text, &document, request.operation_name.as_deref(), &request.variables);
        let answer = query.and_then(|query| self.charge_and_run(index, &query, files_url));
        answer.unwrap_or_else(|error| refused(&error))
    }

    fn charge_and_run(
        &self,
        index: usize,
        query: &Query<'_>,
        files_url: &str,
    ) -> Result<String, GraphqlError> {
        let requested = query.requested_cost()?;
        if requested > LARGEST_COST {
            let message = format!(
                "Query cost is {requested}, which exceeds the single query max cost limit ({LARGEST_COST})."
            );
            return Err(GraphqlError::new("MAX_COST_EXCEEDED", message));
        }
        let now_ms = self.started.elapsed().as_millis() as u64;
        {
            let mut state = self.state();
            if !state.buckets[index].draw(requested, now_ms) {
                state.refused += 1;
                return Ok(throttled(requested, &state.buckets[index]).to_string());
            }
        }
        let files_url = format!("{files_url}/{}", self.world.shops[index].profile.name);
        let outcome = |outcomes: &[ExportOutcome]| self.outcome(outcomes);
        let root = ShopRoot {
            asked: query.names(),
            mutation: query.mutation,
            ..self.root(index, &outcome, &files_url)
        };
        let answered = query.run(&root)?;
        let actual = answered.cost.min(requested);
        let mut state = self.state();
        state.buckets[index].give_back(requested - actual);
        let cost = json!({ "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": state.buckets[index].status(),
        } });
        Ok(format!(r#"{{"data":{},"extensions":{cost}}}"#, answered.data))
    }

    pub(super) fn root<'a>(
        &'a self,
        index: usize,
        outcome: &'a dyn Fn(&[ExportOutcome]) -> Option<ExportOutcome>,
        files_url: &'a str,
    ) -> ShopRoot<'a> {
        let (desk, plan, now) = (&self.desks[index], self.options.bulk, self.options.until);
        ShopRoot {
            shop: &self.world.shops[index],
            index: &self.indices[index],
            asked: HashSet::new(),
            memory: &self.memory,
            exports: Exports { desk, plan, outcome, files_url, now },
            mutation: false,
        }
    }

    /// What is to go wrong with a file, of what could.
    pub(super) fn outcome(&self, outcomes: &[ExportOutcome]) -> Option<ExportOutcome> {
        let fits =
            |kind: &FaultKind| matches!(kind, FaultKind::Export { outcome } if outcomes.contains(outcome));
        match self.state().faults.take_if(fits) {
            Some(FaultKind::Export { outcome }) => Some(outcome),
            _ => None,
        }
    }

    pub(super) fn position(&self, shop: Option<&str>) -> Option<usize> {
        match shop {
            None => Some(0),
            Some(name) => self.world.shops.iter().position(|shop| shop.profile.name == name),
        }
    }

    pub fn shop(&self, name: Option<&str>) -> Option<&Shop> {
        match name {
            None => self.world.shops.first(),
            Some(name) => self.world.shop(name),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream for Sandbox {
    fn inject(&self, fault: Fault) {
        Self::inject(self, fault);
    }

    fn clear_faults(&self) {
        Self::clear_faults(self);
    }

    fn report(&self) -> Value {
        Self::report(self)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own, without host crates; only buckets refill by it"
)]
fn now() -> Instant {
    Instant::now()
}

fn throttled(requested: u64, bucket: &Bucket) -> Value {
    json!({
        "errors": [{
            "message": "Throttled",
            "extensions": { "code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits" },
        }],
        "extensions": { "cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": null,
            "throttleStatus": bucket.status(),
        } },
    })
}

/// Makes the connections of an answer point back to where they were asked from: those at the root, or
/// else those of the objects there.
fn repeat_cursor(body: &[u8], cursor: Option<&str>) -> Vec<u8> {
    let mut answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
    if let Some(data) = answer.get_mut("data").and_then(Value::as_object_mut) {
        let at_root = data.values().any(|value| value.get("pageInfo").is_some());
        let mut roots = data.values_mut().collect::<Vec<_>>();
        if !at_root {
            let objects = roots.into_iter().filter_map(Value::as_object_mut);
            roots = objects.flat_map(|object| object.values_mut()).collect();
        }
        for info in roots.into_iter().filter_map(|connection| connection.get_mut("pageInfo")) {
            info["hasNextPage"] = true.into();
            info["endCursor"] = cursor.into();
        }
    }
    answer.to_string().into_bytes()
}
