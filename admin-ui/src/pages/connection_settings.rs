//! The settings of a connection that exists.

use askama::Template;

use super::{CheckView, ConnectionFormPage, EXTREME_TEXT};
use crate::parts::{Fact, FormFault, FormItem, Link, Notice, Section, Shell, Tone, When};

/// A setting that somebody else changed while this person was at the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictRow {
    pub label: String,
    /// What is stored now.
    pub stored: String,
    /// What this person entered.
    pub entered: String,
}

/// `GET` and `POST /connections/{id}/settings`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connection_settings.html")]
pub struct ConnectionSettingsPage {
    pub shell: Shell,
    pub connection: Link,
    /// "Shopify 0.1.0".
    pub plugin: String,
    pub action: String,
    /// Names the settings that the form was filled from.
    pub revision: String,
    /// That the settings were saved, or why not.
    pub notice: Option<Notice>,
    pub conflict: Vec<ConflictRow>,
    /// What the channel answered after secrets or an address were changed.
    pub check: Option<CheckView>,
    pub error: Option<String>,
    pub fields: Vec<FormItem>,
    /// What a change means for what is imported, and what can't be changed.
    pub meaning: Vec<String>,
    /// Where columns are chosen from a file instead.
    pub mappings: Vec<Link>,
}

impl ConnectionSettingsPage {
    fn faults(&self) -> Vec<FormFault> {
        self.fields.iter().flat_map(FormItem::faults).collect()
    }

    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Settings of Harbour Shop", Section::Connections, "Harbour & Sons", "owner"),
            connection: Link::new("Harbour Shop", "/connections/01932f1c-0000-7000-8000-000000000001"),
            plugin: "Shopify 0.1.0".into(),
            action: "/connections/01932f1c-0000-7000-8000-000000000001/settings".into(),
            revision: "5f2b8c0d".into(),
            notice: Some(Notice::new(Tone::Good, "Saved", "The settings apply from the next sync on.")),
            conflict: Vec::new(),
            check: Some(CheckView {
                ok: true,
                title: "The channel answers as Harbour Shop".into(),
                facts: vec![Fact::new("Account", "harbour-shop.myshopify.com")],
                notes: Vec::new(),
                when: Some(When::sample()),
            }),
            error: None,
            fields: ConnectionFormPage::sample_fields(),
            meaning: vec![
                "New settings apply from the next sync on. What is imported stays as it was read.".into(),
            ],
            mappings: vec![Link::new("Choose the columns of orders from a file", "#")],
        }
    }

    pub fn sample_conflict() -> Self {
        let row = ConflictRow {
            label: "Orders › Columns › Date".into(),
            stored: "Datum".into(),
            entered: String::new(),
        };
        let extreme = ConflictRow {
            label: EXTREME_TEXT.into(),
            stored: EXTREME_TEXT.into(),
            entered: EXTREME_TEXT.into(),
        };
        Self {
            notice: Some(Notice::new(
                Tone::Warn,
                "Somebody else changed these settings",
                "Nothing was overwritten. Save again to put yours in their place.",
            )),
            conflict: vec![row, extreme],
            check: None,
            ..Self::sample()
        }
    }
}
