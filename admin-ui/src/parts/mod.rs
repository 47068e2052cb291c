//! What pages are made of: badges, moments, forms, tables' edges, charts, empty states.
//!
//! Each part is a template of its own that escapes its content; [`HtmlSafe`] tells askama not to
//! escape the result a second time.

use askama::Template;
use askama::filters::HtmlSafe;

mod chart;
mod code;
mod empty;
mod form;
mod passkey;
mod shell;

pub use chart::{ChartTableView, ChartView, SafeSvg};
pub use code::{CodeField, QrDrawing};
pub use empty::{Empty, EmptyKind};
pub use form::{
    ActionStyle, FieldGroup, FieldKind, FieldList, FormFault, FormField, FormItem, PostAction, SecretState,
    SelectOption,
};
pub use passkey::PasskeyForm;
pub use shell::{Section, Shell, TenantChoice};

/// How something is meant, beside its words: chooses colour and symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Neutral,
    /// Under way.
    Active,
    Good,
    Warn,
    Bad,
}

impl Tone {
    pub const fn css(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Active => "active",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// A sign beside the colour, so that colour is never the only message.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Neutral => "○",
            Self::Active => "◐",
            Self::Good => "●",
            Self::Warn => "▲",
            Self::Bad => "✕",
        }
    }
}

/// A state in one word.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="badge {{ tone.css() }}"><span aria-hidden="true">{{ tone.sign() }}</span> {{ text }}</span>"#
)]
pub struct Badge {
    pub text: String,
    pub tone: Tone,
}
impl HtmlSafe for Badge {}

impl Badge {
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// A moment: relative within a day, else absolute; in full, with its zone, on hover.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<time datetime="{{ iso }}" title="{{ full }}">{{ text }}</time>"#)]
pub struct When {
    /// "4 min ago", "3 Mar 2026"; see [`crate::format::relative_time`].
    pub text: String,
    /// "3 March 2026 14:05:09 Europe/Berlin".
    pub full: String,
    /// RFC 3339.
    pub iso: String,
}
impl HtmlSafe for When {}

/// A link in words.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}">{{ text }}</a>"#)]
pub struct Link {
    pub text: String,
    pub href: String,
}
impl HtmlSafe for Link {}

impl Link {
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

/// A label and its value, for description lists and count strips.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<div class="fact"><dt>{{ label }}</dt><dd>{{ value }}{% if let Some(note) = note %} <span class="note">{{ note }}</span>{% endif %}</dd></div>"#
)]
pub struct Fact {
    pub label: String,
    pub value: String,
    pub note: Option<String>,
}
impl HtmlSafe for Fact {}

impl Fact {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), note: None }
    }

    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
    Flat,
}

/// A change against a comparison: sign, arrow, value, and what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="delta {{ self.css() }}"><span aria-hidden="true">{{ self.arrow() }}</span> {{ text }} <span class="note">{{ compared_with }}</span></span>"#
)]
pub struct Delta {
    /// With its sign: "+4.2 %", "−1 203.00 EUR".
    pub text: String,
    pub direction: Direction,
    /// Whether the change is for the better; `None` where it is neither.
    pub better: Option<bool>,
    /// "vs 1–31 Oct".
    pub compared_with: String,
}
impl HtmlSafe for Delta {}

impl Delta {
    fn css(&self) -> &'static str {
        match self.better {
            Some(true) => "good",
            Some(false) => "bad",
            None => "neutral",
        }
    }

    fn arrow(&self) -> &'static str {
        match self.direction {
            Direction::Up => "▲",
            Direction::Down => "▼",
            Direction::Flat => "=",
        }
    }
}

/// Something to know before reading on: the outcome of an action, a warning, a failure.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_notice.html")]
pub struct Notice {
    pub tone: Tone,
    pub title: String,
    /// What happened, why, what next.
    pub text: String,
    /// The reference that the log has too.
    pub reference: Option<String>,
    pub action: Option<Link>,
}
impl HtmlSafe for Notice {}

impl Notice {
    pub fn new(tone: Tone, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone, title: title.into(), text: text.into(), reference: None, action: None }
    }
}

/// How far something long has come. With `percent` unknown the bar shows motion without a claim.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_progress.html")]
pub struct Progress {
    /// 0 to 100.
    pub percent: Option<u8>,
    /// "12 400 of 20 000 records".
    pub done: String,
    /// "1 830 records/s"
    pub rate: Option<String>,
    /// "4 s left".
    pub eta: Option<String>,
}
impl HtmlSafe for Progress {}

/// The edges of a list that is read page by page with a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_pager.html")]
pub struct Pager {
    /// "50 orders shown of 25 900".
    pub summary: String,
    pub first: Option<String>,
    pub previous: Option<String>,
    pub next: Option<String>,
}
impl HtmlSafe for Pager {}

impl When {
    pub fn sample() -> Self {
        Self {
            text: "4 min ago".into(),
            full: "3 March 2026 14:05:09 Europe/Berlin".into(),
            iso: "2026-03-03T13:05:09Z".into(),
        }
    }
}

impl Progress {
    pub fn sample() -> Self {
        Self {
            percent: Some(62),
            done: "12\u{202f}400 of 20\u{202f}000 records".into(),
            rate: Some("1\u{202f}830 records/s".into()),
            eta: Some("4 s left".into()),
        }
    }
}
