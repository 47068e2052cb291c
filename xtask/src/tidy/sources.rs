//! Rules that look at one file at a time.

use super::rust_text::code_of;
use super::{Finding, Source};

const LONGEST_FILE: usize = 600;
const KINDS: &[&str] = &[
    "rs",
    "ts",
    "mjs",
    "js",
    "css",
    "html",
    "md",
    "toml",
    "wit",
    "py",
    "sh",
    "yaml",
    "yml",
    "txt",
    "json",
    "Dockerfile",
    "run",
];
/// Kinds that people write and read line by line.
const CODE: &[&str] = &["rs", "ts", "mjs", "js", "css", "html", "wit", "py", "sh"];

/// The one file that says what the colours are.
const TOKENS: &str = "tokens.css";
/// Folders whose sources end up on a page.
const PAGES: &[&str] = &["admin-ui/", "host/charts/", "host/app/"];
/// The one type that passes markup on without being a template: what the chart renderer drew.
const VOUCHED_MARKUP: (&str, &str) = ("admin-ui/src/parts/chart.rs", "SafeSvg");

pub fn is_looked_at(path: &str) -> bool {
    let generated =
        path.ends_with("package-lock.json") || path.contains("/fixtures/") || path.contains("/recordings/");
    !generated && KINDS.contains(&kind(path))
}

pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    machine_paths(source, &mut findings);
    if CODE.contains(&kind(&source.path)) {
        length(source, &mut findings);
        unfinished_work(source, &mut findings);
    }
    if kind(&source.path) == "rs" {
        stubs(source, &mut findings);
    }
    if PAGES.iter().any(|folder| source.path.starts_with(folder)) && !source.path.contains("tests") {
        colours(source, &mut findings);
        unescaped_markup(source, &mut findings);
    }
    findings
}

fn kind(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit('.').next().unwrap_or(name)
}

/// An exception with its reason, in a comment of the same file or line: `tidy: <rule> because …`.
fn excused(text: &str, rule: &str) -> bool {
    text.contains(&format!("tidy: {rule} because "))
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    if lines > LONGEST_FILE && !excused(&source.text, "long") {
        let message = format!(
            "{lines} lines; find the seam (a verb that wants its own file), or say why: `tidy: long because …`"
        );
        findings.push(Finding::new(&source.path, message));
    }
}

fn stubs(source: &Source, findings: &mut Vec<Finding>) {
    let code = code_of(&source.text);
    for (number, (line, written)) in code.lines().zip(source.text.lines()).enumerate() {
        let place = format!("{}:{}", source.path, number + 1);
        for name in ["todo", "unimplemented", "dbg"] {
            if has_word(line, &format!("{name}!")) {
                findings.push(Finding::new(&place, format!("{name}! is no code to keep")));
            }
        }
        if line.contains("#[ignore") && !has_date(written) {
            let message = "an ignored test says since when and why: #[ignore = \"2026-01-31: …\"]";
            findings.push(Finding::new(&place, message));
        }
    }
}

/// Notes to oneself belong into the tracker, where they are found again.
fn unfinished_work(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.text.lines().enumerate() {
        for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")] {
            if has_word(line, word) {
                findings
                    .push(Finding::new(format!("{}:{}", source.path, number + 1), format!("{word} is left")));
            }
        }
    }
}

fn machine_paths(source: &Source, findings: &mut Vec<Finding>) {
    // In pieces, or this file would be its own first finding.
    let folders =
        [["wo", "rk"], ["ro", "ot"], ["fa", "rm"], ["ho", "me"], ["Us", "ers"]].map(|pieces| pieces.concat());
    for (number, line) in source.text.lines().enumerate() {
        for folder in &folders {
            let absolute = format!("/{folder}/");
            let found = line.match_indices(&absolute).any(|(place, _)| {
                let before = line[..place].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || ".-_~}/*".contains(letter))
            });
            if found && !excused(line, "path") {
                let message = format!("{absolute}… is a place on somebody's machine");
                findings.push(Finding::new(format!("{}:{}", source.path, number + 1), message));
            }
        }
    }
}

fn colours(source: &Source, findings: &mut Vec<Finding>) {
    if source.path.ends_with(TOKENS) {
        return;
    }
    let looks = match kind(&source.path) {
        "css" => css_colour,
        "html" => html_colour,
        "rs" | "ts" | "mjs" | "js" => quoted_colour,
        _ => return,
    };
    for (number, line) in source.text.lines().enumerate() {
        if looks(line) && !excused(line, "colour") {
            let message = format!("a colour literal; name it in {TOKENS} and use the name");
            findings.push(Finding::new(format!("{}:{}", source.path, number + 1), message));
        }
    }
}

/// In a declaration's value; `#face {` is a selector.
fn css_colour(line: &str) -> bool {
    let Some((_, value)) = line.split_once(':') else { return false };
    let is_selector =
        line.trim_end().ends_with('{') || line.trim_end().ends_with(',') && !line.contains("--");
    !is_selector && (colour_function(value) || hex_colours(value).next().is_some())
}

/// In a style or a drawing's attribute; `href="#add"` is a place on the page.
fn html_colour(line: &str) -> bool {
    ["style=\"", "fill=\"", "stroke=\"", "stop-color=\"", "content=\""].iter().any(|attribute| {
        line.split(attribute).skip(1).any(|rest| {
            let value = rest.split('"').next().unwrap_or_default();
            colour_function(value) || hex_colours(value).next().is_some()
        })
    })
}

/// A quoted colour and nothing else in the quotes; `"#add"` is rather an element, `"#1042"` an order.
fn quoted_colour(line: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        line.split(*quote).skip(1).step_by(2).any(|text| {
            let long = text.len() == 7 || text.len() == 9;
            let short_with_digit = text.len() == 4 && text.chars().any(|letter| letter.is_ascii_digit());
            colour_function(text)
                || hex_colours(text).any(|colour| colour == text && (long || short_with_digit))
        })
    })
}

/// A colour made from a token stays a token: `rgb(from var(--accent) …)`.
fn colour_function(text: &str) -> bool {
    ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "oklab(", "lab(", "lch("].iter().any(|name| {
        text.match_indices(name).any(|(place, found)| {
            let before = text[..place].chars().next_back();
            let own_word =
                !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_');
            own_word && !text[place + found.len()..].trim_start().starts_with("from var(")
        })
    })
}

fn hex_colours(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('#').filter_map(|(place, _)| {
        let digits = text[place + 1..].chars().take_while(char::is_ascii_alphanumeric).count();
        let colour = &text[place..=place + digits];
        let entity = text[..place].ends_with('&');
        (!entity
            && matches!(digits, 3 | 4 | 6 | 8)
            && colour[1..].chars().all(|letter| letter.is_ascii_hexdigit()))
        .then_some(colour)
    })
}

/// Markup goes out unescaped only where a template made it, for templates escape what they are given.
fn unescaped_markup(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.text.lines().enumerate() {
        let vouched = match kind(&source.path) {
            "html" => is_unescaped(line),
            "rs" => line.split_once("impl HtmlSafe for ").is_some_and(|(_, rest)| {
                let name = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
                !is_template(&source.text, name) && VOUCHED_MARKUP != (source.path.as_str(), name)
            }),
            _ => return,
        };
        if vouched {
            let message = "only a template's own output may go unescaped";
            findings.push(Finding::new(format!("{}:{}", source.path, number + 1), message));
        }
    }
}

fn is_unescaped(line: &str) -> bool {
    let close: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    close.contains("|safe") || close.contains("{%filtersafe") || close.contains("|escape(\"none\")")
}

/// Whether the attributes right above the type derive `Template`.
fn is_template(text: &str, name: &str) -> bool {
    let declares =
        |kind| [" {", "<", ";"].iter().find_map(|end| text.split_once(&format!("{kind} {name}{end}")));
    let above = declares("struct").or_else(|| declares("enum"));
    let Some((above, _)) = above else { return false };
    let attributes = above.rsplit("\n\n").next().unwrap_or_default();
    attributes.contains("derive(") && has_word(attributes, "Template")
}

/// The word with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        let after = line[place + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// `2026-01-31` somewhere in the line.
fn has_date(line: &str) -> bool {
    line.as_bytes().windows(10).any(|window| {
        window.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    })
}
