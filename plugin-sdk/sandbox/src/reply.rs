//! An answer before it is sent.

use serde_json::Value;

use crate::fault::FaultKind;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub delay_ms: u64,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", &value.to_string())
    }

    pub fn text(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec(), delay_ms: 0 }
    }

    /// 429 in the channel's own words.
    pub fn rate_limited(retry_after_s: Option<u64>, complaint: &Value) -> Self {
        let mut reply = Self::json(429, complaint);
        reply.headers.extend(retry_after_s.map(|seconds| ("retry-after", format!("{seconds}.0"))));
        reply
    }

    /// The answer of a fault that is the same at every channel, in the place of the right one.
    pub fn of_fault(fault: &FaultKind) -> Option<Self> {
        match fault {
            FaultKind::ServerError { status } => {
                Some(Self::text(status.unwrap_or(500), "text/plain", "Internal Server Error"))
            }
            FaultKind::Html => Some(Self::text(
                200,
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><body>Be right back</body></html>",
            )),
            _ => None,
        }
    }

    /// What a fault does to the right answer: late, or broken off in the middle.
    pub fn spoilt_by(mut self, fault: Option<&FaultKind>) -> Self {
        match fault {
            Some(FaultKind::Slow { delay_ms }) => self.delay_ms = *delay_ms,
            Some(FaultKind::Truncated) => self.body.truncate(self.body.len() * 2 / 3),
            _ => {}
        }
        self
    }
}
