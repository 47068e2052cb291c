//! A script that misbehaves harms nobody but its own drawing.

use portolan_charts::{Category, ChartError, ChartKind, ChartRenderer, ChartSpec, Series, Theme, Unit};

fn spec() -> ChartSpec {
    ChartSpec {
        kind: ChartKind::Line,
        title: "loop".into(),
        subtitle: String::new(),
        unit: Unit::Count,
        category_name: "Day".into(),
        categories: vec![Category::new("1 Nov")],
        series: vec![Series::main("Orders", 0, vec![Some(1)])],
        unfinished_from: None,
    }
}

fn draw_with(bundle: &str, width: u32) -> Result<String, ChartError> {
    let renderer = ChartRenderer::new(bundle)?;
    renderer.render_svg(&spec(), width, 100, Theme::Page)
}

#[test]
fn a_script_that_does_not_load_says_why() {
    let error = ChartRenderer::new("function render( {").expect_err("no JavaScript");
    assert!(matches!(&error, ChartError::Script(text) if text.contains("invalid property name")), "{error}");
}

#[test]
fn a_script_that_throws_says_why() {
    let error = draw_with("globalThis.render = () => { throw new Error('no such chart') }", 100)
        .expect_err("it throws");
    assert!(matches!(&error, ChartError::Script(text) if text.contains("no such chart")), "{error}");
}

#[test]
fn an_endless_loop_is_stopped_and_the_next_drawing_works() {
    let bundle = "globalThis.render = (spec, width) => { while (width === 99) {} return '<svg></svg>' }";
    let renderer = ChartRenderer::new(bundle).expect("it loads");
    let error = renderer.render_svg(&spec(), 99, 100, Theme::Page).expect_err("an endless loop");
    assert_eq!(error, ChartError::TooLong);
    assert_eq!(renderer.render_svg(&spec(), 100, 100, Theme::Page).as_deref(), Ok("<svg></svg>"));
}

#[test]
fn a_memory_grab_is_stopped_and_the_next_drawing_works() {
    let bundle = "globalThis.render = (spec, width) => {
        const kept = [];
        while (width === 99) kept.push(new Array(100000).fill(kept.length));
        return '<svg></svg>' }";
    let renderer = ChartRenderer::new(bundle).expect("it loads");
    assert!(renderer.render_svg(&spec(), 99, 100, Theme::Page).is_err());
    assert_eq!(renderer.render_svg(&spec(), 100, 100, Theme::Page).as_deref(), Ok("<svg></svg>"));
}

#[test]
fn a_script_cannot_reach_the_host() {
    let names = "['require', 'process', 'std', 'os', 'fetch', 'XMLHttpRequest', 'document']";
    let bundle = format!("globalThis.render = () => {names}.filter((name) => name in globalThis).join()");
    assert_eq!(draw_with(&bundle, 100).as_deref(), Ok(""));
}
