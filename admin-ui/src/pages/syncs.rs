//! The list of syncs.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::parts::{
    Badge, Empty, FieldKind, FormField, Pager, Progress, Section, SelectOption, Shell, Tone, When,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRow {
    pub id: String,
    pub href: String,
    pub connection: String,
    /// "scheduled", "by owner", "file arrived".
    pub trigger: String,
    pub state: Badge,
    pub started: Option<When>,
    /// "4 min 12 s".
    pub duration: String,
    pub seen: String,
    pub documents: String,
    pub events: String,
    pub quarantined: String,
    /// While it runs.
    pub progress: Option<Progress>,
    /// When it failed: the reason in a sentence.
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_syncs.html")]
pub struct SyncsBody {
    pub rows: Vec<SyncRow>,
    pub pager: Pager,
    pub empty: Option<Empty>,
}
impl HtmlSafe for SyncsBody {}

/// `GET /syncs?connection=&state=&after=`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "syncs.html")]
pub struct SyncsPage {
    pub shell: Shell,
    pub filters: Vec<FormField>,
    pub body: SyncsBody,
    /// This page's address with its filters.
    pub live_src: String,
}

impl SyncRow {
    pub fn sample_running() -> Self {
        Self {
            id: "01932f1c-0000-7000-8000-00000000000a".into(),
            href: "/syncs/01932f1c-0000-7000-8000-00000000000a".into(),
            connection: "Harbour Shop".into(),
            trigger: "by owner".into(),
            state: Badge::new("running", Tone::Active),
            started: Some(When::sample()),
            duration: "12 s".into(),
            seen: "12 400".into(),
            documents: "12 388".into(),
            events: "44 120".into(),
            quarantined: "3".into(),
            progress: Some(Progress::sample()),
            error: None,
        }
    }

    pub fn sample_done() -> Self {
        Self { state: Badge::new("succeeded", Tone::Good), progress: None, ..Self::sample_running() }
    }

    pub fn sample_failed() -> Self {
        Self {
            state: Badge::new("failed", Tone::Bad),
            progress: None,
            error: Some("The channel refused the token (401). Set a new one, then sync again.".into()),
            ..Self::sample_running()
        }
    }
}

impl SyncsPage {
    pub fn sample() -> Self {
        let states =
            vec![SelectOption::new("", "any state", true), SelectOption::new("failed", "failed", false)];
        let connections = vec![SelectOption::new("", "all connections", true)];
        Self {
            shell: Shell::new("Syncs", Section::Syncs, "Harbour & Sons", "owner"),
            filters: vec![
                FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
                FormField::new("state", "State", FieldKind::Select { options: states }),
            ],
            body: SyncsBody {
                rows: vec![SyncRow::sample_running(), SyncRow::sample_done(), SyncRow::sample_failed()],
                pager: Pager { summary: "3 syncs".into(), ..Pager::default() },
                empty: None,
            },
            live_src: "/syncs".into(),
        }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::nothing_yet(
            "syncs",
            "A sync fetches what is new at a channel. It starts by itself on its schedule.",
        )
        .with_action("See the connections", "/connections");
        Self { body: SyncsBody { empty: Some(empty), ..SyncsBody::default() }, ..Self::sample() }
    }
}
