//! Payouts: the list, and one from gross to what the bank gets.

use askama::Template;

use super::EXTREME_TEXT;
use crate::parts::{
    Badge, Empty, Fact, FieldKind, FormField, Link, Notice, Pager, Section, SelectOption, Shell, Tone, When,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRow {
    pub href: String,
    pub key: String,
    pub connection: String,
    pub initiated: When,
    pub arrives: String,
    pub state: Badge,
    pub entries: String,
    /// Whether its entries add up to it.
    pub check: Badge,
    pub amount: String,
    pub currency: String,
}

/// `GET /finance`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "finance.html")]
pub struct FinancePage {
    pub shell: Shell,
    pub scope: String,
    pub filters: Vec<FormField>,
    pub clear_href: Option<String>,
    pub rows: Vec<PayoutRow>,
    pub pager: Pager,
    pub empty: Option<Empty>,
}

/// What one category of entries brought or took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryRow {
    pub category: String,
    pub count: String,
    pub amount: String,
    /// With its sign: what was taken is negative.
    pub fee: String,
    pub net: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    pub key: String,
    pub category: String,
    pub provider_kind: String,
    pub at: When,
    /// The order that it is about, where exactly one fits.
    pub order: Option<Link>,
    /// "fits 2 orders".
    pub order_note: String,
    /// What the merchant wrote to find it again, else the payment's key.
    pub reference: String,
    /// What the buyer saw, where it was in another currency.
    pub charged: String,
    pub amount: String,
    pub fee: String,
    pub net: String,
    pub currency: String,
}

/// `GET /finance/payouts/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "payout.html")]
pub struct PayoutPage {
    pub shell: Shell,
    pub scope: String,
    pub badges: Vec<Badge>,
    pub notice: Option<Notice>,
    pub facts: Vec<Fact>,
    pub currency: String,
    pub categories: Vec<CategoryRow>,
    pub total: CategoryRow,
    pub entries: Vec<EntryRow>,
    pub entries_note: Option<String>,
}

impl FinancePage {
    pub fn sample() -> Self {
        let row = PayoutRow {
            href: "/finance/payouts/01932f1c-0000-7000-8000-0000000000aa".into(),
            key: "po_1OaKLM2eZvKYlo2C".into(),
            connection: "Harbour payments".into(),
            initiated: When::sample(),
            arrives: "5 Mar 2026".into(),
            state: Badge::new("paid", Tone::Good),
            entries: "412".into(),
            check: Badge::new("adds up", Tone::Good),
            amount: "12\u{202f}804.11".into(),
            currency: "EUR".into(),
        };
        let short = PayoutRow {
            check: Badge::new("3.20 EUR unexplained", Tone::Bad),
            state: Badge::new("in transit", Tone::Active),
            ..row.clone()
        };
        let connections = vec![SelectOption::new("", "all connections", true)];
        let states = vec![SelectOption::new("", "any state", true)];
        Self {
            shell: Shell::new("Payouts", Section::Finance, "Harbour & Sons", "owner"),
            scope: "One of the payouts below does not add up".into(),
            filters: vec![
                FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
                FormField::new("state", "State", FieldKind::Select { options: states }),
            ],
            clear_href: None,
            rows: vec![short, row.clone(), row],
            pager: Pager { summary: "3 payouts shown, newest first".into(), ..Pager::default() },
            empty: None,
        }
    }

    pub fn sample_empty() -> Self {
        let empty = Empty::nothing_yet("payouts", "Connect a payment provider, such as Stripe.")
            .with_action("Connect a provider", "/connections/new");
        Self { rows: Vec::new(), scope: String::new(), empty: Some(empty), ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for row in &mut page.rows {
            row.key = EXTREME_TEXT.into();
            row.connection = EXTREME_TEXT.into();
            row.amount = "−92\u{202f}233\u{202f}720\u{202f}368\u{202f}547\u{202f}758.08".into();
        }
        page
    }
}

impl PayoutPage {
    pub fn sample() -> Self {
        let row = |category: &str, count: &str, amount: &str, fee: &str, net: &str| CategoryRow {
            category: category.into(),
            count: count.into(),
            amount: amount.into(),
            fee: fee.into(),
            net: net.into(),
        };
        let entry = EntryRow {
            key: "txn_1OaKLM2eZvKYlo2C".into(),
            category: "sale".into(),
            provider_kind: "charge".into(),
            at: When::sample(),
            order: Some(Link::new("#1042", "/orders/01932f1c-0000-7000-8000-0000000000bb")),
            order_note: String::new(),
            reference: "1042".into(),
            charged: "100.00 USD".into(),
            amount: "92.14".into(),
            fee: "−2.97".into(),
            net: "89.17".into(),
            currency: "EUR".into(),
        };
        Self {
            shell: Shell::new("Payout of 12\u{202f}804.11 EUR", Section::Finance, "Harbour & Sons", "owner"),
            scope: "Harbour payments · initiated 3 March 2026 14:05:09 Europe/Berlin · EUR".into(),
            badges: vec![Badge::new("paid", Tone::Good), Badge::new("adds up", Tone::Good)],
            notice: None,
            facts: vec![Fact::new("Key", "po_1OaKLM2eZvKYlo2C"), Fact::new("Arrives", "5 Mar 2026")],
            currency: "EUR".into(),
            categories: vec![
                row("sale", "398", "13\u{202f}702.00", "−411.80", "13\u{202f}290.20"),
                row("refund", "12", "−471.09", "0.00", "−471.09"),
                row("dispute", "1", "0.00", "−15.00", "−15.00"),
            ],
            total: row("Total", "411", "13\u{202f}230.91", "−426.80", "12\u{202f}804.11"),
            entries: vec![entry; 6],
            entries_note: Some(
                "The first 500 of 1\u{202f}204 entries are shown; the API has all of them.".into(),
            ),
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            notice: Some(Notice::new(
                Tone::Neutral,
                "Nothing to add up yet",
                "Sync the connection again later.",
            )),
            categories: Vec::new(),
            entries: Vec::new(),
            entries_note: None,
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        for entry in &mut page.entries {
            entry.key = EXTREME_TEXT.into();
            entry.reference = EXTREME_TEXT.into();
            entry.order = None;
            entry.order_note = "fits 2 orders".into();
            entry.provider_kind = EXTREME_TEXT.into();
        }
        page
    }
}
