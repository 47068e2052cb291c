//! The list of orders.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Empty, FieldKind, FormField, Pager, Section, SelectOption, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    pub href: String,
    /// The channel's number, or its key.
    pub number: String,
    pub connection: String,
    pub placed: When,
    pub state: Badge,
    pub payment: Option<Badge>,
    pub country: String,
    pub amount: String,
    pub currency: String,
    pub test: bool,
}

/// `GET /orders?connection=&state=&from=&until=&q=&after=`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "orders.html")]
pub struct OrdersPage {
    pub shell: Shell,
    /// "all connections · 1–30 Nov 2026 · 25 900 orders".
    pub scope: String,
    pub filters: Vec<FormField>,
    /// Shown when a filter is set.
    pub clear_href: Option<String>,
    pub rows: Vec<OrderRow>,
    pub pager: Pager,
    pub empty: Option<Empty>,
}

impl OrdersPage {
    pub fn sample() -> Self {
        let row = OrderRow {
            href: "/orders/01932f1c-0000-7000-8000-0000000000aa".into(),
            number: "#1042".into(),
            connection: "Harbour Shop".into(),
            placed: When::sample(),
            state: Badge::new("fulfilled", Tone::Good),
            payment: Some(Badge::new("paid", Tone::Good)),
            country: "DE".into(),
            amount: "1\u{202f}234.50".into(),
            currency: "EUR".into(),
            test: false,
        };
        let refunded = OrderRow {
            number: "#1041".into(),
            payment: Some(Badge::new("partly refunded", Tone::Warn)),
            amount: "98\u{202f}000".into(),
            currency: "JPY".into(),
            country: "JP".into(),
            ..row.clone()
        };
        let cancelled = OrderRow {
            number: "#1040".into(),
            state: Badge::new("cancelled", Tone::Neutral),
            payment: None,
            amount: "−12.00".into(),
            test: true,
            ..row.clone()
        };
        let connections = vec![SelectOption::new("", "all connections", true)];
        let states = vec![
            SelectOption::new("", "any state", true),
            SelectOption::new("cancelled", "cancelled", false),
        ];
        let rows = (0..12).flat_map(|_| [row.clone(), refunded.clone(), cancelled.clone()]).collect();
        Self {
            shell: Shell::new("Orders", Section::Orders, "Harbour & Sons", "owner"),
            scope: "all connections · any date · newest first".into(),
            filters: vec![
                FormField::text("q", "Number", ""),
                FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
                FormField::new("state", "State", FieldKind::Select { options: states }),
                FormField::new("from", "From", FieldKind::Date { value: "2026-11-01".into() }),
                FormField::new("until", "Until", FieldKind::Date { value: "2026-11-30".into() }),
            ],
            clear_href: Some("/orders".into()),
            rows,
            pager: Pager {
                summary: "36 orders shown of 25\u{202f}900".into(),
                first: None,
                previous: None,
                next: Some("/orders?after=abc".into()),
            },
            empty: None,
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            rows: Vec::new(),
            pager: Pager::default(),
            empty: Some(Empty::filtered_away("orders", "/orders")),
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for row in &mut page.rows {
            row.number = EXTREME_TEXT.into();
            row.connection = EXTREME_TEXT.into();
            row.amount = "−92\u{202f}233\u{202f}720\u{202f}368\u{202f}547\u{202f}758.08".into();
            row.currency = "X-LOYALTYPTS".into();
        }
        page
    }
}
