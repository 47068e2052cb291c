//! Charts as they are drawn, with the script that pages ship.

#![expect(clippy::print_stdout, reason = "the drawing time is printed for whoever runs the tests")]

use std::sync::OnceLock;

use portolan_charts::{Category, ChartError, ChartKind, ChartRenderer, ChartSpec, Series, Theme, Unit};

mod script;

fn renderer() -> &'static ChartRenderer {
    static RENDERER: OnceLock<ChartRenderer> = OnceLock::new();
    RENDERER.get_or_init(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../admin-ui/dist/charts-server.js");
        let bundle = std::fs::read_to_string(path).expect("the assets are bundled: cargo xtask assets");
        ChartRenderer::new(&bundle).expect("the bundled script loads")
    })
}

fn money(code: &str) -> Unit {
    Unit::money(code.parse().expect("a currency of the test"))
}

fn days(count: usize) -> Vec<Category> {
    (1..=count).map(|day| Category::new(format!("{day} Nov"))).collect()
}

fn chart(kind: ChartKind, unit: Unit, series: Vec<Series>) -> ChartSpec {
    let count = series.iter().map(|one| one.values.len()).max().unwrap_or_default();
    ChartSpec {
        kind,
        title: "How do <net> sales & refunds go?".into(),
        subtitle: "1–30 Nov 2026".into(),
        unit,
        category_name: "Day".into(),
        categories: days(count),
        series,
        unfinished_from: None,
    }
}

fn wave(length: i64, scale: i64) -> Vec<Option<i64>> {
    (0..length).map(|index| Some((index * 37 % 11 + 3) * scale)).collect()
}

fn draw(spec: &ChartSpec) -> String {
    let svg = renderer().render_svg(spec, 560, 260, Theme::Page).expect("it draws");
    assert_sound(&svg);
    svg
}

/// One element, every tag closed, nothing that a strict page would refuse, and small.
fn assert_sound(svg: &str) {
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
    let mut open: Vec<&str> = Vec::new();
    for (start, _) in svg.match_indices('<') {
        let tag = &svg[start + 1..start + svg[start..].find('>').expect("a closed tag")];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "tags nest");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert!(!tag.contains("style") && !tag.contains("href") && !tag.contains("script"), "{tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("undefined") && !svg.contains("Infinity"), "{svg}");
    assert!(svg.len() < 40_000, "{} bytes", svg.len());
}

#[test]
fn every_kind_draws_with_labels_and_colours_of_the_page() {
    let series =
        || vec![Series::main("Shop", 0, wave(30, 100_000)), Series::main("Till", 1, wave(30, 70_000))];
    for kind in [ChartKind::Line, ChartKind::Bar, ChartKind::StackedBar, ChartKind::HorizontalBar] {
        let svg = draw(&chart(kind, money("EUR"), series()));
        assert!(svg.contains("var(--series-1)") && svg.contains("var(--series-2)"), "{kind:?}");
        assert!(svg.contains("EUR") || kind == ChartKind::HorizontalBar, "{kind:?}");
        assert!(svg.contains("Nov<") && svg.contains("Shop"), "{kind:?}");
    }
}

#[test]
fn comparison_and_unfinished_period_are_dashed() {
    let mut spec = chart(
        ChartKind::Line,
        money("EUR"),
        vec![
            Series::main("This month", 0, wave(30, 5)),
            Series::comparison("October", wave(30, 4), Vec::new()),
        ],
    );
    let whole = draw(&spec).matches("stroke-dasharray").count();
    spec.unfinished_from = Some(29);
    let open = draw(&spec).matches("stroke-dasharray").count();
    assert_eq!((whole, open), (1, 2));
}

#[test]
fn nothing_zero_negative_and_extreme_values_draw() {
    let cases = [
        vec![],
        vec![None, None],
        vec![Some(0), Some(0)],
        vec![Some(7)],
        vec![Some(-500), Some(300), None, Some(-20)],
        vec![Some(i64::MAX), Some(i64::MIN), Some(0)],
    ];
    for values in cases {
        for kind in [ChartKind::Line, ChartKind::StackedBar, ChartKind::HorizontalBar] {
            draw(&chart(kind, money("JPY"), vec![Series::main("Net sales", 7, values.clone())]));
        }
    }
    draw(&chart(ChartKind::Bar, Unit::Count, Vec::new()));
}

#[test]
fn yen_have_no_minor_unit_and_euros_have_two() {
    let values = vec![Some(1_000), Some(4_000)];
    let yen = draw(&chart(ChartKind::Bar, money("JPY"), vec![Series::main("Sales", 0, values.clone())]));
    assert!(yen.contains(">4k<") && yen.contains("JPY"));
    let euro = draw(&chart(ChartKind::Bar, money("EUR"), vec![Series::main("Sales", 0, values)]));
    assert!(euro.contains(">40<") && !euro.contains(">4k<"));
}

#[test]
fn hostile_names_stay_text() {
    let name = "</text><script>alert(1)</script>\" onload=\"alert(1)";
    let mut spec = chart(
        ChartKind::HorizontalBar,
        Unit::Count,
        vec![Series::main(name, 0, vec![Some(1)]), Series::main("b", 1, vec![Some(1)])],
    );
    spec.categories = vec![Category::new(name)];
    for theme in [Theme::Page, Theme::Light, Theme::Dark] {
        let svg = renderer().render_svg(&spec, 560, 260, theme).expect("it draws");
        assert_sound(&svg);
    }
}

#[test]
fn outside_a_page_colours_are_literal_and_the_title_is_inside() {
    let spec = chart(ChartKind::Line, Unit::Count, vec![Series::main("Orders", 0, wave(5, 1))]);
    for theme in [Theme::Light, Theme::Dark] {
        let svg = renderer().render_svg(&spec, 340, 240, theme).expect("it draws");
        assert_sound(&svg);
        assert!(!svg.contains("var("));
        assert!(svg.contains("<title>How do &lt;net&gt; sales &amp; refunds go?"));
    }
}

#[test]
fn a_chart_draws_the_same_each_time_and_side_by_side() {
    let spec = chart(ChartKind::StackedBar, money("EUR"), vec![Series::main("Shop", 2, wave(12, 9))]);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../admin-ui/dist/charts-server.js");
    let bundle = std::fs::read_to_string(path).expect("the assets are bundled: cargo xtask assets");
    let other = ChartRenderer::new(&bundle).expect("the bundled script loads");
    let again = other.render_all(&[(&spec, 340, 240, Theme::Page), (&spec, 560, 260, Theme::Page)]);
    assert_eq!(again[1].as_deref(), Ok(draw(&spec).as_str()));
    assert_ne!(again[0], again[1]);
}

#[test]
fn too_many_bars_and_odd_sizes_are_refused_in_words() {
    let spec = chart(ChartKind::Bar, Unit::Count, vec![Series::main("Orders", 0, wave(2_001, 1))]);
    let error = renderer().render_svg(&spec, 560, 260, Theme::Page).expect_err("too many bars");
    assert_eq!(error, ChartError::TooManyMarks { marks: 2_001 });
    let small = chart(ChartKind::Bar, Unit::Count, Vec::new());
    let error = renderer().render_svg(&small, 0, 260, Theme::Page).expect_err("no width");
    assert_eq!(error, ChartError::BadSize { width: 0, height: 260 });
    let long = chart(ChartKind::Line, Unit::Count, vec![Series::main("Orders", 0, wave(20_000, 1))]);
    draw(&long);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the drawing time is measured and printed")]
fn drawing_time_is_printed() {
    let series =
        (0..4).map(|index| Series::main(format!("Channel {index}"), index, wave(31, 1_000))).collect();
    let spec = chart(ChartKind::StackedBar, money("EUR"), series);
    draw(&spec);
    let started = std::time::Instant::now();
    for width in 500..520 {
        // A width of its own each time: the same drawing would be remembered.
        renderer().render_svg(&spec, width, 260, Theme::Page).expect("it draws");
    }
    println!("stacked bars, 31 days × 4 channels: {} µs a drawing", started.elapsed().as_micros() / 20);
    let started = std::time::Instant::now();
    draw(&spec);
    println!("the same once more: {} µs", started.elapsed().as_micros());
}
