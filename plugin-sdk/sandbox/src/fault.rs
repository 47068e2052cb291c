//! What a sandbox does wrong on request. Each says in its README how its channel would put it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 429, with `Retry-After` where given.
    RateLimited { retry_after_s: Option<u64> },
    /// The budget is spent, in the channel's own words.
    Throttled,
    /// A 5xx with a text body.
    ServerError { status: Option<u16> },
    /// A page of HTML with status 200.
    Html,
    /// JSON that ends in the middle.
    Truncated,
    /// A page whose cursor is the one it was asked with. Waits for a request with a cursor.
    RepeatedCursor,
    /// The right answer, late.
    Slow { delay_ms: u64 },
    /// 401: the credentials were revoked.
    InvalidToken,
    /// The credentials don't reach this far, in the channel's own words.
    AccessDenied { scope: Option<String> },
    /// An error inside the channel, in its own words.
    InternalError,
    /// What becomes of a file that the channel makes in the background. Waits for the moment it is about.
    Export { outcome: ExportOutcome },
}

/// How making or fetching a file goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportOutcome {
    /// Others are being made: none is begun.
    Busy,
    /// The channel failed while making it.
    Failed,
    /// Making it took too long.
    TimedOut,
    AccessDenied,
    /// Somebody stopped it.
    Canceled,
    /// It was made, and thrown away since.
    Expired,
    /// It is there, and the address that was given leads nowhere any more.
    LinkExpired,
    /// It is there and lacks its last record.
    CutShort,
    /// It is sent whole, whatever range was asked for.
    WithoutRanges,
    /// It is sent two seconds late.
    Late,
}

impl FaultKind {
    /// Whether it is about an answer of the channel's API.
    fn is_of_api(&self, has_cursor: bool) -> bool {
        match self {
            Self::Export { .. } => false,
            Self::RepeatedCursor => has_cursor,
            _ => true,
        }
    }
}

/// A fault in the queue: let `after` requests pass, then misbehave for `count` requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub kind: FaultKind,
    #[serde(default)]
    pub after: u64,
    #[serde(default = "once")]
    pub count: u64,
}

fn once() -> u64 {
    1
}

impl Fault {
    /// For the next request.
    pub fn next(kind: FaultKind) -> Self {
        Self { kind, after: 0, count: 1 }
    }
}

/// Faults in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct FaultQueue {
    waiting: VecDeque<Fault>,
    pub fired: u64,
}

impl FaultQueue {
    pub fn push(&mut self, fault: Fault) {
        self.waiting.push_back(fault);
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    pub fn waiting(&self) -> impl Iterator<Item = &Fault> {
        self.waiting.iter()
    }

    /// The fault for this request of the API, if one is due.
    pub fn take(&mut self, has_cursor: bool) -> Option<FaultKind> {
        self.take_if(|kind| kind.is_of_api(has_cursor))
    }

    /// The first fault that fits what is being done, if it is due.
    pub fn take_if(&mut self, fits: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let position = self.waiting.iter().position(|fault| fits(&fault.kind))?;
        let fault = &mut self.waiting[position];
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        let kind = fault.kind.clone();
        fault.count = fault.count.saturating_sub(1);
        if fault.count == 0 {
            self.waiting.remove(position);
        }
        self.fired += 1;
        Some(kind)
    }
}

/// Reads the header `X-Sandbox-Fault`: a kind, or a JSON object as the control endpoint takes it.
pub fn parse_header(text: &str) -> Option<FaultKind> {
    let json =
        if text.trim_start().starts_with('{') { text.to_owned() } else { format!(r#"{{"kind":"{text}"}}"#) };
    serde_json::from_str(&json).ok()
}
