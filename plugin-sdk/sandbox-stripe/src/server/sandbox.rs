//! Answers one request: key, version, faults, lists and objects.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portolan_sandbox::{Fault, FaultKind, FaultQueue, Reply, Upstream, parse_header, time};
use portolan_sandbox_shopify::Size;
use serde_json::{Value, json};

use super::list::{Kind, Lists};
use super::query::{ListQuery, Refusal, complaint, expansions};
use crate::answer;
use crate::world::{Account, World};

/// The version of the API whose shapes are answered.
pub const VERSION: &str = "2023-08-16";

/// What a sandbox is made with.
#[derive(Debug, Clone)]
pub struct Options {
    pub size: Size,
    pub seed: u64,
    /// The world ends here: seconds since 1970.
    pub until: i64,
    /// The key that is accepted.
    pub key: String,
}

impl Options {
    /// A tiny world with a fixed end, for tests.
    pub fn tiny() -> Self {
        let until = 1_782_864_000; // 2026-07-01T00:00:00Z
        Self { size: Size::Tiny, seed: 1, until, key: "rk_test_sandbox".to_owned() }
    }
}

/// A request, as far as it matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// None: the first account.
    pub account: Option<&'a str>,
    /// The value of `Authorization`.
    pub authorization: Option<&'a str>,
    /// The value of `Stripe-Version`.
    pub version: Option<&'a str>,
    /// The value of `X-Sandbox-Fault`.
    pub fault: Option<&'a str>,
    /// From `/v1` on.
    pub path: &'a str,
    pub query: &'a str,
}

#[derive(Debug, Default)]
struct State {
    faults: FaultQueue,
    requests: u64,
}

/// A Stripe without a socket.
#[derive(Debug)]
pub struct Sandbox {
    pub world: Arc<World>,
    options: Options,
    lists: Vec<Lists>,
    /// The moment as of which everything is answered.
    now: AtomicI64,
    state: Mutex<State>,
}

impl Sandbox {
    pub fn new(options: Options) -> Self {
        let world = World::generate(options.size, options.seed, options.until);
        let lists = world.accounts.iter().map(Lists::of).collect();
        let now = AtomicI64::new(options.until);
        Self { world: Arc::new(world), options, lists, now, state: Mutex::default() }
    }

    /// Shows the world as of another moment: seconds since 1970.
    pub fn show_at(&self, now: i64) {
        self.now.store(now, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Misbehaves on a later request.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    pub fn account(&self, name: Option<&str>) -> Option<&Account> {
        match name {
            None => self.world.accounts.first(),
            Some(name) => self.world.account(name),
        }
    }

    /// Counters, waiting faults and what the accounts hold.
    pub fn report(&self) -> Value {
        let state = self.state();
        let accounts = self.world.accounts.iter().map(|account| {
            json!({
                "name": account.profile.name,
                "currency": account.profile.currency,
                "timeZone": account.profile.zone.name(),
                "charges": account.charges.len(),
                "entries": account.entries.len(),
                "payouts": account.payouts.len(),
            })
        });
        json!({
            "seed": self.options.seed,
            "until": time::instant_text(self.options.until),
            "now": time::instant_text(self.now()),
            "requests": state.requests,
            "faultsFired": state.faults.fired,
            "faultsWaiting": state.faults.waiting().collect::<Vec<_>>(),
            "accounts": accounts.collect::<Vec<_>>(),
        })
    }

    /// Answers a GET.
    pub fn answer(&self, question: Question<'_>) -> Reply {
        let cursor = cursor_of(question.query);
        let fault = {
            let mut state = self.state();
            state.requests += 1;
            question.fault.and_then(parse_header).or_else(|| state.faults.take(cursor.is_some()))
        };
        let authorized = question.authorization == Some(format!("Bearer {}", self.options.key).as_str());
        if !authorized || fault == Some(FaultKind::InvalidToken) {
            let message = "Invalid API Key provided: rk_test_********";
            return Reply::json(401, &complaint("invalid_request_error", "", None, message));
        }
        if question.version.is_some_and(|version| version != VERSION) {
            let message = "Invalid Stripe API version";
            return Refusal { status: 400, code: "", param: None, message: message.to_owned() }.reply();
        }
        if let Some(reply) = fault.as_ref().and_then(instead) {
            return reply;
        }
        let mut value = match self.find(question) {
            Ok(value) => value,
            Err(refusal) => return refusal.reply(),
        };
        if let (Some(FaultKind::RepeatedCursor), Some(cursor)) = (&fault, cursor) {
            repeat_cursor(&mut value, &cursor);
        }
        Reply::json(200, &value).spoilt_by(fault.as_ref())
    }

    fn find(&self, question: Question<'_>) -> Result<Value, Refusal> {
        let unknown = || Refusal {
            status: 404,
            code: "",
            param: None,
            message: format!("Unrecognized request URL (GET: {}).", question.path),
        };
        let index = match question.account {
            None => Some(0),
            Some(name) => self.world.accounts.iter().position(|account| account.profile.name == name),
        };
        let index = index.ok_or_else(unknown)?;
        let (account, lists) = (&self.world.accounts[index], &self.lists[index]);
        let rest = question.path.strip_prefix("/v1/").ok_or_else(unknown)?;
        if rest == "account" {
            return Ok(answer::account(account));
        }
        let (place, id) = rest.split_once('/').map_or((rest, None), |(place, id)| (place, Some(id)));
        let kind = Kind::ALL.into_iter().find(|kind| kind.names().0 == place).ok_or_else(unknown)?;
        let view = answer::View { account, now: self.now() };
        match id {
            None => {
                let query = ListQuery::parse(question.query, kind.filters(), kind.expandable())?;
                let page = lists.page(account, kind, &query, view.now)?;
                let data = page.indices.into_iter().map(|index| view.object(kind, index, &query.expand));
                Ok(json!({
                    "object": "list",
                    "data": data.collect::<Vec<_>>(),
                    "has_more": page.has_more,
                    "url": question.path,
                }))
            }
            Some(id) => {
                let expand = expansions(question.query, kind.expandable())?;
                let found = lists.find(account, kind, id, view.now);
                let index = found.ok_or_else(|| Refusal::missing(kind.names().1, id, "id"))?;
                Ok(view.object(kind, index, &expand))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
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

/// The answer of a fault that stands in the place of the right one.
fn instead(fault: &FaultKind) -> Option<Reply> {
    let too_many = || complaint("invalid_request_error", "rate_limit", None, "Request rate limit exceeded.");
    Some(match fault {
        FaultKind::RateLimited { retry_after_s } => Reply::rate_limited(*retry_after_s, &too_many()),
        FaultKind::Throttled => Reply::rate_limited(None, &too_many()),
        FaultKind::AccessDenied { scope } => {
            let scope = scope.clone().unwrap_or_else(|| Kind::Charges.permission());
            let message = format!(
                "The provided key 'rk_test_********' does not have the required permissions for this endpoint. \
                 Having the '{scope}' permission would allow this request to continue."
            );
            Reply::json(403, &complaint("invalid_request_error", "more_permissions_required", None, &message))
        }
        FaultKind::InternalError => {
            Reply::json(500, &complaint("api_error", "", None, "An unknown error occurred."))
        }
        other => return Reply::of_fault(other),
    })
}

fn cursor_of(query: &str) -> Option<String> {
    let found = query.split('&').find_map(|pair| pair.strip_prefix("starting_after="));
    found.map(str::to_owned)
}

/// A page whose last object is the one it was asked after.
fn repeat_cursor(page: &mut Value, cursor: &str) {
    page["has_more"] = true.into();
    if let Some(last) = page["data"].as_array_mut().and_then(|data| data.last_mut()) {
        last["id"] = cursor.into();
    }
}
