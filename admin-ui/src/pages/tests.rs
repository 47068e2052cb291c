use std::collections::BTreeSet;

use askama::Template;

use super::*;
use crate::parts::{Empty, FieldKind, FormField, PostAction, SafeSvg, SecretState};

#[test]
fn every_sample_renders() {
    for (name, page) in samples() {
        let html = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(html.ends_with("</html>"), "{name} is cut off");
        assert_eq!(html.matches("<h1>").count(), 1, "{name} has one heading");
    }
}

#[test]
fn no_page_carries_inline_script_or_style() {
    for (name, page) in samples() {
        let html = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        for forbidden in [" style=", "<style", "javascript:", " onclick", " onerror=alert", "<script>"] {
            let escaped_text = html.replace("&#60;img src=x onerror=alert(1)", "");
            assert!(!escaped_text.contains(forbidden), "{name} contains {forbidden}");
        }
    }
}

#[test]
fn hostile_text_stays_text() {
    let html = askama::Template::render(&PulsePage::sample_extreme()).expect("the sample renders");
    assert!(!html.contains("<script>alert"));
    assert!(html.contains("&#60;script&#62;alert(1)"));
}

#[test]
fn pages_name_only_assets_that_are_bundled() {
    for (name, page) in samples() {
        let html = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (start, _) in html.match_indices("\"/assets/") {
            let rest = &html[start + "\"/assets/".len()..];
            let file = rest.split(['"', '#']).next().unwrap_or_default();
            assert!(crate::assets::find(file).is_some(), "{name} asks for {file}");
        }
    }
}

#[test]
fn every_page_stays_within_its_budget() {
    for (name, page) in samples().into_iter().filter(|(name, _)| !name.contains("extreme")) {
        let html = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(html.len() <= 60_000, "{name} has {} bytes", html.len());
    }
}

#[test]
fn the_six_empty_states_differ_in_kind_and_words() {
    let states = [
        Empty::nothing_yet("orders", "They arrive with the first sync."),
        Empty::filtered_away("orders", "/orders"),
        Empty::not_allowed("orders", "Your owner"),
        Empty::not_connected(),
        Empty::lagging("Harbour Shop", "2 h ago", "The channel refused the token.", "/syncs/1"),
        Empty::not_enough_data("a forecast", "needs 2 full months: 17 more days"),
    ];
    let rendered: Vec<String> = states.iter().map(|state| state.render().expect("it renders")).collect();
    let kinds: BTreeSet<&str> =
        rendered.iter().filter_map(|html| html.split("data-empty=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(kinds.len(), 6);
    assert!(rendered[4].contains("Last success 2 h ago. The channel refused the token."));
    assert!(rendered[5].contains("It needs 2 full months: 17 more days."));
}

#[test]
fn a_secret_is_never_written_into_a_page() {
    let stored = SecretState { set_on: "3 Mar 2026".into(), set_by: "owner".into() };
    let field = FormField::new("access_token", "Token", FieldKind::Secret { stored: Some(stored) });
    let html = field.render().expect("it renders");
    assert!(html.contains("Set on 3 Mar 2026 by owner"));
    assert!(!html.contains(" value="));
}

#[test]
fn a_destructive_action_asks_for_the_name() {
    let action = PostAction::danger("Delete", "/connections/1/delete", "Harbour Shop", "Its schedule stops.");
    let html = action.render().expect("it renders");
    assert!(html.contains("Type <strong>Harbour Shop</strong> to confirm"));
    assert!(html.contains("name=\"confirm\""));
}

#[test]
fn a_drawing_with_a_script_shows_nothing() {
    let bad = [
        "<svg><script>alert(1)</script></svg>",
        "<svg onload=alert(1)></svg>",
        "<svg><a href=\"javascript:alert(1)\">x</a></svg>",
        "<svg><path style=\"fill:red\"/></svg>",
        "<p>hello</p>",
        "<svg></svg><img src=x>",
    ];
    for markup in bad {
        assert!(SafeSvg::from_chart(markup.into()).is_empty(), "{markup}");
    }
    assert!(!SafeSvg::from_chart("<svg><text>onload = 3 &lt;script&gt;</text></svg>".into()).is_empty());
}
