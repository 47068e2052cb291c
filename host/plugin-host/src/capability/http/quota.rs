//! Whose quota a request spends, and what answers tell about it: the bridge between one call and the budgets that
//! everybody shares.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portolan_connector::rate::{Holder, RateLimit, Told};
use portolan_connector::{BucketScope, Fault, ObservedLimit, RateBucket};
use portolan_core::hex;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

use super::HttpCall;
use super::retry_after::retry_after_ms;
use super::seats::Seat;
use crate::bindings::portolan::plugin::http as wit;

const MAX_OBSERVATIONS: usize = 1_000;
/// For how long a slice is parked that found too many requests of its quota in flight: nobody knows when they end.
const SEATS_TAKEN_MS: u64 = 2_000;
const TOO_MANY_REQUESTS: u16 = 429;
const FIRST_SERVER_ERROR: u16 = 500;
/// A reset that is no span but a moment: seconds since 1970.
const EARLIEST_MOMENT_S: u64 = 1_000_000_000;

impl HttpCall {
    fn bucket(&self, id: Option<&str>) -> Result<Option<&RateBucket>, wit::HttpError> {
        match id {
            None => Ok(self.manifest.rate_buckets.first()),
            Some(id) => match self.manifest.rate_buckets.iter().find(|bucket| bucket.id == id) {
                Some(bucket) => Ok(Some(bucket)),
                None => {
                    Err(wit::HttpError::Denied("the manifest has no rate bucket of that name".to_owned()))
                }
            },
        }
    }

    /// Plugin, bucket, and who shares it by the bucket's scope, each part with its length.
    fn holder(&self, bucket: &RateBucket) -> Holder {
        let share = match bucket.scope {
            BucketScope::Connection => format!("connection {}", self.connection),
            BucketScope::Account => format!("account {}", self.account),
            BucketScope::Plugin => "plugin".to_owned(),
        };
        let mut digest = Sha256::new();
        for part in [self.manifest.id.as_str(), bucket.id.as_str(), share.as_str()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Holder(Arc::from(hex(&digest.finalize())))
    }

    /// Takes a seat among the requests that the bucket lets be in flight; `None` where it does not say how many.
    pub(super) async fn seat(
        &self,
        request: &wit::Request,
        time: Duration,
    ) -> Result<Option<Seat>, wit::HttpError> {
        let Some(bucket) = self.bucket(request.bucket.as_deref())? else { return Ok(None) };
        let Some(most) = bucket.concurrency else { return Ok(None) };
        // Told before the request's own time is over: that would look like a channel that does not answer. It may wait
        // twice, see there.
        let wait = Duration::from_millis(self.shared.options.bucket_wait_ms).min(time / 4);
        match self.shared.seats.take(&self.holder(bucket), most, wait, time).await {
            Some(seat) => Ok(Some(seat)),
            None => {
                self.throttled_ms.fetch_max(SEATS_TAKEN_MS, Ordering::Relaxed);
                Err(wit::HttpError::Throttled(SEATS_TAKEN_MS))
            }
        }
    }

    /// How many requests of one fan-out run at once: no more than have a seat, or it would park itself.
    pub(super) fn at_once(&self, requests: &[wit::Request]) -> usize {
        let buckets = requests.iter().filter_map(|request| self.bucket(request.bucket.as_deref()).ok()?);
        let fewest_seats = buckets.filter_map(|bucket| bucket.concurrency).min().unwrap_or(u32::MAX);
        let seats = usize::try_from(fewest_seats).unwrap_or(usize::MAX);
        self.shared.options.concurrent_requests.min(seats).max(1)
    }

    /// Draws the request's cost; waits where the wait is short, else nothing is sent and the guest is told to come
    /// back. Whatever it then does, its slice is parked.
    pub(super) async fn draw(&self, request: &wit::Request) -> Result<(), wit::HttpError> {
        let Some(bucket) = self.bucket(request.bucket.as_deref())? else { return Ok(()) };
        let (holder, limit) = (self.holder(bucket), RateLimit::from(bucket));
        let mut waited_ms = 0;
        loop {
            match self.shared.budgets.draw(&holder, limit, request.cost).await {
                Ok(()) => return Ok(()),
                Err(wait_ms) if waited_ms + wait_ms <= self.shared.options.bucket_wait_ms => {
                    waited_ms += wait_ms;
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
                Err(wait_ms) => {
                    self.throttled_ms.fetch_max(wait_ms, Ordering::Relaxed);
                    return Err(wit::HttpError::Throttled(wait_ms));
                }
            }
        }
    }

    /// What the status and the usual headers of an answer tell.
    pub(super) async fn learn(&self, request: &wit::Request, status: u16, headers: &HeaderMap) {
        let after_ms = retry_after_ms(headers, self.shared.clock.now());
        if status == TOO_MANY_REQUESTS || status >= FIRST_SERVER_ERROR {
            self.asked_ms.store(after_ms.unwrap_or_default(), Ordering::Relaxed);
        }
        let Ok(Some(bucket)) = self.bucket(request.bucket.as_deref()) else { return };
        let (holder, limit) = (self.holder(bucket), RateLimit::from(bucket));
        if status == TOO_MANY_REQUESTS {
            return self.shared.budgets.refused(&holder, limit, after_ms).await;
        }
        let remaining = number_in(headers, &["ratelimit-remaining", "x-ratelimit-remaining"]);
        if let Some(remaining) = remaining {
            let reset = number_in(headers, &["ratelimit-reset", "x-ratelimit-reset"]).unwrap_or_default();
            let now_s = self.shared.clock.now().unix_ms().unsigned_abs() / 1_000;
            let reset_s = if reset >= EARLIEST_MOMENT_S { reset.saturating_sub(now_s) } else { reset };
            let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
            let told = Told::AtMost { remaining, reset_ms: reset_s.saturating_mul(1_000) };
            self.shared.budgets.observe(&holder, limit, told);
        }
    }

    /// What the guest read in an answer.
    pub(super) fn observe(&self, bucket: String, remaining: u32, reset_ms: u64) {
        let Ok(Some(known)) = self.bucket(Some(&bucket)) else { return };
        if self.player().is_none() {
            let told = Told::Left { remaining, reset_ms };
            self.shared.budgets.observe(&self.holder(known), RateLimit::from(known), told);
        }
        let mut limits = self.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if limits.len() < MAX_OBSERVATIONS {
            limits.push(ObservedLimit { bucket, remaining, reset_ms });
        }
    }

    /// What a failed call means for the quota. Where the host itself sent nothing for want of budget, the slice is
    /// parked until there is some, whatever the guest made of it. Where the channel refused, the budget shrinks.
    pub async fn settle_fault(&self, fault: Fault) -> Fault {
        if self.player().is_some() {
            return fault; // Nobody's quota was spent.
        }
        let throttled_ms = self.throttled_ms.load(Ordering::Relaxed);
        let asked_ms = Some(self.asked_ms.load(Ordering::Relaxed)).filter(|ms| *ms > 0);
        match fault {
            Fault::RateLimited { after_ms, bucket, detail } => {
                if throttled_ms == 0
                    && let Ok(Some(known)) = self.bucket(bucket.as_deref())
                {
                    let holder = self.holder(known);
                    self.shared.budgets.refused(&holder, RateLimit::from(known), after_ms).await;
                }
                let after_ms = after_ms.or(asked_ms).max((throttled_ms > 0).then_some(throttled_ms));
                Fault::RateLimited { after_ms, bucket, detail }
            }
            fault if throttled_ms > 0 && fault.is_retryable() => Fault::RateLimited {
                after_ms: Some(throttled_ms),
                bucket: None,
                detail: "the rate budget of the channel is spent".to_owned(),
            },
            // What the channel asked for counts, also where the guest did not read it.
            Fault::Transient { after_ms: None, detail } => Fault::Transient { after_ms: asked_ms, detail },
            fault => fault,
        }
    }
}

/// The first of these headers, as far as it is a whole number.
fn number_in(headers: &HeaderMap, names: &[&str]) -> Option<u64> {
    let value = names.iter().find_map(|name| headers.get(*name))?;
    let digits = value.to_str().ok()?.split([',', ';', '.']).next()?.trim();
    digits.parse().ok()
}
