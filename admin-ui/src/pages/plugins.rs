//! Installed plugins: what each is, may reach and delivers.

use askama::Template;

use crate::parts::{Badge, Empty, Fact, PostAction, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginRow {
    pub href: String,
    pub name: String,
    pub id: String,
    pub kind: String,
    pub version: String,
    pub publisher: String,
    pub state: Badge,
    pub streams: String,
    pub hosts: String,
    /// "2 connections".
    pub connections: String,
    /// The first digits of the hash.
    pub hash: String,
}

/// `GET /plugins`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "plugins.html")]
pub struct PluginsPage {
    pub shell: Shell,
    pub rows: Vec<PluginRow>,
    pub empty: Option<Empty>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginStreamRow {
    pub name: String,
    pub entity: String,
    pub schedule: String,
    /// "by updated_at, windows of at most 30 days", "whole each time".
    pub how: String,
    /// Paths that carry personal data.
    pub personal: String,
}

/// `GET /plugins/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "plugin.html")]
pub struct PluginPage {
    pub shell: Shell,
    pub state: Badge,
    pub description: String,
    pub facts: Vec<Fact>,
    pub hosts: Vec<String>,
    /// "access_token: sent as X-Shopify-Access-Token to {shop}.myshopify.com".
    pub secrets: Vec<String>,
    pub streams: Vec<PluginStreamRow>,
    pub limits: Vec<Fact>,
    pub sha256: String,
    pub installed_at: Option<When>,
    pub connect_href: Option<String>,
    pub actions: Vec<PostAction>,
}

impl PluginsPage {
    pub fn sample() -> Self {
        let shopify = PluginRow {
            href: "/plugins/shopify".into(),
            name: "Shopify".into(),
            id: "shopify".into(),
            kind: "connector".into(),
            version: "0.1.0".into(),
            publisher: "Portolan".into(),
            state: Badge::new("enabled", Tone::Good),
            streams: "orders, products, customers".into(),
            hosts: "{shop}.myshopify.com".into(),
            connections: "1 connection".into(),
            hash: "9f2c1ab07d11".into(),
        };
        let csv = PluginRow {
            href: "/plugins/csv".into(),
            name: "Delimited files".into(),
            id: "csv".into(),
            hosts: "none".into(),
            ..shopify.clone()
        };
        Self {
            shell: Shell::new("Plugins", Section::Plugins, "Harbour & Sons", "owner"),
            rows: vec![shopify, csv],
            empty: None,
        }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::nothing_yet(
            "plugins",
            "A plugin connects a channel. Install one with: portolan plugin install FILE",
        );
        Self { rows: Vec::new(), empty: Some(empty), ..Self::sample() }
    }
}

impl PluginPage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Shopify", Section::Plugins, "Harbour & Sons", "owner"),
            state: Badge::new("enabled", Tone::Good),
            description: "Orders with their full history, products and customers from one Shopify shop."
                .into(),
            facts: vec![
                Fact::new("Id", "shopify"),
                Fact::new("Version", "0.1.0"),
                Fact::new("Publisher", "Portolan"),
                Fact::new("Contract", "0.1.0"),
                Fact::new("Size", "412 kB"),
            ],
            hosts: vec!["{shop}.myshopify.com".into()],
            secrets: vec!["access_token: sent as X-Shopify-Access-Token to {shop}.myshopify.com".into()],
            streams: vec![PluginStreamRow {
                name: "orders".into(),
                entity: "order".into(),
                schedule: "every 6 hours".into(),
                how: "by updated_at, windows of at most 30 days".into(),
                personal: "none requested".into(),
            }],
            limits: vec![Fact::new("Memory", "128 MB"), Fact::new("Time a page", "30 s")],
            sha256: "9f2c1ab07d11e5c49f2c1ab07d11e5c49f2c1ab07d11e5c49f2c1ab07d11e5c4".into(),
            installed_at: Some(When::sample()),
            connect_href: Some("/connections/new/shopify".into()),
            actions: Vec::new(),
        }
    }
}
