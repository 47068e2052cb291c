//! The second step towards a connection: settings, and consent to what the plugin may reach.

use askama::Template;

use crate::parts::{FieldKind, FormField, Section, SelectOption, Shell};

/// One thing that is consented to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentItem {
    /// "harbour.myshopify.com".
    pub text: String,
    /// "orders, products and customers are fetched from here".
    pub detail: String,
}

/// What the plugin asks for. The checkbox is sent as `consent=yes`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consent {
    pub hosts: Vec<ConsentItem>,
    pub secrets: Vec<ConsentItem>,
    pub streams: Vec<ConsentItem>,
    pub given: bool,
    pub error: Option<String>,
}

/// `GET` and `POST /connections/new/{plugin_id}`, and the settings of a connection that exists.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connection_form.html")]
pub struct ConnectionFormPage {
    pub shell: Shell,
    pub plugin_name: String,
    pub plugin_version: String,
    /// Where the form posts to.
    pub action: String,
    /// Not about one field: "The channel could not be reached: …".
    pub error: Option<String>,
    /// The first are Portolan's own (`label`, `time_zone`, …), the others the manifest's.
    pub fields: Vec<FormField>,
    /// Absent when settings of an existing connection change nothing that needs consent.
    pub consent: Option<Consent>,
    pub submit: String,
    pub cancel_href: String,
}

impl ConnectionFormPage {
    fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.kind, FieldKind::File { .. }))
    }

    fn faulty_fields(&self) -> Vec<&FormField> {
        self.fields.iter().filter(|field| field.error.is_some()).collect()
    }

    pub fn sample() -> Self {
        let consent = Consent {
            hosts: vec![ConsentItem {
                text: "{shop}.myshopify.com".into(),
                detail: "orders, products and customers are fetched from here, over https".into(),
            }],
            secrets: vec![ConsentItem {
                text: "Admin API access token".into(),
                detail:
                    "sent as X-Shopify-Access-Token to {shop}.myshopify.com alone; the plugin never sees it"
                        .into(),
            }],
            streams: vec![
                ConsentItem { text: "orders".into(), detail: "every 6 hours".into() },
                ConsentItem { text: "products".into(), detail: "once a day".into() },
            ],
            given: false,
            error: None,
        };
        let zones = ["Europe/Berlin", "Asia/Kolkata", "America/New_York"];
        let zones =
            zones.iter().map(|zone| SelectOption::new(*zone, *zone, *zone == "Europe/Berlin")).collect();
        let api_version = vec![SelectOption::new("2026-07", "2026-07", true)];
        Self {
            shell: Shell::new("Connect Shopify", Section::Connections, "Harbour & Sons", "owner"),
            plugin_name: "Shopify".into(),
            plugin_version: "0.1.0".into(),
            action: "/connections/new/shopify".into(),
            error: None,
            fields: vec![
                FormField::text("label", "Name of this connection", "")
                    .required()
                    .with_help("How it is called in lists and charts."),
                FormField::text("shop", "Shop", "")
                    .required()
                    .with_help("The part before .myshopify.com, for example harbour-shop."),
                FormField::new("access_token", "Admin API access token", FieldKind::Secret { stored: None })
                    .required()
                    .with_help("Shopify admin → Apps → Develop apps → API credentials. Starts with shpat_."),
                FormField::new("api_version", "API version", FieldKind::Select { options: api_version }),
                FormField::new(
                    "page_size",
                    "Orders a page",
                    FieldKind::Number {
                        value: "100".into(),
                        min: Some("1".into()),
                        max: Some("250".into()),
                        step: Some("1".into()),
                    },
                ),
                FormField::new(
                    "include_test",
                    "Fetch test orders too",
                    FieldKind::Checkbox { checked: false },
                )
                .with_help("They are kept apart and never counted as sales."),
                FormField::new("notes", "Notes", FieldKind::TextArea { value: String::new(), rows: 3 }),
                FormField::new("time_zone", "Time zone of the shop", FieldKind::Select { options: zones })
                    .with_help("Decides which day a sale belongs to."),
            ],
            consent: Some(consent),
            submit: "Connect".into(),
            cancel_href: "/connections".into(),
        }
    }

    pub fn sample_errors() -> Self {
        let mut page = Self::sample();
        page.error =
            Some("harbour shop.myshopify.com could not be reached: the name does not resolve.".into());
        page.fields[0] = FormField::text("label", "Name of this connection", "Harbour")
            .required()
            .with_error(Some("Another connection is called Harbour. Choose another name.".into()));
        page.fields[1] = FormField::text("shop", "Shop", "harbour shop")
            .required()
            .with_error(Some("Use letters, digits and hyphens only, without .myshopify.com.".into()));
        page.fields[2].kind = FieldKind::Secret {
            stored: Some(crate::parts::SecretState { set_on: "3 Mar 2026".into(), set_by: "owner".into() }),
        };
        if let Some(consent) = &mut page.consent {
            consent.error = Some("Tick the box to allow this, or go back.".into());
        }
        page
    }
}
