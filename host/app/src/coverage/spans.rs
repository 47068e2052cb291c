//! The map of what has been fetched of a stream, from its slices: a pure function.
//!
//! A slice asks for what changed within its window, so the union of finished windows is what is known. A stream
//! of several parts (shops of an account) knows a moment only where every part does.

use portolan_core::{Duration, Instant};

/// How far a window has been fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    Done,
    /// Waits or runs.
    Running,
    Failed,
}

/// The window of one slice, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub since: Instant,
    pub until: Instant,
    pub state: WindowState,
}

/// What is known of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanState {
    Done,
    /// The channel no longer answers for it.
    Unavailable,
    Running,
    /// Never asked for, or given up.
    Gap,
    Failed,
}

impl SpanState {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unavailable => "unavailable",
            Self::Running => "running",
            Self::Gap => "gap",
            Self::Failed => "failed",
        }
    }
}

/// A span of time, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Instant,
    pub until: Instant,
    pub state: SpanState,
}

/// What is known of a stream: spans that tile the time from the first window to the end, oldest first, no two
/// neighbours alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    pub spans: Vec<Span>,
}

impl Coverage {
    /// Maps the windows of each part of a stream over the time up to `until`. `horizon` is how far back the
    /// channel answers.
    pub fn of(parts: &[Vec<Window>], horizon: Option<Instant>, until: Instant) -> Self {
        let windows = || parts.iter().flatten().filter(|window| window.since < window.until);
        let Some(first) = windows().map(|window| window.since).min() else { return Self::default() };
        let mut edges: Vec<Instant> = windows().flat_map(|window| [window.since, window.until]).collect();
        edges.extend(horizon);
        edges.push(until);
        edges.retain(|edge| *edge >= first && *edge <= until.max(first));
        edges.sort();
        edges.dedup();
        let maps: Vec<Vec<SpanState>> = parts.iter().map(|part| states(part, &edges)).collect();
        let mut spans: Vec<Span> = Vec::new();
        for (index, pair) in edges.windows(2).enumerate() {
            // The worst part says what is known of the whole.
            let worst = maps.iter().map(|map| map[index]).max().unwrap_or(SpanState::Gap);
            let gone = horizon.is_some_and(|horizon| pair[1] <= horizon);
            let state = if gone && worst != SpanState::Done { SpanState::Unavailable } else { worst };
            match spans.last_mut() {
                Some(last) if last.state == state => last.until = pair[1],
                _ => spans.push(Span { from: pair[0], until: pair[1], state }),
            }
        }
        Self { spans }
    }

    /// The newest stretch without a gap: from when, and up to when, everything is known.
    pub fn newest_complete(&self) -> Option<Span> {
        self.spans.iter().rev().find(|span| span.state == SpanState::Done).copied()
    }

    /// Whether the last `span` before `now` is known, but for what is newer than the last finished window.
    pub fn knows_the_last(&self, span: Duration, now: Instant) -> bool {
        self.newest_complete().is_some_and(|known| known.from <= now - span && known.until > now - span)
    }

    /// What is known of a stretch of time, the worst of it; `None` before the first window.
    pub fn worst_within(&self, from: Instant, until: Instant) -> Option<SpanState> {
        self.within(from, until).map(|span| span.state).max()
    }

    /// How much of a stretch is known, in percent of what of it lies on the map.
    pub fn percent_within(&self, from: Instant, until: Instant) -> u8 {
        let length = |span: &Span| i128::from((span.until.min(until)).0 - span.from.max(from).0);
        let all: i128 = self.within(from, until).map(length).sum();
        let known = self.within(from, until).filter(|span| span.state == SpanState::Done);
        let known: i128 = known.map(length).sum();
        (known * 100).checked_div(all).and_then(|percent| u8::try_from(percent).ok()).unwrap_or_default()
    }

    fn within(&self, from: Instant, until: Instant) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| span.from < until && span.until > from)
    }
}

/// What one part knows between each edge and the next. Of several windows the best counts: what failed once
/// and was fetched later is known.
fn states(part: &[Window], edges: &[Instant]) -> Vec<SpanState> {
    let mut states = vec![SpanState::Gap; edges.len().saturating_sub(1)];
    // From the weakest word to the strongest: later ones overwrite.
    for (window_state, state) in [
        (WindowState::Failed, SpanState::Failed),
        (WindowState::Running, SpanState::Running),
        (WindowState::Done, SpanState::Done),
    ] {
        for window in part.iter().filter(|window| window.state == window_state && window.since < window.until)
        {
            let start = edges.partition_point(|edge| *edge < window.since);
            let end = edges.partition_point(|edge| *edge < window.until).min(states.len());
            if start < end {
                states[start..end].fill(state);
            }
        }
    }
    states
}
