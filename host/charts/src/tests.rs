use super::*;

fn currency(code: &str) -> portolan_core::Currency {
    code.parse().expect("a currency of the test")
}

fn spec(unit: Unit, values: Vec<Option<i64>>) -> ChartSpec {
    ChartSpec {
        kind: ChartKind::Line,
        title: "How do net sales go?".into(),
        subtitle: "all channels".into(),
        unit,
        category_name: "Day".into(),
        categories: (1..=values.len()).map(|day| Category::new(format!("{day} Nov"))).collect(),
        series: vec![Series::main("Net sales", 0, values)],
        unfinished_from: None,
    }
}

/// Narrow spaces are hard to see in a test; they are written as `_` here.
fn shown(text: &str) -> String {
    text.replace('\u{202f}', "_").replace('\u{2212}', "-")
}

#[test]
fn the_table_is_exact_and_keeps_gaps() {
    let table = spec(Unit::money(currency("EUR")), vec![Some(123_456_789), None, Some(-5)]).table();
    assert_eq!(table.head, ["Day", "Net sales, EUR"]);
    let rows: Vec<String> = table.rows.iter().map(|row| shown(&row.join(" "))).collect();
    assert_eq!(rows, ["1 Nov 1_234_567.89", "2 Nov –", "3 Nov -0.05"]);
}

#[test]
fn the_summary_names_total_and_extremes() {
    let money = spec(Unit::money(currency("JPY")), vec![Some(100), Some(300), None, Some(-20)]);
    assert_eq!(
        shown(&money.summary()),
        "Net sales: total 380_JPY, highest 300_JPY (2 Nov), lowest -20_JPY (4 Nov)."
    );
    let share = spec(Unit::PerMille, vec![Some(125), Some(125)]);
    assert_eq!(shown(&share.summary()), "Net sales: highest 12.5_% (1 Nov).");
    let mut open = spec(Unit::Count, vec![Some(1), Some(2)]);
    open.unfinished_from = Some(1);
    assert!(open.summary().ends_with("The period is not over from 2 Nov on."));
    assert_eq!(spec(Unit::Count, vec![None, None]).summary(), "There is nothing to show.");
}

#[test]
fn sums_beyond_64_bits_stay_exact() {
    let huge = spec(Unit::Count, vec![Some(i64::MAX), Some(i64::MAX)]);
    assert!(shown(&huge.summary()).starts_with("Net sales: total 18_446_744_073_709_551_614,"));
}

#[test]
fn units_format_by_their_smallest_part() {
    assert_eq!(shown(&Unit::QuantityMilli.exact(1_500)), "1.5");
    assert_eq!(shown(&Unit::QuantityMilli.exact(2_000_000)), "2_000");
    assert_eq!(shown(&Unit::money(currency("KWD")).exact(-1_234)), "-1.234");
    assert_eq!(shown(&Unit::Count.exact(0)), "0");
}

#[test]
fn a_long_line_keeps_its_peak_and_says_that_points_are_left_out() {
    let mut values: Vec<Option<i64>> = (0..10_000).map(|index| Some(index % 7)).collect();
    values[4_321] = Some(1_000_000);
    let fitted = spec(Unit::Count, values).fitted();
    assert_eq!(fitted.categories.len(), MOST_MARKS);
    assert!(fitted.series[0].values.contains(&Some(1_000_000)));
    assert_eq!(fitted.categories[0].label, "1 Nov");
    assert_eq!(fitted.categories[MOST_MARKS - 1].label, "10000 Nov");
    assert_eq!(fitted.subtitle, "all channels, 2000 of 10000 points drawn (LTTB)");
}

#[test]
fn the_json_is_what_the_browser_reads() {
    let mut chart = spec(Unit::money(currency("JPY")), vec![Some(1), None]);
    chart.categories[0] =
        Category::new("1 Nov").with_full("Sun 1 Nov 2026").with_href("/orders?from=2026-11-01");
    chart.unfinished_from = Some(1);
    let expected = concat!(
        r#"{"kind":"line","title":"How do net sales go?","subtitle":"all channels","#,
        r#""unit":{"kind":"money","currency":"JPY","exponent":0},"category_name":"Day","#,
        r#""categories":[{"label":"1 Nov","full":"Sun 1 Nov 2026","href":"/orders?from=2026-11-01"},{"label":"2 Nov"}],"#,
        r#""series":[{"name":"Net sales","color":0,"role":"main","values":[1,null]}],"unfinished_from":1}"#
    );
    assert_eq!(chart.to_json(), expected);
    assert_eq!(serde_json::from_str::<ChartSpec>(expected).expect("own output"), chart);
}
