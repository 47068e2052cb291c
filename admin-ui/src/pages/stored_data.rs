//! What is stored of a channel's answers, and how it was read again: a part of a connection's page.

use askama::Template;
use askama::filters::HtmlSafe;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Fact, PostAction, Progress, Tone, When};

/// The stored pages of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStream {
    pub name: String,
    /// "1 204".
    pub pages: String,
    /// None while stored data is being read.
    pub read_again: Option<PostAction>,
}

/// One reading anew of stored pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// "orders, after an upgrade".
    pub what: String,
    pub state: Badge,
    pub when: When,
    pub progress: Option<Progress>,
    /// "1 200 records read, nothing changed".
    pub outcome: String,
    pub error: Option<String>,
    pub cancel: Option<PostAction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_stored_data.html")]
pub struct StoredData {
    pub facts: Vec<Fact>,
    pub streams: Vec<StoredStream>,
    /// Everything at once.
    pub read_again: Option<PostAction>,
    /// Newest first.
    pub replays: Vec<ReplayRow>,
}
impl HtmlSafe for StoredData {}

impl StoredData {
    pub fn sample() -> Self {
        let href = "/connections/sample/replays";
        let done = ReplayRow {
            what: "everything, after an upgrade".into(),
            state: Badge::new("succeeded", Tone::Good),
            when: When::sample(),
            progress: None,
            outcome: "20\u{202f}412 records read, 12 versions superseded, 24 ledger events posted".into(),
            error: None,
            cancel: None,
        };
        Self {
            facts: vec![Fact::new("Stored pages", "412"), Fact::new("Rejected records", "3")],
            streams: vec![
                StoredStream {
                    name: "orders".into(),
                    pages: "400".into(),
                    read_again: Some(PostAction::new("Read again", format!("{href}?stream=orders"))),
                },
                StoredStream { name: "products".into(), pages: "12".into(), read_again: None },
            ],
            read_again: Some(PostAction::new("Read stored data again", href)),
            replays: vec![
                ReplayRow {
                    what: "orders".into(),
                    state: Badge::new("running", Tone::Active),
                    progress: Some(Progress::sample()),
                    outcome: "12\u{202f}400 records read".into(),
                    cancel: Some(PostAction::new("Cancel", format!("{href}/sample/cancel"))),
                    ..done.clone()
                },
                done,
            ],
        }
    }

    pub fn sample_extreme() -> Self {
        let mut stored = Self::sample();
        stored.streams[0].name = EXTREME_TEXT.into();
        stored.replays[0] = ReplayRow {
            state: Badge::new("failed", Tone::Bad),
            progress: None,
            error: Some(EXTREME_TEXT.into()),
            ..stored.replays[0].clone()
        };
        stored
    }
}
