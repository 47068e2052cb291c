use super::*;
use crate::parts::SafeSvg;

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
