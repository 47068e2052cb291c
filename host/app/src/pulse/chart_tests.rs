use portolan_analytics::{Cell, Column, Compared, ComparedRange, Role, Row, Table};
use portolan_core::calendar::{Bucket, Comparison, DateRange, Grain, TenantCalendar};
use portolan_core::{Currency, Instant, LocalDate, Money};

use super::charts::{ChartScope, by_part, by_time};
use super::queries::{ByPart, chart_currency};

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
