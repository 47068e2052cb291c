//! How often anybody may ask: an allowance for each client that is not known, and for each session and key that is.
//!
//! Kept in this process: a flood is met where it arrives, without a look at the database. An allowance is a bucket that
//! refills evenly; of it one number is kept, when it will be full again. What is full is forgotten, and when there are
//! too many at once, newcomers share one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use portolan_access::client_network;
use portolan_core::{Clock, Duration};
use uuid::Uuid;

use crate::App;
use crate::web::caller::Caller;
use crate::web::client::address_in;
use crate::web::error::{AppError, AppResult, PageError};

/// Allowances kept at once.
const MOST: usize = 50_000;
/// Full ones are looked for no more often than this.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
const WINDOW: Duration = Duration::from_minutes(1);

/// Requests in a minute; without one there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowances {
    /// Of one IPv4 address or one /64, where nobody says who they are.
    pub per_client: u32,
    /// Of each session and each key.
    pub per_caller: u32,
}

impl Allowances {
    pub const DEFAULT: Self = Self { per_client: 300, per_caller: 1_200 };
    pub const NONE: Self = Self { per_client: 0, per_caller: 0 };
}

/// Whose allowance it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Client(IpNet),
    /// Clients for whom there is no place any more.
    OtherClients,
    Caller(Uuid),
    OtherCallers,
}

impl Whose {
    const fn name(self) -> &'static str {
        match self {
            Self::Client(_) | Self::OtherClients => "client",
            Self::Caller(_) | Self::OtherCallers => "caller",
        }
    }
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    name: &'static str,
    per_minute: u32,
    left: u32,
    /// Until one more request is allowed where none is left, else until all are.
    wait: Duration,
}

/// Everybody's allowances. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct RequestLimits {
    clock: Arc<dyn Clock>,
    allowances: Allowances,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    full_at: HashMap<Whose, Duration>,
    swept_at: Duration,
    /// When the log was last told of a spent allowance: a flood of requests is no flood of lines.
    told_at: Option<Duration>,
}

/// Where whoever finds out who asks leaves what is left to them.
#[derive(Clone, Default)]
struct Meter(Arc<OnceLock<Standing>>);

impl RequestLimits {
    pub fn new(clock: Arc<dyn Clock>, allowances: Allowances) -> Self {
        Self { clock, allowances, kept: Arc::default() }
    }

    /// Takes one request of whoever was found to be behind it.
    pub(crate) fn take_of_caller(
        &self,
        caller: &Caller,
        extensions: &axum::http::Extensions,
    ) -> AppResult<()> {
        let id = match caller {
            Caller::Person(person) => person.session,
            Caller::Program(program) => program.key,
        };
        let Some(standing) = self.take(Whose::Caller(id)).map_err(|standing| too_many(&standing))? else {
            return Ok(());
        };
        if let Some(Meter(meter)) = extensions.get::<Meter>() {
            // The first one counts: a request has one caller.
            let _known_already = meter.set(standing);
        }
        Ok(())
    }

    fn take_of_client(&self, address: IpAddr) -> Result<Option<Standing>, Standing> {
        self.take(Whose::Client(client_network(address)))
    }

    /// What is left after this request; nothing, where there is no limit. Fails where none was left.
    fn take(&self, whose: Whose) -> Result<Option<Standing>, Standing> {
        let per_minute = self.per_minute(whose);
        if per_minute == 0 {
            return Ok(None);
        }
        let now = self.clock.monotonic();
        let each = Duration(WINDOW.0 / i64::from(per_minute));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = kept.place_of(whose, now);
        let full_at = kept.full_at.entry(whose).or_insert(now);
        let spent = Duration((full_at.0 - now.0).max(0));
        let standing = |left: i64, wait: i64| Standing {
            name: whose.name(),
            per_minute,
            left: u32::try_from(left).unwrap_or_default(),
            wait: Duration(wait),
        };
        let room = each.0 * i64::from(per_minute) - spent.0;
        if room < each.0 {
            kept.tell_once_a_minute(whose, now);
            return Err(standing(0, each.0 - room));
        }
        *full_at = Duration(now.0 + spent.0 + each.0);
        Ok(Some(standing(room / each.0 - 1, spent.0 + each.0)))
    }

    /// It was somebody who has an allowance of their own.
    fn give_back_to_client(&self, address: IpAddr) {
        let whose = Whose::Client(client_network(address));
        let each = WINDOW.0 / i64::from(self.per_minute(whose).max(1));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = if kept.full_at.contains_key(&whose) { whose } else { Whose::OtherClients };
        if let Some(full_at) = kept.full_at.get_mut(&whose) {
            full_at.0 -= each;
        }
    }

    const fn per_minute(&self, whose: Whose) -> u32 {
        match whose {
            Whose::Client(_) | Whose::OtherClients => self.allowances.per_client,
            Whose::Caller(_) | Whose::OtherCallers => self.allowances.per_caller,
        }
    }
}

impl Kept {
    fn tell_once_a_minute(&mut self, whose: Whose, now: Duration) {
        if self.told_at.is_none_or(|told| now.0 - told.0 >= WINDOW.0) {
            self.told_at = Some(now);
            let caller = if let Whose::Caller(id) = whose { Some(id) } else { None };
            tracing::warn!(
                of = whose.name(),
                caller = caller.map(tracing::field::display),
                "an allowance of requests is spent"
            );
        }
    }

    /// Theirs, where there is a place for it: nobody loses what they have spent to a newcomer.
    fn place_of(&mut self, whose: Whose, now: Duration) -> Whose {
        if self.full_at.len() < MOST || self.full_at.contains_key(&whose) {
            return whose;
        }
        if now.0 - self.swept_at.0 >= SWEEP_EVERY.0 {
            self.swept_at = now;
            self.full_at.retain(|_, full_at| full_at.0 > now.0);
        }
        if self.full_at.len() < MOST {
            return whose;
        }
        match whose {
            Whose::Client(_) | Whose::OtherClients => Whose::OtherClients,
            Whose::Caller(_) | Whose::OtherCallers => Whose::OtherCallers,
        }
    }
}

/// What is not counted: our own styles and scripts, and whether the server is well. Whoever restarts a server that
/// doesn't answer must not take a flood for its death.
const FREE: [&str; 2] = ["/assets/", "/api/v1/health/"];

/// Counts requests: those of people and programs that are known by their own allowance, all others by their address.
pub async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let of_api = request.uri().path().starts_with("/api/");
    let free = FREE.iter().any(|root| request.uri().path().starts_with(root));
    let from = address_in(request.extensions()).filter(|_| !free);
    let Some(from) = from else { return next.run(request).await };
    let of_client = match app.limits.take_of_client(from) {
        Ok(standing) => standing,
        Err(standing) if of_api => return with_standing(too_many(&standing).into_response(), Some(standing)),
        Err(standing) => return PageError(too_many(&standing)).into_response(),
    };
    let meter = Meter::default();
    request.extensions_mut().insert(meter.clone());
    let response = next.run(request).await;
    let of_caller = meter.0.get().copied();
    if of_caller.is_some() && of_client.is_some() {
        app.limits.give_back_to_client(from);
    }
    if of_api { with_standing(response, of_caller.or(of_client)) } else { response }
}

fn too_many(standing: &Standing) -> AppError {
    AppError::too_many_requests(seconds(standing.wait))
}

/// Whole seconds, never too few.
fn seconds(span: Duration) -> u64 {
    u64::try_from(span.0).unwrap_or_default().div_ceil(1_000_000)
}

/// As draft-ietf-httpapi-ratelimit-headers names it: so many requests within so many seconds, and how many are left.
fn with_standing(mut response: Response, standing: Option<Standing>) -> Response {
    let Some(standing) = standing else { return response };
    let Standing { name, per_minute, left, wait } = standing;
    let headers: &mut HeaderMap = response.headers_mut();
    let policy = format!("\"{name}\";q={per_minute};w={}", seconds(WINDOW));
    let now = format!("\"{name}\";r={left};t={}", seconds(wait));
    for (header, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
    response
}

#[cfg(test)]
mod tests;
