//! The privacy centre: what is kept of customers, what they ask, how long they are kept.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{
    Badge, Empty, FieldKind, FormField, Notice, Pager, PostAction, Section, SelectOption, Shell, Tone, When,
};

/// What is kept of the customers of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCustomersRow {
    pub label: String,
    pub href: String,
    pub pseudonyms: Badge,
    pub persons: String,
    pub erased: String,
    pub oldest: Option<When>,
    /// "365 days", "without an end".
    pub retention: String,
    /// "12 today", where there is an end.
    pub would_erase: Option<String>,
    /// Whether the channel can tell of its customers' wishes, and when it did.
    pub hook: Option<PrivacyHookCell>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyHookCell {
    pub state: Badge,
    pub received: Option<When>,
    pub make: PostAction,
}

/// Somebody who was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCustomer {
    pub notice: Notice,
    /// Absent where there is nobody to ask for.
    pub ask: Option<AskForCustomer>,
}

/// What can be asked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskForCustomer {
    pub connection: String,
    pub customer_id: String,
    /// "1 hour".
    pub grace: String,
    /// Beside the confirmation of what is done at once.
    pub error: Option<String>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyRequestRow {
    /// "Export", "Erase", "Erase all customers".
    pub what: String,
    /// The customer's id; "erased" where it is gone.
    pub customer: String,
    pub connection: String,
    pub by: String,
    pub received: When,
    pub due: When,
    pub state: Badge,
    /// "1 customer", or why it failed.
    pub result: String,
    pub download_href: Option<String>,
    pub actions: Vec<PostAction>,
}

/// An address that is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrivacyHook {
    pub connection: String,
    pub address: String,
    pub topics: Vec<String>,
    /// The field whose secret signs, where it is not entered yet.
    pub missing_secret: Option<String>,
}

/// `GET /admin/privacy`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "privacy.html")]
pub struct PrivacyPage {
    pub shell: Shell,
    pub scope: String,
    pub kept: Vec<KeptCustomersRow>,
    pub made: Option<NewPrivacyHook>,
    pub find: Vec<FormField>,
    pub found: Option<FoundCustomer>,
    pub requests: Vec<PrivacyRequestRow>,
    pub pager: Pager,
    pub retention: Vec<FormField>,
    /// What a number of days would do.
    pub preview: Option<Notice>,
}

impl PrivacyPage {
    fn no_requests(&self) -> Empty {
        Empty::nothing_yet(
            "requests",
            "Whoever asks what is stored of them, or wants to be forgotten, is looked for above. What a channel passes on appears here by itself.",
        )
    }

    fn no_connections(&self) -> Empty {
        Empty::not_connected()
    }

    pub fn sample() -> Self {
        let here = "/admin/privacy/requests/sample";
        let options =
            vec![SelectOption::new("1", "Harbour shop", true), SelectOption::new("2", "Quay", false)];
        let days = FieldKind::Number {
            value: "365".into(),
            min: Some("1".into()),
            max: Some("3650".into()),
            step: Some("1".into()),
        };
        let request = |what: &str, state: Badge, result: &str| PrivacyRequestRow {
            what: what.into(),
            customer: "191167".into(),
            connection: "Harbour shop".into(),
            by: "ada@example.com".into(),
            received: When::sample(),
            due: When::sample(),
            state,
            result: result.into(),
            download_href: None,
            actions: Vec::new(),
        };
        Self {
            shell: Shell::new("Privacy", Section::Privacy, "Harbour & Sons", "owner").with_privacy(true),
            scope: "Customers of Harbour & Sons: what is kept of them, and what they ask".into(),
            kept: vec![
                KeptCustomersRow {
                    label: "Harbour shop".into(),
                    href: "/connections/1".into(),
                    pseudonyms: Badge::new("pseudonyms", Tone::Good),
                    persons: "12\u{202f}400".into(),
                    erased: "3".into(),
                    oldest: Some(When::sample()),
                    retention: "365 days".into(),
                    would_erase: Some("18 today".into()),
                    hook: Some(PrivacyHookCell {
                        state: Badge::new("listens", Tone::Good),
                        received: Some(When::sample()),
                        make: PostAction::new("New address", "/connections/1/privacy-hook"),
                    }),
                },
                KeptCustomersRow {
                    label: "Till".into(),
                    href: "/connections/2".into(),
                    pseudonyms: Badge::new("ids as sent", Tone::Warn),
                    persons: "0".into(),
                    erased: "0".into(),
                    oldest: None,
                    retention: "without an end".into(),
                    would_erase: None,
                    hook: None,
                },
            ],
            made: None,
            find: vec![
                FormField::new("connection_id", "Connection", FieldKind::Select { options: options.clone() }),
                FormField::text("customer_id", "Customer's id at the channel", "191167")
                    .required()
                    .with_help("As the channel shows it: no mail address, no order number."),
            ],
            found: Some(FoundCustomer {
                notice: Notice::new(Tone::Good, "Found", "Harbour shop knows the customer 191167."),
                ask: Some(AskForCustomer {
                    connection: "1".into(),
                    customer_id: "191167".into(),
                    grace: "1 hour".into(),
                    error: None,
                }),
            }),
            requests: vec![
                PrivacyRequestRow {
                    actions: vec![PostAction::new("Take back", format!("{here}/cancel"))],
                    ..request("Erase", Badge::new("waits", Tone::Active), "begins in 52 min")
                },
                PrivacyRequestRow {
                    download_href: Some(format!("{here}/export")),
                    ..request("Export", Badge::new("done", Tone::Good), "1 customer")
                },
                PrivacyRequestRow {
                    actions: vec![PostAction::new("Try again", format!("{here}/retry"))],
                    customer: "all".into(),
                    by: "the channel".into(),
                    ..request("Erase all customers", Badge::new("failed", Tone::Bad), "Try again later.")
                },
            ],
            pager: Pager { summary: "3 requests shown, newest first".into(), ..Pager::default() },
            retention: vec![
                FormField::new("retention_connection_id", "Connection", FieldKind::Select { options }),
                FormField::new("days", "Days after they were seen last", days)
                    .with_help("1 to 3650. Nothing: they are kept without an end."),
            ],
            preview: Some(Notice::new(
                Tone::Warn,
                "365 days",
                "18 of 12 400 customers would be erased today.",
            )),
        }
    }

    pub fn sample_empty() -> Self {
        Self { kept: Vec::new(), found: None, requests: Vec::new(), preview: None, ..Self::sample() }
    }

    pub fn sample_made() -> Self {
        Self {
            made: Some(NewPrivacyHook {
                connection: "Harbour shop".into(),
                address: "https://portolan.example/hooks/AZ4n8Q3sdWuXo1h2b9c0AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefgh"
                    .into(),
                topics: vec![
                    "customers/data_request".into(),
                    "customers/redact".into(),
                    "shop/redact".into(),
                ],
                missing_secret: Some("Client secret of the app".into()),
            }),
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample_made();
        page.kept[0].label = EXTREME_TEXT.into();
        for field in page.find.iter_mut().chain(&mut page.retention) {
            field.error = Some(EXTREME_TEXT.into());
        }
        if let Some(ask) = page.found.as_mut().and_then(|found| found.ask.as_mut()) {
            ask.customer_id = EXTREME_TEXT.into();
            ask.error = Some(EXTREME_TEXT.into());
        }
        for request in &mut page.requests {
            request.customer = EXTREME_TEXT.into();
            request.connection = EXTREME_TEXT.into();
            request.result = EXTREME_TEXT.into();
        }
        if let Some(made) = &mut page.made {
            made.topics.push(EXTREME_TEXT.into());
        }
        page
    }
}
