//! The second step towards a connection: settings, and consent to what the plugin may reach.

use askama::Template;

use crate::parts::{
    FieldGroup, FieldKind, FieldList, FormFault, FormField, FormItem, Section, SelectOption, Shell,
};

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

/// `GET` and `POST /connections/new/{plugin_id}`.
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
    pub fields: Vec<FormItem>,
    pub consent: Consent,
    pub submit: String,
    pub cancel_href: String,
}

impl ConnectionFormPage {
    fn has_file(&self) -> bool {
        self.fields.iter().any(FormItem::has_file)
    }

    fn faults(&self) -> Vec<FormFault> {
        let consent = self.consent.error.iter().map(|error| FormFault {
            name: "consent".into(),
            label: "Consent".into(),
            error: error.clone(),
        });
        self.fields.iter().flat_map(FormItem::faults).chain(consent).collect()
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
        Self {
            shell: Shell::new("Connect Shopify", Section::Connections, "Harbour & Sons", "owner"),
            plugin_name: "Shopify".into(),
            plugin_version: "0.1.0".into(),
            action: "/connections/new/shopify".into(),
            error: None,
            fields: Self::sample_fields(),
            consent,
            submit: "Connect".into(),
            cancel_href: "/connections".into(),
        }
    }

    /// One of each kind, and a group with a list.
    pub(super) fn sample_fields() -> Vec<FormItem> {
        let zones = ["Europe/Berlin", "Asia/Kolkata", "America/New_York"];
        let zones =
            zones.iter().map(|zone| SelectOption::new(*zone, *zone, *zone == "Europe/Berlin")).collect();
        let api_version = vec![SelectOption::new("2026-07", "2026-07", true)];
        let fields = vec![
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
            FormField::new("include_test", "Fetch test orders too", FieldKind::Checkbox { checked: false })
                .with_help("They are kept apart and never counted as sales."),
            FormField::new("notes", "Notes", FieldKind::TextArea { value: String::new(), rows: 3 }),
            FormField::new("time_zone", "Time zone of the shop", FieldKind::Select { options: zones })
                .with_help("Decides which day a sale belongs to."),
        ];
        let formats = vec![FormField::text("orders.date_formats.0", "Date formats 1", "%d.%m.%Y").into()];
        let mut list = FieldGroup::new("orders.date_formats", "Date formats", formats);
        list.help = Some("strftime: %d.%m.%Y %H:%M. Tried in order.".into());
        list.list = Some(FieldList { add: Some("Add to date formats".into()) });
        let columns = vec![
            FormField::text("orders.columns.key", "Document key", "Beleg-Nr.").required().into(),
            FormField::text("orders.columns.placed_at", "Date", "Datum").into(),
        ];
        let columns = FormItem::Group(FieldGroup::new("orders.columns", "Columns", columns));
        let mut orders = FieldGroup::new("orders", "Orders", vec![columns, FormItem::Group(list)]);
        orders.help = Some("A file of sales, one row per line.".into());
        orders.folded = Some(true);
        fields.into_iter().map(FormItem::Field).chain([FormItem::Group(orders)]).collect()
    }

    pub fn sample_errors() -> Self {
        let mut page = Self::sample();
        page.error =
            Some("harbour shop.myshopify.com could not be reached: the name does not resolve.".into());
        let told = [
            ("label", "Another connection is called Harbour. Choose another name."),
            ("shop", "Use letters, digits and hyphens only, without .myshopify.com."),
            ("orders.columns.placed_at", "is required"),
        ];
        for (name, message) in told {
            page.fields.iter_mut().any(|item| item.set_error(name, message));
        }
        let stored = crate::parts::SecretState { set_on: "3 Mar 2026".into(), set_by: "owner".into() };
        if let FormItem::Field(token) = &mut page.fields[2] {
            token.kind = FieldKind::Secret { stored: Some(stored) };
        }
        page.consent.error = Some("Tick the box to allow this, or go back.".into());
        page
    }
}
