//! The host on which files lie: whoever has an address may read it, in ranges.

use portolan_sandbox::{ExportOutcome, FaultKind, Reply};

use super::sandbox::Sandbox;

/// How long a late answer takes.
const LATE_MS: u64 = 2_000;

impl Sandbox {
    /// Answers a request for a file of a shop: its name as in its address, and the header `Range`. Whoever has the
    /// address may have the file; a credential that comes along has gone where it doesn't belong.
    pub fn answer_file(&self, shop: &str, name: &str, range: Option<&str>, token: Option<&str>) -> Reply {
        let gone = || Reply::text(403, "application/xml", "<Error><Code>ExpiredToken</Code></Error>");
        let refused = |error: &str| Reply::text(400, "text/plain", error);
        if token.is_some() {
            return refused("this host must not be sent an access token");
        }
        let fault = {
            let mut state = self.state();
            state.reads += 1;
            state.faults.take_if(|kind| matches!(kind, FaultKind::ServerError { .. } | FaultKind::Truncated))
        };
        if let Some(reply) = fault.as_ref().and_then(Reply::of_fault) {
            return reply;
        }
        let numbers = name.strip_suffix(".jsonl").and_then(|name| name.split_once('-'));
        let numbers = numbers.and_then(|(id, link)| Some((id.parse().ok()?, link.parse().ok()?)));
        let (Some(file), Some(index)) = (numbers, self.position(Some(shop))) else { return gone() };
        let whole = self.outcome(&[ExportOutcome::WithoutRanges]).is_some();
        let late = self.outcome(&[ExportOutcome::Late]).is_some();
        let asked = range.filter(|_| !whole).and_then(parse_range);
        let outcome = |outcomes: &[ExportOutcome]| self.outcome(outcomes);
        let root = self.root(index, &outcome, "");
        let read = root.exports.desk().read(file, asked.unwrap_or((0, None)), &root);
        let part = match read {
            Ok(Some(part)) => part,
            Ok(None) => return gone(),
            Err(error) => return refused(&error.message),
        };
        let mut reply = Reply::text(200, "application/jsonl", "");
        if let Some((start, _)) = asked {
            if start >= part.total {
                return Reply::text(416, "application/xml", "<Error><Code>InvalidRange</Code></Error>");
            }
            reply.status = 206;
            let last = start + part.bytes.len() as u64 - 1;
            reply.headers.push(("content-range", format!("bytes {start}-{last}/{}", part.total)));
        }
        reply.body = part.bytes;
        if late {
            reply.delay_ms = LATE_MS;
        }
        reply.spoilt_by(fault.as_ref())
    }
}

/// `bytes=0-99`, `bytes=100-`: the first byte, and the one after the last.
fn parse_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let last = if last.is_empty() { None } else { Some(last.parse::<u64>().ok()? + 1) };
    Some((first.parse().ok()?, last))
}
