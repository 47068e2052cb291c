//! One connection: its streams, its syncs, what it may reach, what was uploaded to it.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{CoverageRow, DriftRow, EXTREME_TEXT, StoredData, SyncRow};
use crate::parts::{
    Badge, Empty, Fact, FieldKind, FormField, Notice, PostAction, Section, SelectOption, Shell, Tone, When,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    pub name: String,
    pub state: Badge,
    /// "every 6 hours".
    pub schedule: String,
    pub next_run: Option<When>,
    /// Up to when the channel's changes are known.
    pub watermark: Option<When>,
    pub last_success: Option<When>,
    pub documents: String,
}

/// What a check saw at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckView {
    pub ok: bool,
    pub title: String,
    pub facts: Vec<Fact>,
    pub notes: Vec<String>,
    pub when: Option<When>,
}

/// Documents that are missing from what the channel shows, too many to believe it unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    pub text: String,
    pub confirm: PostAction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRow {
    /// "http://127.0.0.1:9999".
    pub address: String,
    pub granted_by: String,
    pub granted_at: When,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    pub label: String,
    pub set_by: String,
    pub set_at: When,
}

/// The multipart form that posts to `/connections/{id}/uploads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadForm {
    pub action: String,
    /// The stream to choose and the file.
    pub fields: Vec<FormField>,
    /// Whether its columns can be looked at before it is imported.
    pub can_look: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRow {
    pub name: String,
    pub stream: String,
    pub size: String,
    pub state: Badge,
    /// Why it was set aside.
    pub reason: Option<String>,
    pub received_at: When,
    /// Where the columns of a file that waits are chosen.
    pub look_href: Option<String>,
    /// Tries a file again that was set aside.
    pub retry: Option<PostAction>,
    /// Takes a file away whose rows are not imported.
    pub remove: Option<PostAction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_connection.html")]
pub struct ConnectionBody {
    pub facts: Vec<Fact>,
    pub streams: Vec<StreamRow>,
    pub syncs: Vec<SyncRow>,
    pub syncs_href: String,
    pub uploads: Vec<UploadRow>,
    /// What has been fetched of each stream.
    pub coverage: Vec<CoverageRow>,
    /// What a complete pass no longer showed, and a person has to decide on.
    pub held: Vec<HeldRow>,
    /// How the channel's answers have changed.
    pub drift: Vec<DriftRow>,
    /// What is stored of the channel's answers, and how it was read again.
    pub stored: StoredData,
}
impl HtmlSafe for ConnectionBody {}

/// `GET /connections/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connection.html")]
pub struct ConnectionPage {
    pub shell: Shell,
    pub id: String,
    pub plugin: String,
    pub plugin_href: String,
    pub state: Badge,
    /// Why it needs attention, with what to do.
    pub notice: Option<Notice>,
    pub check: Option<CheckView>,
    pub body: ConnectionBody,
    /// Settings without secrets.
    pub settings: Vec<Fact>,
    pub settings_href: Option<String>,
    pub secrets: Vec<SecretRow>,
    /// Hosts that were consented to.
    pub hosts: Vec<String>,
    pub egress_grants: Vec<EgressRow>,
    pub upload: Option<UploadForm>,
    pub actions: Vec<PostAction>,
    /// Destructive ones, at the end of the page.
    pub danger: Vec<PostAction>,
}

impl ConnectionPage {
    fn live_src(&self) -> String {
        format!("/connections/{}", self.id)
    }

    pub fn sample() -> Self {
        let id = "01932f1c-0000-7000-8000-000000000001";
        let stream = StreamRow {
            name: "orders".into(),
            state: Badge::new("up to date", Tone::Good),
            schedule: "every 6 hours".into(),
            next_run: Some(When::sample()),
            watermark: Some(When::sample()),
            last_success: Some(When::sample()),
            documents: "20 000".into(),
        };
        let stream_options = vec![
            SelectOption::new("orders", "orders", true),
            SelectOption::new("products", "products", false),
        ];
        let accept = Some(".csv,.tsv,.txt,.gz,.xz".to_owned());
        Self {
            shell: Shell::new("Harbour Shop", Section::Connections, "Harbour & Sons", "owner"),
            id: id.into(),
            plugin: "Shopify 0.1.0".into(),
            plugin_href: "/plugins/shopify".into(),
            state: Badge::new("active", Tone::Good),
            notice: None,
            check: Some(CheckView {
                ok: true,
                title: "The channel answers".into(),
                facts: vec![
                    Fact::new("Account", "harbour-shop.myshopify.com"),
                    Fact::new("Name", "Harbour Shop"),
                    Fact::new("Currency", "EUR"),
                    Fact::new("Time zone", "Europe/Berlin"),
                ],
                notes: vec!["Orders older than 60 days need the scope read_all_orders.".into()],
                when: Some(When::sample()),
            }),
            body: ConnectionBody {
                facts: vec![
                    Fact::new("Orders", "20 000"),
                    Fact::new("Ledger events", "71 204"),
                    Fact::new("In quarantine", "3"),
                    Fact::new("Freshness", "up to date"),
                ],
                streams: vec![
                    stream.clone(),
                    StreamRow { name: "products".into(), documents: "412".into(), ..stream },
                ],
                syncs: vec![SyncRow::sample_running(), SyncRow::sample_done()],
                syncs_href: format!("/syncs?connection={id}"),
                uploads: vec![UploadRow {
                    name: "online-retail.csv.xz".into(),
                    stream: "orders".into(),
                    size: "7.1 MB".into(),
                    state: Badge::new("read", Tone::Good),
                    reason: None,
                    received_at: When::sample(),
                    look_href: Some(format!("/connections/{id}/mapping/orders")),
                    retry: None,
                    remove: Some(PostAction::new("Take away", "/connections/sample/uploads/sample/remove")),
                }],
                coverage: CoverageRow::samples(),
                held: vec![HeldRow {
                    text: "120 of 412 documents of products are missing from what the channel shows.".into(),
                    confirm: PostAction::new("They are gone", "/connections/sample/streams/products/deletes"),
                }],
                drift: DriftRow::samples(),
                stored: StoredData::sample(),
            },
            settings: vec![Fact::new("Shop", "harbour-shop"), Fact::new("API version", "2026-07")],
            settings_href: Some(format!("/connections/{id}/settings")),
            secrets: vec![SecretRow {
                label: "Admin API access token".into(),
                set_by: "owner".into(),
                set_at: When::sample(),
            }],
            hosts: vec!["harbour-shop.myshopify.com".into()],
            egress_grants: vec![EgressRow {
                address: "http://127.0.0.1:9999".into(),
                granted_by: "owner".into(),
                granted_at: When::sample(),
            }],
            upload: Some(UploadForm {
                action: format!("/connections/{id}/uploads"),
                fields: vec![
                    FormField::new(
                        "stream",
                        "What the file holds",
                        FieldKind::Select { options: stream_options },
                    ),
                    FormField::new("file", "File", FieldKind::File { accept })
                        .required()
                        .with_help("CSV or TSV, also compressed with gzip or xz."),
                ],
                can_look: true,
            }),
            actions: vec![
                PostAction::primary("Sync now", format!("/connections/{id}/sync")),
                PostAction::new("Check", format!("/connections/{id}/check")),
                PostAction::new("Pause", format!("/connections/{id}/pause")),
            ],
            danger: vec![PostAction::danger(
                "Delete this connection",
                format!("/connections/{id}/delete"),
                "Harbour Shop",
                "Its schedule stops and its secrets are destroyed. Documents and ledger events stay.",
            )],
        }
    }

    pub fn sample_empty() -> Self {
        let page = Self::sample();
        Self {
            check: None,
            body: ConnectionBody { syncs_href: page.body.syncs_href.clone(), ..ConnectionBody::default() },
            settings: Vec::new(),
            settings_href: None,
            secrets: Vec::new(),
            hosts: Vec::new(),
            egress_grants: Vec::new(),
            upload: None,
            danger: Vec::new(),
            state: Badge::new("paused", Tone::Neutral),
            ..page
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.state = Badge::new("needs a new secret", Tone::Bad);
        page.notice = Some(Notice::new(Tone::Bad, "The token was refused", EXTREME_TEXT));
        page.settings = vec![Fact::new(EXTREME_TEXT, EXTREME_TEXT); 12];
        page.body.syncs = vec![SyncRow::sample_failed(); 40];
        page.body.coverage = vec![CoverageRow::sample_extreme()];
        page.body.drift = vec![DriftRow::sample_extreme()];
        page.body.held[0].text = EXTREME_TEXT.into();
        page.body.stored = StoredData::sample_extreme();
        let upload = &mut page.body.uploads[0];
        upload.state = Badge::new("set aside", Tone::Bad);
        upload.reason = Some(EXTREME_TEXT.into());
        upload.retry = Some(PostAction::new("Try again", "/connections/sample/uploads/sample/retry"));
        page
    }

    fn no_streams(&self) -> Empty {
        Empty::nothing_yet(
            "streams",
            "They appear when the first sync has asked the plugin what it delivers.",
        )
    }
}
