//! A newer version of a connection's plugin: what it would change, the switch, and the way back.

use askama::Template;
use askama::filters::HtmlSafe;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Empty, Fact, Link, Notice, PostAction, Progress, Section, Shell, Tone, When};

/// One stream, as both versions read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowStreamRow {
    pub name: String,
    /// "50 pages, 350 older ones not compared".
    pub pages: String,
    /// "12 000 → 12 000".
    pub read: String,
    pub skipped: String,
    pub failed: String,
    /// Why the newer version skips or fails.
    pub reasons: Vec<String>,
    pub differs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowDocumentRow {
    pub entity: String,
    pub same: String,
    pub changed: String,
    pub added: String,
    pub removed: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowFieldRow {
    /// "order · lines[].gross_minor".
    pub field: String,
    pub documents: String,
    /// "1001: 1000 → 1200".
    pub examples: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowMoneyRow {
    /// "sale, EUR".
    pub what: String,
    pub events: String,
    pub net: String,
    pub charged: String,
    pub differs: bool,
}

/// Movements of a provider's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowCashRow {
    /// "refund, EUR"; "all movements, EUR".
    pub what: String,
    /// All categories of the currency together.
    pub is_total: bool,
    pub entries: String,
    pub gross: String,
    pub fees: String,
    pub net: String,
    pub differs: bool,
}

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShadowView {
    pub summary: String,
    pub streams: Vec<ShadowStreamRow>,
    pub documents: Vec<ShadowDocumentRow>,
    pub fields: Vec<ShadowFieldRow>,
    /// Said where not every field is listed.
    pub fields_note: Option<String>,
    pub money: Vec<ShadowMoneyRow>,
    pub cash: Vec<ShadowCashRow>,
    pub money_note: Option<String>,
}

/// The form that switches. The checkbox is sent as `consent=yes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchForm {
    pub action: String,
    /// "Switch to 0.2.0".
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    pub when: When,
    /// "0.1.0 (a1b2c3) → 0.2.0 (d4e5f6)".
    pub what: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_upgrade.html")]
pub struct UpgradeBody {
    pub facts: Vec<Fact>,
    /// What the newer version asks for beyond what was agreed to.
    pub asks: Vec<String>,
    /// State of the last trial.
    pub trial: Option<Badge>,
    pub progress: Option<Progress>,
    pub error: Option<String>,
    pub view: Option<ShadowView>,
    pub actions: Vec<PostAction>,
    pub switch: Option<SwitchForm>,
    pub switches: Vec<SwitchRow>,
    /// Going back to the version before.
    pub rollback: Option<PostAction>,
    pub empty: Option<Empty>,
}
impl HtmlSafe for UpgradeBody {}

/// `GET /connections/{id}/upgrade`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "upgrade.html")]
pub struct UpgradePage {
    pub shell: Shell,
    pub connection: Link,
    pub plugin: String,
    pub notice: Option<Notice>,
    /// What the body follows: the trial, while there is one. Anything else would undo a tick in its form.
    pub live_id: String,
    pub live_src: String,
    pub body: UpgradeBody,
}

impl UpgradePage {
    pub fn sample() -> Self {
        Self {
            shell: Shell::new("Upgrade of Harbour Shop", Section::Connections, "Harbour & Sons", "owner"),
            connection: Link::new("Harbour Shop", "/connections/sample"),
            plugin: "Shopify".into(),
            notice: None,
            live_id: "sample".into(),
            live_src: "/connections/sample/upgrade".into(),
            body: UpgradeBody {
                facts: vec![
                    Fact::new("On", "0.1.0 (a1b2c3d4e5f6)"),
                    Fact::new("Newer", "0.2.0 (0f1e2d3c4b5a)"),
                ],
                asks: vec!["Reach files.shops.example".into(), "Use the secret webhook_secret".into()],
                trial: Some(Badge::new("succeeded", Tone::Good)),
                progress: None,
                error: None,
                view: Some(ShadowView::sample()),
                actions: vec![PostAction::new("Compare anew", "/connections/sample/upgrade")],
                switch: Some(SwitchForm {
                    action: "/connections/sample/upgrade/sample/switch".into(),
                    label: "Switch to 0.2.0".into(),
                }),
                switches: vec![SwitchRow {
                    when: When::sample(),
                    what: "0.0.9 (99aa88bb77cc) → 0.1.0 (a1b2c3d4e5f6)".into(),
                }],
                rollback: Some(PostAction::danger(
                    "Go back to 0.0.9",
                    "/connections/sample/rollback",
                    "Harbour Shop",
                    "Stored pages are read again with that version; what was reported meanwhile stays answerable.",
                )),
                empty: None,
            },
        }
    }

    pub fn sample_running() -> Self {
        let page = Self::sample();
        Self {
            body: UpgradeBody {
                trial: Some(Badge::new("running", Tone::Active)),
                progress: Some(Progress::sample()),
                view: None,
                switch: None,
                asks: Vec::new(),
                ..page.body
            },
            ..page
        }
    }

    pub fn sample_empty() -> Self {
        let page = Self::sample();
        let empty = Empty::nothing_yet(
            "newer version",
            "The connection is on the newest installed version of its plugin.",
        );
        Self { body: UpgradeBody { empty: Some(empty), ..UpgradeBody::default() }, ..page }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.body.trial = Some(Badge::new("failed", Tone::Bad));
        page.body.error = Some(EXTREME_TEXT.into());
        page.body.asks = vec![EXTREME_TEXT.into(); 12];
        if let Some(view) = &mut page.body.view {
            let row = ShadowFieldRow {
                field: EXTREME_TEXT.into(),
                documents: "1\u{202f}000\u{202f}000".into(),
                examples: vec![EXTREME_TEXT.into(); 3],
            };
            view.fields = vec![row; 40];
            view.streams[0].reasons = vec![EXTREME_TEXT.into(); 5];
        }
        page
    }
}

impl ShadowView {
    fn sample() -> Self {
        Self {
            summary: "12 documents of 12\u{202f}412 would change.".into(),
            streams: vec![ShadowStreamRow {
                name: "orders".into(),
                pages: "50 pages, 350 older ones not compared".into(),
                read: "12\u{202f}500 → 12\u{202f}500".into(),
                skipped: "3 → 1".into(),
                failed: "0 → 0".into(),
                reasons: vec!["lines[0].quantity is no number".into()],
                differs: true,
            }],
            documents: vec![ShadowDocumentRow {
                entity: "order".into(),
                same: "12\u{202f}400".into(),
                changed: "12".into(),
                added: "2".into(),
                removed: "0".into(),
            }],
            fields: vec![ShadowFieldRow {
                field: "order · lines[].discount_minor".into(),
                documents: "12".into(),
                examples: vec!["gid://shopify/Order/5501042: 0 → 500".into()],
            }],
            fields_note: None,
            money: vec![
                ShadowMoneyRow {
                    what: "sale, EUR".into(),
                    events: "24\u{202f}100 → 24\u{202f}104".into(),
                    net: "1\u{202f}204\u{202f}000.00 → 1\u{202f}203\u{202f}940.00".into(),
                    charged: "1\u{202f}432\u{202f}760.00 → 1\u{202f}432\u{202f}688.60".into(),
                    differs: true,
                },
                ShadowMoneyRow {
                    what: "return, EUR".into(),
                    events: "800".into(),
                    net: "−40\u{202f}000.00".into(),
                    charged: "−47\u{202f}600.00".into(),
                    differs: false,
                },
            ],
            cash: vec![
                ShadowCashRow {
                    what: "all movements, EUR".into(),
                    is_total: true,
                    entries: "24\u{202f}100".into(),
                    gross: "1\u{202f}392\u{202f}760.00".into(),
                    fees: "21\u{202f}430.10 → 22\u{202f}004.10".into(),
                    net: "1\u{202f}371\u{202f}329.90 → 1\u{202f}370\u{202f}755.90".into(),
                    differs: true,
                },
                ShadowCashRow {
                    what: "refund, EUR".into(),
                    is_total: false,
                    entries: "800".into(),
                    gross: "−40\u{202f}000.00".into(),
                    fees: "0.00".into(),
                    net: "−40\u{202f}000.00".into(),
                    differs: false,
                },
            ],
            money_note: None,
        }
    }
}
