//! One sync while it runs, and what it left.

use askama::Template;
use askama::filters::HtmlSafe;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Empty, Fact, Link, Notice, PostAction, Progress, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceRow {
    pub stream: String,
    /// "1 Jan – 31 Mar 2026", "everything", with its partition.
    pub range: String,
    pub mode: String,
    pub state: Badge,
    pub pages: String,
    pub seen: String,
    pub emitted: String,
    pub skipped: String,
    pub expected: String,
    pub error: Option<String>,
    /// What it waits for.
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineRow {
    pub stream: String,
    /// Where in the chunk or file: "row 1 204", "/orders/3/total".
    pub place: String,
    pub reason: String,
    pub when: When,
}

/// What is refreshed while the sync runs.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_sync.html")]
pub struct SyncBody {
    pub id: String,
    pub connection: Link,
    pub trigger: String,
    pub state: Badge,
    pub started: Option<When>,
    pub finished: Option<When>,
    pub duration: String,
    /// Absent once it is over.
    pub progress: Option<Progress>,
    pub counts: Vec<Fact>,
    /// The failure: what happened, why, what next.
    pub problem: Option<Notice>,
    pub actions: Vec<PostAction>,
    pub slices: Vec<SliceRow>,
    pub quarantine: Vec<QuarantineRow>,
    /// "3 of 12 400 records; the newest 50 are shown".
    pub quarantine_note: String,
    /// For screen readers, one sentence: "Sync running, 62 percent".
    pub announcement: String,
}
impl HtmlSafe for SyncBody {}

/// `GET /syncs/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "sync.html")]
pub struct SyncPage {
    pub shell: Shell,
    pub body: SyncBody,
}

impl SyncPage {
    pub fn sample() -> Self {
        let id = "01932f1c-0000-7000-8000-00000000000a";
        let slice = SliceRow {
            stream: "orders".into(),
            range: "1 Jan – 31 Mar 2026".into(),
            mode: "backfill".into(),
            state: Badge::new("done", Tone::Good),
            pages: "62".into(),
            seen: "6 200".into(),
            emitted: "6 198".into(),
            skipped: "2".into(),
            expected: "6 200".into(),
            error: None,
            note: None,
        };
        let running = SliceRow {
            range: "1 Apr – 30 Jun 2026".into(),
            state: Badge::new("running", Tone::Active),
            expected: "–".into(),
            ..slice.clone()
        };
        let waiting = SliceRow {
            range: "1 Jan – 31 Dec 2025".into(),
            state: Badge::new("waiting", Tone::Warn),
            note: Some("the channel makes the report · asked again 30 Jun 2026, 09:41".into()),
            ..running.clone()
        };
        let quarantine = QuarantineRow {
            stream: "orders".into(),
            place: "/orders/3/lineItems/0/quantity".into(),
            reason: "quantity is not a number: \"two\"".into(),
            when: When::sample(),
        };
        Self {
            shell: Shell::new("Sync of Harbour Shop", Section::Syncs, "Harbour & Sons", "owner"),
            body: SyncBody {
                id: id.into(),
                connection: Link::new("Harbour Shop", "/connections/01932f1c-0000-7000-8000-000000000001"),
                trigger: "by owner".into(),
                state: Badge::new("running", Tone::Active),
                started: Some(When::sample()),
                finished: None,
                duration: "12 s".into(),
                progress: Some(Progress::sample()),
                counts: vec![
                    Fact::new("Records seen", "12 400"),
                    Fact::new("Emitted", "12 398"),
                    Fact::new("Skipped", "2"),
                    Fact::new("Documents", "12 388"),
                    Fact::new("Ledger events", "44 120"),
                    Fact::new("Fetched", "48.2 MB"),
                ],
                problem: None,
                actions: vec![
                    PostAction::new("Pause", format!("/syncs/{id}/pause")),
                    PostAction::new("Cancel", format!("/syncs/{id}/cancel")),
                ],
                slices: vec![slice, running, waiting],
                quarantine: vec![quarantine.clone(), quarantine],
                quarantine_note: "2 of 12 400 records could not be read; the others passed.".into(),
                announcement: "Sync running, 62 percent".into(),
            },
        }
    }

    pub fn sample_failed() -> Self {
        let mut page = Self::sample();
        page.body.state = Badge::new("failed", Tone::Bad);
        page.body.finished = Some(When::sample());
        page.body.progress = None;
        page.body.problem = Some(Notice {
            reference: Some("01932f1c-7a55-7c1e-9d7e-3a2b9f4a1c00".into()),
            ..Notice::new(Tone::Bad, "The channel refused the token", EXTREME_TEXT)
        });
        page.body.slices[1].error = Some(EXTREME_TEXT.into());
        page.body.quarantine[0].reason = EXTREME_TEXT.into();
        page.body.announcement = "Sync failed".into();
        page
    }

    pub fn sample_empty() -> Self {
        let mut page = Self::sample();
        page.body.state = Badge::new("queued", Tone::Neutral);
        page.body.started = None;
        page.body.progress =
            Some(Progress { percent: None, done: "waiting for its turn".into(), rate: None, eta: None });
        page.body.counts.clear();
        page.body.slices.clear();
        page.body.quarantine.clear();
        page.body.quarantine_note.clear();
        page
    }
}

impl SyncBody {
    fn no_slices(&self) -> Empty {
        Empty::nothing_yet("slices", "The work is cut into slices when the sync starts.")
    }
}
