//! Pulse: how the business does, on one page.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::parts::{Badge, ChartView, Delta, Empty, Link, Notice, SafeSvg, SelectOption, Shell, When};

mod samples;

/// One figure of a KPI; several where several currencies cannot be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KpiValue {
    /// Formatted without its unit: "1 234 567.89".
    pub text: String,
    /// ISO code, or another unit; empty for plain counts.
    pub unit: String,
    pub delta: Option<Delta>,
    pub sparkline: Option<SparklineView>,
}

/// How a figure went: a small line, and the same in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparklineView {
    pub svg: SafeSvg,
    /// "Net sales by day. Highest 412.00 EUR (3 Nov 2026), lowest …".
    pub text: String,
}

/// One tile of the KPI strip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kpi {
    pub label: String,
    /// What it means, for hover and screen readers.
    pub definition: String,
    pub values: Vec<KpiValue>,
    /// "2 currencies without a rate are not included".
    pub note: Option<String>,
}

/// A ready-made choice: a range of days, a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangePreset {
    pub text: String,
    pub href: String,
    pub current: bool,
}

/// The scope of the page; sent by GET as `from`, `until`, `compare`, `connection`, `currency`, `as_of`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PulseFilter {
    /// `YYYY-MM-DD`, inclusive.
    pub from: String,
    /// `YYYY-MM-DD`, inclusive.
    pub until: String,
    pub compare: Vec<SelectOption>,
    pub connection: Vec<SelectOption>,
    pub presets: Vec<RangePreset>,
    /// The currency of the charts, if one was chosen; else empty.
    pub currency: String,
    /// `no` where amounts are shown as they were sold; else empty.
    pub convert: String,
    /// `YYYY-MM-DD` where figures are as they were reported on that day; else empty.
    pub as_of: String,
    /// The last day that can be chosen.
    pub latest_as_of: String,
    pub error: Option<String>,
}

/// How fresh one source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshnessRow {
    pub label: String,
    pub href: String,
    pub state: Badge,
    /// Last success.
    pub when: Option<When>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopProductRow {
    pub title: String,
    /// Channel or connection it sells through.
    pub source: String,
    pub units: String,
    pub net_sales: String,
    pub currency: String,
    pub share: String,
    pub delta: Option<Delta>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopProducts {
    pub rows: Vec<TopProductRow>,
    /// "10 of 3 958 products; ranked within each currency".
    pub note: String,
}

/// One step of the money's way; what is taken away is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyStep {
    pub label: String,
    /// What it means, for hover and screen readers.
    pub definition: String,
    pub amount: String,
    /// The sum of the steps above it.
    pub is_sum: bool,
    /// Where more of it is told.
    pub href: Option<String>,
}

/// What one kind of movement did to the balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyKind {
    pub name: String,
    pub amount: String,
}

/// The way of the money in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyFlow {
    pub currency: String,
    /// No exchange rate is known: shown as it is, added to nothing.
    pub unconverted: bool,
    pub steps: Vec<MoneyStep>,
    pub kinds: Vec<MoneyKind>,
}

/// From gross payments to what the bank gets.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_pulse_money.html")]
pub struct PulseMoney {
    pub flows: Vec<MoneyFlow>,
    pub note: Option<String>,
    pub action: Option<Link>,
}
impl HtmlSafe for PulseMoney {}

/// What is refreshed when new data arrives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "_pulse.html")]
pub struct PulseBody {
    /// "1–30 Nov 2026 · compared with 1–31 Oct · all connections · EUR · Europe/Berlin".
    pub scope: String,
    pub notices: Vec<Notice>,
    pub kpis: Vec<Kpi>,
    /// In which currencies the charts can be shown; empty where there is one.
    pub currencies: Vec<RangePreset>,
    /// Amounts converted, or as they were sold; where one of them would change something.
    pub conversion: Option<RangePreset>,
    /// What of the payments reaches the bank.
    pub money: Option<PulseMoney>,
    pub charts: Vec<ChartView>,
    pub top_products: TopProducts,
    pub freshness: Vec<FreshnessRow>,
    /// Takes the place of figures and charts.
    pub empty: Option<Empty>,
    /// Version of the data shown.
    pub data_version: String,
}
impl HtmlSafe for PulseBody {}

/// `GET /pulse`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "pulse.html")]
pub struct PulsePage {
    pub shell: Shell,
    pub filter: PulseFilter,
    pub body: PulseBody,
    /// This page's address with its filters: where the body is asked for again.
    pub live_src: String,
}
