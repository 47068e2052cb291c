//! Each rule finds what breaks it and leaves its neighbour alone.

use super::arrows::{self, Crate};
use super::{Finding, Source, circles, links, rust_text, sources};

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn findings_in(path: &str, text: &str) -> Vec<String> {
    sources::check(&source(path, text)).iter().map(ToString::to_string).collect()
}

fn finds(path: &str, text: &str, message: &str) {
    let found = findings_in(path, text);
    assert!(found.iter().any(|finding| finding.contains(message)), "{message:?} not in {found:?}");
}

fn is_clean(path: &str, text: &str) {
    assert_eq!(findings_in(path, text), Vec::<String>::new(), "{text}");
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn an_arrow_that_is_not_drawn_is_found() {
    let upward = Crate { name: "core".into(), arrows: owned(&["db"]), ..Crate::default() };
    assert_eq!(arrows::check(&[upward])[0].place, "core -> db");
    let drawn = Crate { name: "jobs".into(), arrows: owned(&["core", "db"]), ..Crate::default() };
    assert_eq!(arrows::check(&[drawn]), Vec::<Finding>::new());
}

#[test]
fn a_plugin_never_knows_the_host() {
    let plugin = Crate { name: "plugin-etsy".into(), arrows: owned(&["sdk", "core"]), ..Crate::default() };
    assert_eq!(arrows::check(&[plugin])[0].place, "plugin-etsy -> core");
}

#[test]
fn a_crate_without_a_line_is_found() {
    let unknown = Crate { name: "utils".into(), ..Crate::default() };
    assert!(arrows::check(&[unknown])[0].message.contains("no line"));
}

#[test]
fn an_unlisted_arrow_of_tests_is_found() {
    let listed = Crate { name: "jobs".into(), test_arrows: owned(&["migrations"]), ..Crate::default() };
    let unlisted = Crate { name: "charts".into(), test_arrows: owned(&["app"]), ..Crate::default() };
    let found = arrows::check(&[listed, unlisted]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "charts -> app (tests)");
}

#[test]
fn a_heavy_crate_in_the_wrong_place_is_found() {
    let app = Crate { name: "app".into(), outside: owned(&["axum", "datafusion"]), ..Crate::default() };
    let found = arrows::check(&[app]);
    assert_eq!(found[0].to_string(), "app -> datafusion: only facts may know datafusion");
    assert_eq!(found.len(), 1);
}

#[test]
fn dependencies_are_read_from_cargo_metadata() {
    let metadata = serde_json::json!({"packages": [{"name": "portolan-jobs", "dependencies": [
        {"name": "portolan-db", "kind": null, "path": "/somewhere"},
        {"name": "portolan-migrations", "kind": "dev", "path": "/somewhere"},
        {"name": "tokio", "kind": null},
        {"name": "proptest", "kind": "dev"},
    ]}]});
    let crates = arrows::crates_of(&metadata).unwrap();
    assert_eq!((crates[0].name.as_str(), &crates[0].arrows), ("jobs", &owned(&["db"])));
    assert_eq!((&crates[0].test_arrows, &crates[0].outside), (&owned(&["migrations"]), &owned(&["tokio"])));
}

#[test]
fn slices_in_a_circle_are_found_once() {
    let slices = [
        source("host/app/src/orders/mod.rs", "use crate::syncs::ops;"),
        source("host/app/src/syncs/mod.rs", "pub mod ops;"),
        source("host/app/src/syncs/ops.rs", "fn a() { crate::plugins::load() }"),
        source("host/app/src/plugins/mod.rs", "use crate::{\n    web::Page,\n    orders::{Order, list},\n};"),
        source("host/app/src/web/mod.rs", "use crate::AppState;"),
    ];
    let found = circles::check(&slices);
    assert_eq!(found.len(), 1, "{found:?}");
    let steps = "orders -> syncs in host/app/src/orders/mod.rs, syncs -> plugins in host/app/src/syncs/ops.rs, \
                 plugins -> orders in host/app/src/plugins/mod.rs";
    assert!(found[0].message.ends_with(steps), "{found:?}");
}

#[test]
fn tests_and_comments_make_no_circle() {
    let slices = [
        source("host/app/src/orders/mod.rs", "use crate::syncs;"),
        source("host/app/src/syncs/mod.rs", "//! See crate::orders.\nlet text = \"crate::orders\";"),
        source("host/app/src/syncs/tests.rs", "use crate::orders;"),
    ];
    assert_eq!(circles::check(&slices), Vec::<Finding>::new());
}

#[test]
fn names_in_nested_braces_are_not_heads() {
    let names = circles::names_after_crate("use crate::{a::{b, c}, d}; use my_crate::e; crate::f::g()");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "d", "f"]);
}

#[test]
fn a_long_file_needs_a_reason() {
    let long = "let a = 1;\n".repeat(601);
    finds("host/core/src/money.rs", &long, "601 lines");
    is_clean(
        "host/core/src/money.rs",
        &format!("// tidy: long because one table, one row per currency\n{long}"),
    );
    is_clean("host/core/src/money.rs", &"let a = 1;\n".repeat(600));
}

#[test]
fn stub_macros_are_found_in_code_only() {
    finds("host/core/src/a.rs", "fn a() { todo!() }", "todo!");
    finds("host/core/src/a.rs", "fn a() { unimplemented!(\"later\") }", "unimplemented!");
    finds("host/core/src/a.rs", "let a = dbg!(1);", "dbg!");
    is_clean("host/core/src/a.rs", "// todo!() is refused\nlet a = \"dbg!\"; /* unimplemented!() */");
}

#[test]
fn an_ignored_test_needs_a_date() {
    finds("host/core/src/a.rs", "#[ignore]\nfn a() {}", "ignored test");
    finds("host/core/src/a.rs", "#[ignore = \"slow\"]\nfn a() {}", "ignored test");
    is_clean("host/core/src/a.rs", "#[ignore = \"2026-01-31: the upstream's schema is wrong\"]\nfn a() {}");
}

#[test]
fn notes_to_oneself_are_found() {
    finds("host/core/src/a.rs", &format!("// {}: later", concat!("TO", "DO")), "is left");
    is_clean("host/core/src/a.rs", "// mastodons");
}

#[test]
fn colours_outside_the_tokens_are_found() {
    finds("admin-ui/assets/pulse.css", "  color: #1a2b3c;", "colour literal");
    finds("admin-ui/assets/pulse.css", "  border: 1px solid rgb(10 20 30);", "colour literal");
    finds("admin-ui/templates/pulse.html", "<path fill=\"#abc\">", "colour literal");
    finds("host/charts/src/theme.rs", "let grey = \"#808080\";", "colour literal");
    finds("admin-ui/assets/chart.ts", "const grey = '#888';", "colour literal");
    is_clean("admin-ui/assets/tokens.css", "  --accent: #1a2b3c;");
    is_clean("admin-ui/assets/pulse.css", "#face { color: var(--accent) }");
    is_clean("admin-ui/templates/pulse.html", "<a href=\"#add\">&#39;</a>");
    is_clean("admin-ui/assets/chart.ts", "document.querySelector('#add');");
    is_clean("admin-ui/src/pages/orders.rs", "number: \"#1042\",");
    is_clean("admin-ui/assets/chart.ts", "const sea = '#123'; // tidy: colour because the test draws it");
}

#[test]
fn unescaped_markup_is_found() {
    finds("admin-ui/templates/orders.html", "{{ title | safe }}", "unescaped");
    finds("admin-ui/src/pages/orders.rs", "struct Order;\nimpl HtmlSafe for Order {}", "unescaped");
    is_clean(
        "admin-ui/src/pages/orders.rs",
        "#[derive(Template)]\nstruct Order {}\nimpl HtmlSafe for Order {}",
    );
    is_clean("admin-ui/src/parts/form.rs", "#[derive(Template)]\nenum Item {}\nimpl HtmlSafe for Item {}");
    finds("admin-ui/src/parts/form.rs", "enum Item {}\nimpl HtmlSafe for Item {}", "unescaped");
    is_clean("admin-ui/src/parts/chart.rs", "struct SafeSvg(String);\nimpl HtmlSafe for SafeSvg {}");
    is_clean("admin-ui/templates/orders.html", "{{ safety_stock }}");
}

#[test]
fn places_on_somebodys_machine_are_found() {
    let folder = ["/ho", "me/"].concat();
    finds("docs/guide.md", &format!("see {folder}someone/file"), "somebody's machine");
    is_clean("docs/guide.md", "see https://example.com/homework/ and ~/.cache");
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let guide = source(
        "docs/guides/a.md",
        "[x](../STYLE.md#shape) [y](https://example.com) [z](#here) [f](../../host/core)",
    );
    let lost = source("README.md", "![picture](docs/images/gone.png) and [style](docs/STYLE.md)");
    let paths = ["docs/STYLE.md", "docs/guides/a.md", "host/core/src/lib.rs", "README.md"].into();
    let found = links::check(&[guide, lost], &paths);
    assert_eq!(found, [Finding::new("README.md:1", "the link to docs/images/gone.png leads nowhere")]);
}

#[test]
fn code_is_told_from_what_speaks_about_it() {
    let code = rust_text::code_of(
        "let a = 'x'; let b: &'static str = r#\"dbg!(\"1\")\"#; // dbg!\n/* a /* b */ c */ d",
    );
    assert!(!code.contains("dbg!"));
    assert!(code.contains("&'static str"));
    assert!(code.ends_with(" d"));
    assert_eq!(rust_text::code_of("'\\'' + \"\\\"\" + b\"x\" + end").trim_start().replace(' ', ""), "+++end");
}
