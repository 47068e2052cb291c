//! The list of connections, and the first step towards a new one.

use askama::Template;
use askama::filters::HtmlSafe;

use super::EXTREME_TEXT;
use crate::parts::{ActionStyle, Badge, Empty, PostAction, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    pub href: String,
    pub label: String,
    pub plugin: String,
    pub state: Badge,
    pub last_sync: Option<When>,
    pub last_sync_href: Option<String>,
    pub last_sync_state: Option<Badge>,
    /// "21 904 orders, 3 958 products".
    pub documents: String,
    /// "up to date", "2 h behind".
    pub freshness: String,
    pub actions: Vec<PostAction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_connections.html")]
pub struct ConnectionsBody {
    pub rows: Vec<ConnectionRow>,
    pub empty: Option<Empty>,
}
impl HtmlSafe for ConnectionsBody {}

/// `GET /connections`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connections.html")]
pub struct ConnectionsPage {
    pub shell: Shell,
    pub body: ConnectionsBody,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginChoice {
    pub href: String,
    pub name: String,
    pub publisher: String,
    pub version: String,
    pub description: String,
    /// "Fetches from the channel's API", "Reads files you upload".
    pub how: String,
}

/// `GET /connections/new`: which connector.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connection_choice.html")]
pub struct ConnectionChoicePage {
    pub shell: Shell,
    pub choices: Vec<PluginChoice>,
    pub empty: Option<Empty>,
}

impl ConnectionsPage {
    fn shell() -> Shell {
        Shell::new("Connections", Section::Connections, "Harbour & Sons", "owner")
    }

    pub fn sample() -> Self {
        Self {
            shell: Self::shell(),
            body: ConnectionsBody {
                rows: vec![ConnectionRow::sample(), ConnectionRow::sample_failing()],
                empty: None,
            },
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            shell: Self::shell(),
            body: ConnectionsBody { rows: Vec::new(), empty: Some(Empty::not_connected()) },
        }
    }

    pub fn sample_extreme() -> Self {
        let row = ConnectionRow { label: EXTREME_TEXT.repeat(2), ..ConnectionRow::sample_failing() };
        Self { shell: Self::shell(), body: ConnectionsBody { rows: vec![row; 60], empty: None } }
    }
}

impl ConnectionRow {
    pub fn sample() -> Self {
        Self {
            href: "/connections/01932f1c-0000-7000-8000-000000000001".into(),
            label: "Harbour Shop".into(),
            plugin: "Shopify".into(),
            state: Badge::new("active", Tone::Good),
            last_sync: Some(When::sample()),
            last_sync_href: Some("/syncs/01932f1c-0000-7000-8000-00000000000a".into()),
            last_sync_state: Some(Badge::new("running", Tone::Active)),
            documents: "20 000 orders, 412 products".into(),
            freshness: "up to date".into(),
            actions: vec![
                PostAction {
                    style: ActionStyle::Primary,
                    ..PostAction::new("Sync now", "/connections/01932f1c-0000-7000-8000-000000000001/sync")
                },
                PostAction::new("Pause", "/connections/01932f1c-0000-7000-8000-000000000001/pause"),
            ],
        }
    }

    pub fn sample_failing() -> Self {
        Self {
            href: "/connections/01932f1c-0000-7000-8000-000000000002".into(),
            label: "Online retail export".into(),
            plugin: "Delimited files".into(),
            state: Badge::new("needs a new secret", Tone::Bad),
            last_sync_state: Some(Badge::new("failed", Tone::Bad)),
            freshness: "2 h behind".into(),
            documents: "25 900 orders".into(),
            ..Self::sample()
        }
    }
}

impl ConnectionChoicePage {
    fn shell() -> Shell {
        Shell::new("Connect a channel", Section::Connections, "Harbour & Sons", "owner")
    }

    pub fn sample() -> Self {
        let shopify = PluginChoice {
            href: "/connections/new/shopify".into(),
            name: "Shopify".into(),
            publisher: "Portolan".into(),
            version: "0.1.0".into(),
            description: "Orders with their full history, products and customers from one Shopify shop."
                .into(),
            how: "Fetches from the channel's API".into(),
        };
        let csv = PluginChoice {
            href: "/connections/new/csv".into(),
            name: "Delimited files".into(),
            description: "Orders, products and customers from CSV or TSV files, also compressed.".into(),
            how: "Reads files that you upload".into(),
            ..shopify.clone()
        };
        Self { shell: Self::shell(), choices: vec![shopify, csv], empty: None }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::nothing_yet(
            "connectors",
            "A connector is a plugin that knows one channel. Install one first.",
        )
        .with_action("See the plugins", "/plugins");
        Self { shell: Self::shell(), choices: Vec::new(), empty: Some(empty) }
    }
}
