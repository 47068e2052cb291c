//! Pulse with ordinary, missing and excessive content.

use super::*;
use crate::pages::EXTREME_TEXT;
use crate::parts::{ChartTableView, Direction, Section, Tone};

fn delta(text: &str, direction: Direction, better: Option<bool>) -> Option<Delta> {
    Some(Delta { text: text.into(), direction, better, compared_with: "vs 2–31 Oct".into() })
}

fn money(figure: &str, unit: &str, delta: Option<Delta>) -> KpiValue {
    let line = r#"<svg width="168" height="32" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 168 32"><path d="M2 24L30 20L58 26L86 12L114 16L142 8L166 4" fill="none" stroke="currentColor" stroke-width="1.5"></path></svg>"#;
    let text = "By day. Highest 41 200 (27 Nov 2026), lowest 12 004 (3 Nov 2026), last 41 000 (30 Nov 2026).";
    let sparkline = Some(SparklineView { svg: SafeSvg::from_chart(line.into()), text: text.into() });
    KpiValue { text: figure.into(), unit: unit.into(), delta, sparkline }
}

fn kpi(label: &str, definition: &str, values: Vec<KpiValue>) -> Kpi {
    Kpi { label: label.into(), definition: definition.into(), values, note: None }
}

fn kpis() -> Vec<Kpi> {
    let up = delta("+12.4\u{202f}%", Direction::Up, Some(true));
    let down = delta("−3.1\u{202f}%", Direction::Down, Some(false));
    vec![
        kpi(
            "Net sales",
            "Gross sales less discounts and returns, without tax and shipping",
            vec![
                money("1\u{202f}024\u{202f}310.55", "EUR", up.clone()),
                money("4\u{202f}210\u{202f}900", "JPY", down.clone()),
            ],
        ),
        kpi("Orders", "Orders whose units still stand", vec![money("8\u{202f}412", "", up.clone())]),
        kpi(
            "Average order value",
            "Net sales of orders divided by orders",
            vec![
                money("121.77", "EUR", up),
                money("5\u{202f}120", "JPY", delta("0.0\u{202f}%", Direction::Flat, None)),
            ],
        ),
        kpi(
            "Units sold",
            "Units of sales less units returned",
            vec![money("21\u{202f}904", "", down.clone())],
        ),
        kpi("Refunds", "Money given back", vec![money("−18\u{202f}203.10", "EUR", down)]),
        kpi("Customers", "Distinct customers who ordered", vec![money("4\u{202f}339", "", None)]),
    ]
}

/// Thirty days of a swinging figure, in minor units.
fn month(start: i64, scale: i64) -> Vec<i64> {
    (0..30).map(|day| ((day + start) * 37 % 11 + 8 + day / 3) * scale).collect()
}

/// A specification as the charts' own crate writes it; its drawing is made elsewhere.
fn chart(id: &str, kind: &str, title: &str, series: serde_json::Value) -> ChartView {
    let svg =
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 260" width="560" height="260"></svg>"#;
    let days: Vec<_> = (1..=30)
        .map(|day| serde_json::json!({"label": format!("{day} Nov"), "full": format!("{day} Nov 2026")}))
        .collect();
    let spec = serde_json::json!({
        "kind": kind, "title": title, "subtitle": "1–30 Nov 2026, all connections, EUR", "category_name": "Day",
        "unit": {"kind": "money", "currency": "EUR", "exponent": 2},
        "categories": days, "series": series, "unfinished_from": 29,
    });
    let row = |label: &str, value: &str| vec![label.to_owned(), value.to_owned()];
    ChartView {
        id: id.into(),
        title: title.into(),
        subtitle: "1–30 Nov 2026, all connections, EUR".into(),
        summary: "Net sales rise from 21 403.10 EUR on 1 Nov to 41 200.00 EUR on 27 Nov.".into(),
        svg: SafeSvg::from_chart(svg.into()),
        svg_narrow: Some(SafeSvg::from_chart(svg.into())),
        spec_json: spec.to_string(),
        table: ChartTableView {
            head: vec!["Day".into(), "Net sales, EUR".into()],
            rows: vec![row("1 Nov 2026", "21\u{202f}403.10"), row("2 Nov 2026", "–")],
        },
    }
}

fn charts() -> Vec<ChartView> {
    let one = |name: &str, color: u8, role: &str, values: Vec<i64>| serde_json::json!({"name": name, "color": color, "role": role, "values": values});
    let by_day = serde_json::json!([
        one("1–30 Nov", 0, "main", month(0, 180_000)),
        one("2–31 Oct", 0, "comparison", month(4, 150_000)),
    ]);
    let by_channel = serde_json::json!([
        one("Harbour Shop", 0, "main", month(0, 90_000)),
        one("Online retail export", 1, "main", month(3, 60_000)),
        one("Till", 2, "main", month(5, 20_000)),
    ]);
    vec![
        chart("net-sales-by-day", "line", "How do net sales go, day by day?", by_day),
        chart("net-sales-by-channel", "stacked_bar", "Which channels sell?", by_channel),
    ]
}

fn product(title: &str) -> TopProductRow {
    TopProductRow {
        title: title.into(),
        source: "Harbour Shop".into(),
        units: "412".into(),
        net_sales: "41\u{202f}200.00".into(),
        currency: "EUR".into(),
        share: "4.0\u{202f}%".into(),
        delta: delta("+2.0\u{202f}%", Direction::Up, Some(true)),
    }
}

fn freshness(label: &str, state: Badge) -> FreshnessRow {
    FreshnessRow {
        label: label.into(),
        href: "/connections".into(),
        state,
        when: Some(When::sample()),
        note: None,
    }
}

fn flow(currency: &str, unconverted: bool, amounts: [&str; 8]) -> MoneyFlow {
    let labels = [
        "Gross payments",
        "Refunds",
        "Disputes",
        "Fees",
        "Other movements",
        "Net",
        "Paid out",
        "Stays in the balance",
    ];
    let step = |(label, amount): (&str, &str)| MoneyStep {
        label: label.into(),
        definition: "What buyers paid through payment providers, before fees".into(),
        amount: amount.into(),
        is_sum: matches!(label, "Net" | "Stays in the balance"),
        href: (label == "Paid out").then(|| "/finance".into()),
    };
    let kind = |name: &str, amount: &str| MoneyKind { name: name.into(), amount: amount.into() };
    MoneyFlow {
        currency: currency.into(),
        unconverted,
        steps: labels.into_iter().zip(amounts).map(step).collect(),
        kinds: vec![kind("sale", amounts[0]), kind("refund", amounts[1]), kind("payout", amounts[6])],
    }
}

fn flows() -> PulseMoney {
    let euro = [
        "98\u{202f}410.20",
        "−4\u{202f}012.00",
        "−180.00",
        "−2\u{202f}951.77",
        "−500.00",
        "90\u{202f}766.43",
        "−86\u{202f}200.00",
        "4\u{202f}566.43",
    ];
    PulseMoney {
        flows: vec![
            flow("EUR", false, euro),
            flow(
                "JPY",
                true,
                ["120\u{202f}000", "0", "0", "−4\u{202f}320", "0", "115\u{202f}680", "0", "115\u{202f}680"],
            ),
        ],
        note: Some("JPY not converted: no exchange rate is known for these days.".into()),
        action: Some(Link::new("All payouts", "/finance")),
    }
}

fn choice(text: &str, current: bool) -> RangePreset {
    RangePreset { text: text.into(), href: "/pulse?range=last_30_days".into(), current }
}

fn filter() -> PulseFilter {
    PulseFilter {
        from: "2026-11-01".into(),
        until: "2026-11-30".into(),
        compare: vec![
            SelectOption::new("previous", "previous period", true),
            SelectOption::new("year", "year before", false),
            SelectOption::new("none", "nothing", false),
        ],
        connection: vec![SelectOption::new("", "all connections", true)],
        currency: "EUR".into(),
        convert: String::new(),
        as_of: String::new(),
        latest_as_of: "2026-11-30".into(),
        presets: vec![choice("7 days", false), choice("30 days", true), choice("12 months", false)],
        error: None,
    }
}

impl PulsePage {
    pub fn sample() -> Self {
        let products = ["Brass sextant", "Chart of the Baltic", "Sounding lead, 5 kg", "Log line, 50 m"];
        Self {
            shell: Shell::new("Pulse", Section::Pulse, "Harbour & Sons", "owner"),
            filter: filter(),
            body: PulseBody {
                scope: "1–30 Nov 2026 · compared with 2–31 Oct · all connections · Europe/Berlin".into(),
                notices: vec![Notice::new(
                    Tone::Warn,
                    "JPY is shown on its own",
                    "No exchange rate from JPY to EUR is known, so JPY is never added to EUR.",
                )],
                kpis: kpis(),
                currencies: vec![choice("EUR", true), choice("JPY", false)],
                conversion: Some(choice("Show amounts as they were sold", false)),
                money: Some(flows()),
                charts: charts(),
                top_products: TopProducts {
                    rows: products.iter().map(|title| product(title)).collect(),
                    note: "4 of 3\u{202f}958 products, by net sales".into(),
                },
                freshness: vec![
                    freshness("Harbour Shop", Badge::new("up to date", Tone::Good)),
                    freshness("Online retail export", Badge::new("2 h behind", Tone::Warn)),
                ],
                empty: None,
                data_version: "71204".into(),
            },
            live_src: "/pulse?from=2026-11-01&until=2026-11-30".into(),
        }
    }

    pub fn sample_empty() -> Self {
        let body = PulseBody {
            scope: "1–30 Nov 2026 · Europe/Berlin".into(),
            empty: Some(Empty::not_connected()),
            money: Some(PulseMoney {
                flows: Vec::new(),
                note: Some("No payment provider is connected.".into()),
                action: Some(Link::new("Connect a provider", "/connections/new")),
            }),
            ..PulseBody::default()
        };
        Self { body, ..Self::sample() }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        let huge = "−92\u{202f}233\u{202f}720\u{202f}368\u{202f}547\u{202f}758.08";
        page.shell.tenant_name = EXTREME_TEXT.into();
        page.body.kpis[0].values = vec![money(huge, "X-LOYALTYPTS", None); 12];
        page.body.money =
            Some(PulseMoney { flows: vec![flow("X-LOYALTYPTS", true, [huge; 8]); 4], ..flows() });
        page.body.top_products.rows = vec![product(EXTREME_TEXT); 50];
        page.body.charts[0].title = EXTREME_TEXT.into();
        page.body.notices.push(Notice::new(Tone::Bad, EXTREME_TEXT, EXTREME_TEXT));
        page
    }
}
