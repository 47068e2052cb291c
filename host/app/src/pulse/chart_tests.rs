use portolan_analytics::{Cell, Column, Compared, ComparedRange, Role, Row, Table};
use portolan_core::calendar::{Bucket, Comparison, DateRange, Grain, TenantCalendar};
use portolan_core::{Currency, Instant, LocalDate, Money};

use super::charts::{ChartScope, by_part, by_time};
use super::kpis::Strip;
use super::queries::{Answers, ByPart, chart_currency};

fn euro() -> Currency {
    "EUR".parse().expect("a currency")
}

fn column(id: &str, role: Role) -> Column {
    Column {
        id: id.to_owned(),
        label: id.to_owned(),
        role,
        unit: None,
        additivity: None,
        date_basis: None,
        less_is_better: false,
        currency: None,
    }
}

fn table(columns: Vec<Column>, rows: Vec<Row>) -> Table {
    let range = DateRange { from: LocalDate(0), until: LocalDate(3) };
    Table {
        columns,
        row_count: rows.len(),
        rows: rows.into(),
        totals: Vec::new(),
        range,
        grain: Some(Grain::Day),
        comparison: None,
        display_currency: None,
        unconverted: Vec::new(),
        data_version: 1,
        as_of: Instant(0),
        engine_ms: 0,
        rows_scanned: None,
    }
}

fn day(index: i32) -> Cell {
    let range = DateRange::day(LocalDate(index));
    Cell::Period(Bucket { start: range.from, range, complete: true })
}

fn key(text: &str) -> Cell {
    Cell::Key { key: Some(text.to_owned()), label: text.to_uppercase() }
}

fn euros(amount_minor: i64) -> Cell {
    Cell::Money(Money::new(amount_minor, euro()))
}

fn scope(calendar: &TenantCalendar, today: i32) -> ChartScope<'_> {
    ChartScope {
        calendar,
        today: LocalDate(today),
        currency: euro(),
        range_text: "1–3 Jan 1970",
        subtitle: "all connections".to_owned(),
        orders_filter: String::new(),
    }
}

#[test]
fn days_ahead_are_gaps_and_today_is_not_over() {
    let row = |index: i32, now: i64, then: i64| Row {
        cells: vec![day(index), key("EUR"), euros(now)],
        compared: Some(vec![Compared { value: euros(then), change: None }]),
    };
    let columns = vec![
        column("period", Role::Period),
        column("currency", Role::Dimension),
        column("net_sales", Role::Metric),
    ];
    let mut table = table(columns, vec![row(0, 500, 400), row(1, 700, 0), row(2, 0, 300)]);
    let compared = DateRange { from: LocalDate(-3), until: LocalDate(0) };
    table.comparison = Some(ComparedRange { kind: Comparison::PreviousPeriod, range: compared });
    let calendar = TenantCalendar::default();
    let spec = by_time(&table, &scope(&calendar, 1));
    assert_eq!(spec.series[0].values, [Some(500), Some(700), None]);
    assert_eq!(spec.series[1].values, [Some(400), Some(0), Some(300)]);
    assert_eq!(spec.series[1].labels, ["29 Dec 1969", "30 Dec 1969", "31 Dec 1969"]);
    assert_eq!(spec.unfinished_from, Some(1));
    let over = by_time(&table, &scope(&calendar, 9));
    assert_eq!((over.unfinished_from, over.series[0].values[2]), (None, Some(0)));
}

#[test]
fn the_smallest_parts_are_drawn_as_one_and_nothing_is_lost() {
    let row = |part: i32| Row {
        cells: vec![day(0), key(&format!("shop {part:02}")), key("EUR"), euros(100 - i64::from(part))],
        compared: None,
    };
    let columns = vec![
        column("period", Role::Period),
        column("connection", Role::Dimension),
        column("currency", Role::Dimension),
        column("net_sales", Role::Metric),
    ];
    let answer = ByPart { dimension: "connection", table: table(columns, (0..12).map(row).collect()) };
    let calendar = TenantCalendar::default();
    let order: Vec<String> = (0..12).map(|part| format!("shop {part:02}")).collect();
    let spec = by_part(&answer, &order, &scope(&calendar, 9)).expect("several parts");
    assert_eq!(spec.series.len(), 8);
    assert_eq!(spec.series[7].name, "5 others");
    let drawn: i64 = spec.series.iter().filter_map(|series| series.values[0]).sum();
    assert_eq!(drawn, (0..12).map(|part| 100 - part).sum::<i64>());
    let mut colors: Vec<u8> = spec.series.iter().map(|series| series.color).collect();
    colors.sort_unstable();
    colors.dedup();
    assert_eq!(colors.len(), 8);
}

#[test]
fn one_part_alone_needs_no_chart() {
    let columns = vec![
        column("period", Role::Period),
        column("connection", Role::Dimension),
        column("net_sales", Role::Metric),
    ];
    let rows = vec![Row { cells: vec![day(0), key("shop"), euros(1)], compared: None }];
    let answer = ByPart { dimension: "connection", table: table(columns, rows) };
    let calendar = TenantCalendar::default();
    assert!(by_part(&answer, &[], &scope(&calendar, 9)).is_none());
}

#[test]
fn charts_are_in_the_reporting_currency_or_in_the_one_with_most_orders() {
    let row =
        |currency: &str, orders: i64| Row { cells: vec![key(currency), Cell::Count(orders)], compared: None };
    let columns = vec![column("currency", Role::Dimension), column("orders", Role::Metric)];
    let mut money = table(columns, vec![row("eur", 3), row("usd", 9)]);
    money.grain = None;
    assert_eq!(chart_currency(&money, Some(euro())), Some(euro()));
    assert_eq!(chart_currency(&money, None).map(|found| found.to_string()).as_deref(), Some("USD"));
    let none = table(Vec::new(), Vec::new());
    assert_eq!(chart_currency(&none, Some(euro())), None);
}

/// Three days in euros and yen, the last of them ahead; the euros of the first day are unknown.
fn two_currencies() -> Answers {
    let yen = |amount| Cell::Money(Money::new(amount, "JPY".parse().expect("a currency")));
    let columns = || vec![column("currency", Role::Dimension), column("net_sales", Role::Metric)];
    let by_time = {
        let row = |index: i32, currency: &str, value: Cell| Row {
            cells: vec![day(index), key(currency), value],
            compared: None,
        };
        let rows = vec![
            row(0, "eur", Cell::Null),
            row(0, "jpy", yen(9_000)),
            row(1, "eur", euros(500)),
            row(1, "jpy", yen(3_000)),
            row(2, "eur", euros(700)),
            row(2, "jpy", yen(0)),
        ];
        table([vec![column("period", Role::Period)], columns()].concat(), rows)
    };
    let plain = |currency: &str, value| Row { cells: vec![key(currency), value], compared: None };
    let counts = table(
        vec![column("orders", Role::Metric)],
        vec![Row { cells: vec![Cell::Count(8)], compared: None }],
    );
    let counted = |index: i32, orders| Row { cells: vec![day(index), Cell::Count(orders)], compared: None };
    let count_columns = vec![column("period", Role::Period), column("orders", Role::Metric)];
    Answers {
        money: table(columns(), vec![plain("eur", euros(1_200)), plain("jpy", yen(12_000))]),
        counts,
        products: None,
        flows: Vec::new(),
        currency: Some(euro()),
        by_time: Some(by_time),
        counts_by_time: Some(table(count_columns, vec![counted(0, 3), counted(1, 5), counted(2, 0)])),
        by_part: None,
    }
}

#[test]
fn a_chart_is_of_one_currency_alone() {
    let answers = two_currencies();
    let calendar = TenantCalendar::default();
    let spec = by_time(answers.by_time.as_ref().expect("amounts"), &scope(&calendar, 9));
    assert_eq!(spec.series[0].values, [None, Some(500), Some(700)]);
    assert_eq!(spec.categories.len(), 3);
}

#[test]
fn every_currency_of_a_figure_has_a_line_of_its_own() {
    let answers = two_currencies();
    let calendar = TenantCalendar::default();
    let strip = Strip { answers: &answers, compared_with: None, calendar: &calendar, today: LocalDate(1) };
    let kpis = strip.kpis();
    let texts = |label: &str| {
        let kpi = kpis.iter().find(|kpi| kpi.label == label).expect("the figure");
        kpi.values
            .iter()
            .map(|value| value.sparkline.as_ref().map(|line| line.text.clone()))
            .collect::<Vec<_>>()
    };
    // One day of euros is known so far: that is no line. Yen of tomorrow are not zero.
    let yen = "Net sales by day. Highest 9\u{202f}000\u{202f}JPY (1 Jan 1970), lowest 3\u{202f}000\u{202f}JPY \
        (2 Jan 1970), last 3\u{202f}000\u{202f}JPY (2 Jan 1970), not over yet.";
    assert_eq!(texts("Net sales"), [None, Some(yen.to_owned())]);
    let orders =
        "Orders by day. Highest 5 (2 Jan 1970), lowest 3 (1 Jan 1970), last 5 (2 Jan 1970), not over yet.";
    assert_eq!(texts("Orders"), [Some(orders.to_owned())]);
    assert!(texts("Customers").is_empty(), "what was not asked has no line");
}

#[test]
fn days_before_the_first_sale_are_no_comparison() {
    let row = |index: i32| Row {
        cells: vec![day(index), key("EUR"), euros(5)],
        compared: Some(vec![Compared { value: euros(0), change: None }]),
    };
    let columns = vec![
        column("period", Role::Period),
        column("currency", Role::Dimension),
        column("net_sales", Role::Metric),
    ];
    let mut table = table(columns, vec![row(0), row(1)]);
    let compared = DateRange { from: LocalDate(-2), until: LocalDate(0) };
    table.comparison = Some(ComparedRange { kind: Comparison::PreviousPeriod, range: compared });
    let calendar = TenantCalendar::default();
    assert_eq!(by_time(&table, &scope(&calendar, 9)).series.len(), 1);
}
