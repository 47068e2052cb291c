//! The six ways in which there is nothing to show.

use askama::Template;
use askama::filters::HtmlSafe;

use super::Link;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyKind {
    /// Nothing has arrived yet: what this is for, and the first action.
    NothingYet,
    /// Filters hide everything: offer to clear them.
    FilteredAway,
    /// The person may not see it: whom to ask.
    NotAllowed,
    /// No source is connected: connect one.
    NotConnected,
    /// The source lags behind: last success, reason, retry.
    Lagging,
    /// A figure needs more data: how much is missing.
    NotEnoughData,
}

/// Why there is nothing, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_empty.html")]
pub struct Empty {
    pub kind: EmptyKind,
    pub title: String,
    pub text: String,
    pub action: Option<Link>,
    pub secondary: Option<Link>,
}
impl HtmlSafe for Empty {}

impl Empty {
    pub fn new(kind: EmptyKind, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, title: title.into(), text: text.into(), action: None, secondary: None }
    }

    pub fn with_action(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.action = Some(Link::new(text, href));
        self
    }

    pub fn with_secondary(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.secondary = Some(Link::new(text, href));
        self
    }

    /// `what` in the plural: "orders".
    pub fn nothing_yet(what: &str, purpose: impl Into<String>) -> Self {
        Self::new(EmptyKind::NothingYet, format!("No {what} yet"), purpose)
    }

    pub fn filtered_away(what: &str, clear_href: impl Into<String>) -> Self {
        let text = "Everything is hidden by the filters above.";
        Self::new(EmptyKind::FilteredAway, format!("No {what} match"), text)
            .with_action("Clear the filters", clear_href)
    }

    pub fn not_allowed(what: &str, whom_to_ask: &str) -> Self {
        let text = format!("Your role does not include {what}. {whom_to_ask} can change that.");
        Self::new(EmptyKind::NotAllowed, "Not yours to see", text)
    }

    pub fn not_connected() -> Self {
        let text = "Connect a shop, a marketplace or a file. Its orders appear here while they are fetched.";
        Self::new(EmptyKind::NotConnected, "Nothing is connected", text)
            .with_action("Connect a channel", "/connections/new")
    }

    /// `last_success`: "2 h ago"; `reason`: why the last attempt failed.
    pub fn lagging(source: &str, last_success: &str, reason: &str, sync_href: impl Into<String>) -> Self {
        let text = format!("Last success {last_success}. {reason}");
        Self::new(EmptyKind::Lagging, format!("{source} lags behind"), text)
            .with_action("See the sync", sync_href)
    }

    /// `missing`: "needs 2 full months: 17 more days".
    pub fn not_enough_data(what: &str, missing: &str) -> Self {
        Self::new(EmptyKind::NotEnoughData, format!("Not enough data for {what}"), format!("It {missing}."))
    }

    pub(crate) fn css(&self) -> &'static str {
        match self.kind {
            EmptyKind::NothingYet => "nothing-yet",
            EmptyKind::FilteredAway => "filtered-away",
            EmptyKind::NotAllowed => "not-allowed",
            EmptyKind::NotConnected => "not-connected",
            EmptyKind::Lagging => "lagging",
            EmptyKind::NotEnoughData => "not-enough-data",
        }
    }

    pub(crate) fn icons_url(&self) -> &'static str {
        crate::assets::url("icons.svg")
    }
}
