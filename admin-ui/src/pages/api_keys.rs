//! Keys for programs: the list, a form for another one, and the one time that a secret is shown.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Empty, FieldKind, FormField, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub name: String,
    /// Whoever made it.
    pub owner: String,
    pub state: Badge,
    /// "orders:read, syncs:read".
    pub scopes: String,
    /// Empty: from anywhere.
    pub networks: String,
    pub expires: When,
    pub last_used: Option<When>,
    /// For whoever may.
    pub rotate_href: Option<String>,
    pub revoke_href: Option<String>,
}

/// Something that a key may be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeChoice {
    /// `orders:read`.
    pub name: String,
    pub checked: bool,
}

/// A secret that nobody sees again.
#[derive(Clone, PartialEq, Eq)]
pub struct NewApiKeyView {
    pub name: String,
    pub key: String,
}

impl std::fmt::Debug for NewApiKeyView {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NewApiKeyView").field("name", &self.name).finish_non_exhaustive()
    }
}

/// `GET /admin/api-keys`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "api_keys.html")]
pub struct ApiKeysPage {
    pub shell: Shell,
    pub scope: String,
    pub made: Option<NewApiKeyView>,
    pub rows: Vec<ApiKeyRow>,
    pub empty: Option<Empty>,
    pub fields: Vec<FormField>,
    pub scopes: Vec<ScopeChoice>,
    pub scopes_error: Option<String>,
}

impl ApiKeysPage {
    pub fn sample() -> Self {
        let row = ApiKeyRow {
            name: "Nightly export".into(),
            owner: "owner".into(),
            state: Badge::new("active", Tone::Good),
            scopes: "analytics:query, orders:read".into(),
            networks: "192.0.2.0/24".into(),
            expires: When::sample(),
            last_used: Some(When::sample()),
            rotate_href: Some("/admin/api-keys/01932f1c-0000-7000-8000-0000000000aa/rotate".into()),
            revoke_href: Some("/admin/api-keys/01932f1c-0000-7000-8000-0000000000aa/revoke".into()),
        };
        let ended = ApiKeyRow {
            name: "Old script".into(),
            state: Badge::new("ended", Tone::Neutral),
            networks: String::new(),
            last_used: None,
            rotate_href: None,
            revoke_href: None,
            ..row.clone()
        };
        let choice = |name: &str, checked| ScopeChoice { name: name.into(), checked };
        let days = FieldKind::Number { value: "90".into(), min: None, max: None, step: None };
        Self {
            shell: Shell::new("API keys", Section::ApiKeys, "Harbour & Sons", "owner"),
            scope: "Everybody's keys: a key can do no more than whoever made it".into(),
            made: None,
            rows: vec![row, ended],
            empty: None,
            fields: vec![
                FormField::text("name", "Name", "").required(),
                FormField::new("days", "Days that it lives", days),
                FormField::text("networks", "Only from these networks", ""),
            ],
            scopes: vec![choice("analytics:query", true), choice("orders:read", false)],
            scopes_error: None,
        }
    }

    pub fn sample_made() -> Self {
        let made = NewApiKeyView { name: "Nightly export".into(), key: "ptl_sample".into() };
        Self { made: Some(made), ..Self::sample() }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::nothing_yet("keys", "A key lets a program ask what you may ask.");
        Self { rows: Vec::new(), empty: Some(empty), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for row in &mut page.rows {
            row.name = EXTREME_TEXT.into();
            row.scopes = EXTREME_TEXT.into();
        }
        page.scopes_error = Some(EXTREME_TEXT.into());
        page
    }
}
