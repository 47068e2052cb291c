//! One order: the document, what the ledger says of it, its refunds and its versions.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{Badge, Fact, Link, Notice, PostAction, Section, Shell, Tone, When};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLineRow {
    pub title: String,
    pub sku: String,
    pub quantity: String,
    pub unit_price: String,
    pub gross: String,
    pub discount: String,
    pub tax: String,
    pub net: String,
}

/// One ledger event; amounts signed, "–" where the event moves none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// "sale", "return", …
    pub kind: String,
    /// A negated copy that takes an earlier event back.
    pub reversal: bool,
    /// Business date, `YYYY-MM-DD`.
    pub business_date: String,
    pub happened: When,
    pub recorded: When,
    /// The line or the reason.
    pub what: String,
    pub units: String,
    pub gross: String,
    pub discount: String,
    pub tax: String,
    pub shipping: String,
    /// Tip, duty, fee and gift card together.
    pub other: String,
    pub net: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRow {
    pub key: String,
    pub at: When,
    pub reason: String,
    pub lines: String,
    pub amount: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    pub updated_at: When,
    pub received_at: When,
    pub hash: String,
    /// "current", or what the version changed.
    pub note: String,
}

/// Events that were posted together: what had them posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageRow {
    pub recorded: When,
    /// "sale, 2 × return".
    pub events: String,
    /// "order 1042, record 12".
    pub records: Vec<String>,
    /// "orders, received 3 Mar 2026 14:05".
    pub page: String,
    /// The first characters of the page's hash.
    pub page_hash: String,
    /// "shopify 0.2.0".
    pub plugin: String,
    pub build_hash: String,
    /// Reads the page again, once for each page.
    pub read_again: Option<PostAction>,
}

/// One movement of a provider's balance for the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentEntryRow {
    /// "sale", "refund", "fee", …
    pub category: String,
    pub provider_kind: String,
    pub at: When,
    pub payment: String,
    /// The provider's connection.
    pub source: String,
    /// By what it was found.
    pub linked_by: String,
    /// Absent while it is not paid out.
    pub payout: Option<Link>,
    pub amount: String,
    /// With its sign: what was taken is negative.
    pub fee: String,
    pub net: String,
    pub currency: String,
}

/// The sum of the entries in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentTotalRow {
    pub amount: String,
    pub fee: String,
    pub net: String,
    pub currency: String,
}

/// What providers' balances tell of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderPayments {
    pub entries: Vec<PaymentEntryRow>,
    pub totals: Vec<PaymentTotalRow>,
    /// A payment fits other orders as well.
    pub notice: Option<Notice>,
    pub note: String,
}

/// `GET /orders/{document_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "order.html")]
pub struct OrderPage {
    pub shell: Shell,
    /// "Harbour Shop · placed 3 Mar 2026 14:05 Europe/Berlin · EUR".
    pub scope: String,
    pub currency: String,
    pub badges: Vec<Badge>,
    pub facts: Vec<Fact>,
    pub lines: Vec<OrderLineRow>,
    /// Gross, discounts, shipping, tax, total.
    pub totals: Vec<Fact>,
    pub events: Vec<EventRow>,
    /// The sum of the events in the columns of [`EventRow`].
    pub event_total: Option<EventRow>,
    /// Whether the events add up to the document, in words.
    pub agreement: Badge,
    pub refunds: Vec<RefundRow>,
    /// Absent where the person may not see it.
    pub payments: Option<OrderPayments>,
    pub versions: Vec<VersionRow>,
    /// Where the events come from, oldest first.
    pub lineage: Vec<LineageRow>,
    /// The document as it is stored, indented JSON.
    pub body_json: Option<String>,
}

impl EventRow {
    fn sample(kind: &str, net: &str) -> Self {
        Self {
            kind: kind.into(),
            reversal: false,
            business_date: "2026-03-03".into(),
            happened: When::sample(),
            recorded: When::sample(),
            what: "Brass sextant".into(),
            units: "1".into(),
            gross: net.into(),
            discount: "–".into(),
            tax: "19.00".into(),
            shipping: "–".into(),
            other: "–".into(),
            net: net.into(),
        }
    }
}

impl OrderPayments {
    fn sample() -> Self {
        let entry = |category: &str, amount: &str, fee: &str, net: &str, paid: bool| PaymentEntryRow {
            category: category.into(),
            provider_kind: "charge".into(),
            at: When::sample(),
            payment: "ch_3OaKLM2eZvKYlo2C".into(),
            source: "Harbour payments".into(),
            linked_by: "by the order's number".into(),
            payout: paid.then(|| Link::new("po_1OaKLM2eZvKYlo2C", "/finance/payouts/sample")),
            amount: amount.into(),
            fee: fee.into(),
            net: net.into(),
            currency: "EUR".into(),
        };
        Self {
            entries: vec![
                entry("sale", "231.00", "−3.60", "227.40", true),
                entry("refund", "−113.05", "0.00", "−113.05", false),
            ],
            totals: vec![PaymentTotalRow {
                amount: "117.95".into(),
                fee: "−3.60".into(),
                net: "114.35".into(),
                currency: "EUR".into(),
            }],
            notice: None,
            note: "As the providers' balances tell it; fees and what was taken away are negative.".into(),
        }
    }
}

impl OrderPage {
    pub fn sample() -> Self {
        let line = OrderLineRow {
            title: "Brass sextant, polished, with box".into(),
            sku: "SX-100".into(),
            quantity: "1".into(),
            unit_price: "100.00".into(),
            gross: "100.00".into(),
            discount: "−5.00".into(),
            tax: "18.05".into(),
            net: "95.00".into(),
        };
        let reversal = EventRow { reversal: true, ..EventRow::sample("sale", "−100.00") };
        Self {
            shell: Shell::new("Order #1042", Section::Orders, "Harbour & Sons", "owner"),
            scope: "Harbour Shop · placed 3 Mar 2026 14:05 Europe/Berlin · amounts in EUR".into(),
            currency: "EUR".into(),
            badges: vec![Badge::new("fulfilled", Tone::Good), Badge::new("partly refunded", Tone::Warn)],
            facts: vec![
                Fact::new("Key", "gid://shopify/Order/5501042"),
                Fact::new("Channel", "web"),
                Fact::new("Country", "DE"),
                Fact::new("Customer", "gid://shopify/Customer/77"),
                Fact::new("Updated", "4 Mar 2026 09:12"),
            ],
            lines: vec![line.clone(), OrderLineRow { title: "Chart of the Baltic".into(), ..line }],
            totals: vec![
                Fact::new("Gross", "200.00"),
                Fact::new("Discounts", "−10.00"),
                Fact::new("Shipping", "4.90"),
                Fact::new("Tax", "36.10"),
                Fact::new("Total", "231.00"),
            ],
            events: vec![
                EventRow::sample("sale", "100.00"),
                reversal,
                EventRow::sample("sale", "95.00"),
                EventRow::sample("return", "−95.00"),
            ],
            event_total: Some(EventRow { units: "0".into(), ..EventRow::sample("total", "0.00") }),
            agreement: Badge::new("adds up to the document", Tone::Good),
            refunds: vec![RefundRow {
                key: "gid://shopify/Refund/9".into(),
                at: When::sample(),
                reason: "damaged".into(),
                lines: "1 × Brass sextant".into(),
                amount: "113.05".into(),
            }],
            payments: Some(OrderPayments::sample()),
            versions: vec![VersionRow {
                updated_at: When::sample(),
                received_at: When::sample(),
                hash: "9f2c1ab0".into(),
                note: "current".into(),
            }],
            lineage: vec![LineageRow {
                recorded: When::sample(),
                events: "2 × sale".into(),
                records: vec!["order gid://shopify/Order/5501042, record 12".into()],
                page: "orders, received 3 Mar 2026 14:05".into(),
                page_hash: "5be0c4d1f2a3".into(),
                plugin: "shopify 0.2.0".into(),
                build_hash: "a1b2c3d4e5f6".into(),
                read_again: Some(PostAction::new("Read again", "/connections/sample/replays?chunk=sample")),
            }],
            body_json: Some(
                "{\n  \"key\": \"gid://shopify/Order/5501042\",\n  \"number\": \"#1042\"\n}".into(),
            ),
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            facts: Vec::new(),
            lines: Vec::new(),
            totals: Vec::new(),
            events: Vec::new(),
            event_total: None,
            agreement: Badge::new("nothing posted", Tone::Neutral),
            refunds: Vec::new(),
            payments: Some(OrderPayments {
                note: "No payment of a connected provider names this order.".into(),
                ..OrderPayments::default()
            }),
            versions: Vec::new(),
            lineage: Vec::new(),
            body_json: None,
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        page.shell.title = EXTREME_TEXT.into();
        page.lines[0].title = EXTREME_TEXT.into();
        page.lineage[0].records = vec![EXTREME_TEXT.into(); 3];
        page.lineage[0].plugin = EXTREME_TEXT.into();
        if let Some(payments) = &mut page.payments {
            payments.entries[0].payment = EXTREME_TEXT.into();
            payments.entries[0].source = EXTREME_TEXT.into();
            payments.notice = Some(Notice::new(Tone::Warn, EXTREME_TEXT, EXTREME_TEXT));
        }
        page.body_json = Some(format!("{{\"title\": \"{EXTREME_TEXT}\"}}"));
        let huge = "−92\u{202f}233\u{202f}720\u{202f}368\u{202f}547\u{202f}758.08";
        page.events =
            vec![EventRow { what: EXTREME_TEXT.into(), ..EventRow::sample("refund_discrepancy", huge) }; 60];
        page
    }
}
