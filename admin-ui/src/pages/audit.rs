//! Who did what: the list, one event, and whether all of it is as it was written.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{
    Empty, Fact, FieldKind, FormField, Notice, Pager, Section, SelectOption, Shell, Tone, When,
};

/// That somebody did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEventRow {
    pub href: String,
    pub number: String,
    pub at: When,
    pub actor: String,
    /// `sync.start`.
    pub action: String,
    pub subject: String,
    /// Empty on the command line.
    pub address: String,
}

/// `GET /admin/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit.html")]
pub struct AuditPage {
    pub shell: Shell,
    pub scope: String,
    pub filters: Vec<FormField>,
    pub clear_href: Option<String>,
    pub rows: Vec<AuditEventRow>,
    pub pager: Pager,
    pub empty: Option<Empty>,
}

/// `GET /admin/audit/{seq}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit_event.html")]
pub struct AuditEventPage {
    pub shell: Shell,
    pub facts: Vec<Fact>,
    /// JSON, a field on each line.
    pub before: Option<String>,
    pub after: Option<String>,
    pub previous_hash: String,
    pub hash: String,
}

/// `GET /admin/audit/verification`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "audit_verification.html")]
pub struct AuditVerificationPage {
    pub shell: Shell,
    pub notice: Notice,
    pub facts: Vec<Fact>,
    pub broken_href: Option<String>,
    /// Ed25519, in hex.
    pub public_keys: Vec<String>,
}

fn shell(title: &str) -> Shell {
    Shell::new(title, Section::Audit, "Harbour & Sons", "owner")
}

const SAMPLE_HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

impl AuditPage {
    pub fn sample() -> Self {
        let row = |number: &str, actor: &str, action: &str, subject: &str, address: &str| AuditEventRow {
            href: format!("/admin/audit/{number}"),
            number: number.into(),
            at: When::sample(),
            actor: actor.into(),
            action: action.into(),
            subject: subject.into(),
            address: address.into(),
        };
        let id = "01932f1c-0000-7000-8000-0000000000aa";
        let people = vec![
            SelectOption::new("", "everybody", true),
            SelectOption::new("operator", "the operator", false),
            SelectOption::new(id, "owner", false),
        ];
        Self {
            shell: shell("Audit"),
            scope: "Who changed what, newest first · Europe/Berlin".into(),
            filters: vec![
                FormField::new("who", "Who", FieldKind::Select { options: people }),
                FormField::text("what", "What", "")
                    .with_help("An action such as sync.start, or sync for all that is done to syncs."),
                FormField::text("subject", "To what (id)", ""),
                FormField::new("from", "From", FieldKind::Date { value: String::new() }),
                FormField::new("until", "Until", FieldKind::Date { value: String::new() }),
            ],
            clear_href: None,
            rows: vec![
                row("4", "owner", "sync.start", &format!("sync {id}"), "192.0.2.7"),
                row("3", "owner", "connection.set_secret", &format!("connection {id}"), "192.0.2.7"),
                row("2", "owner", "session.begin", &format!("session {id}"), "2001:db8::17"),
                row("1", "the operator, on the command line", "member.add", &format!("person {id}"), ""),
            ],
            pager: Pager { summary: "4 events shown, newest first".into(), ..Pager::default() },
            empty: None,
        }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::filtered_away("events", "/admin/audit");
        let clear_href = Some("/admin/audit".into());
        Self { rows: Vec::new(), empty: Some(empty), clear_href, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for row in &mut page.rows {
            row.actor = EXTREME_TEXT.into();
            row.subject = EXTREME_TEXT.into();
        }
        page
    }
}

impl AuditEventPage {
    pub fn sample() -> Self {
        Self {
            shell: shell("Event 17"),
            facts: vec![
                Fact::new("When", "3 March 2026 14:05:09 Europe/Berlin"),
                Fact::new("Who", "owner"),
                Fact::new("What", "rates.set_policy"),
                Fact::new("To what", "tenant 01932f1c-0000-7000-8000-0000000000aa"),
                Fact::new("From", "192.0.2.7"),
                Fact::new("Request", "5f1d2c3b4a596877"),
            ],
            before: Some("{\n  \"policy\": \"event_date\"\n}".into()),
            after: Some("{\n  \"policy\": \"month_average\"\n}".into()),
            previous_hash: SAMPLE_HASH.into(),
            hash: SAMPLE_HASH.into(),
        }
    }

    pub fn sample_empty() -> Self {
        Self { before: None, after: None, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        Self { after: Some(EXTREME_TEXT.into()), ..Self::sample() }
    }
}

impl AuditVerificationPage {
    pub fn sample() -> Self {
        Self {
            shell: shell("Audit: does it hold?"),
            notice: Notice::new(Tone::Good, "It holds", "Every event is there and as it was written."),
            facts: vec![
                Fact::new("Events as they were written", "1\u{202f}204"),
                Fact::new("Signed heads that were met", "38"),
                Fact::new("Held by a signature up to", "event 1\u{202f}198"),
            ],
            broken_href: None,
            public_keys: vec![SAMPLE_HASH.into()],
        }
    }

    pub fn sample_broken() -> Self {
        let text = "The first broken place: event 17 is not what was written.";
        Self {
            notice: Notice::new(Tone::Bad, "It does not hold", text),
            broken_href: Some("/admin/audit/17".into()),
            public_keys: Vec::new(),
            ..Self::sample()
        }
    }
}
