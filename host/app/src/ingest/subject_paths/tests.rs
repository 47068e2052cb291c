use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn paths(texts: &[&str]) -> Paths {
    let places: Vec<SubjectPlace> = texts.iter().map(|text| SubjectPlace::Path((*text).to_owned())).collect();
    Paths::new(&places).expect("paths")
}

fn marked(text: &str, wanted: &[&str]) -> String {
    replace_values(text, &paths(wanted), |_, value| Some(format!("<{value}>"))).expect("JSON")
}

#[test]
fn values_are_replaced_where_the_paths_lead_and_nowhere_else() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["/customer"], r#"{"customer": 17, "id": 1.50}"#, r#"{"customer": "<17>", "id": 1.50}"#),
        (
            &["/customer"],
            r#"{"customer":null,"x":{"customer":1}}"#,
            r#"{"customer":null,"x":{"customer":1}}"#,
        ),
        (&["/data/*/id"], r#"{"data":[{"id":"a"},{"id":"b"}]}"#, r#"{"data":[{"id":"<a>"},{"id":"<b>"}]}"#),
        (&["/data/*/id"], r#"{"data":{"x":{"id":"a"}}}"#, r#"{"data":{"x":{"id":"a"}}}"#),
        (&["/*"], "[1, \"two\" ,true,[3]]", "[\"<1>\", \"<two>\" ,true,[\"<3>\"]]"),
        (
            &["/**/customer/id"],
            r#"{"customer":{"id":1,"n":2},"a":[[{"customer":{"id":"x"}}]],"customers":{"id":4}}"#,
            r#"{"customer":{"id":"<1>","n":2},"a":[[{"customer":{"id":"<x>"}}]],"customers":{"id":4}}"#,
        ),
        (&["/a/**/b"], r#"{"a":{"b":1,"c":{"b":2}},"b":3}"#, r#"{"a":{"b":"<1>","c":{"b":"<2>"}},"b":3}"#),
        // A key may be written with escapes, and twice.
        (
            &["/customer"],
            r#"{"custom\u0065r":"é","customer":"x"}"#,
            r#"{"custom\u0065r":"<é>","customer":"<x>"}"#,
        ),
        // What is not where it should be must not slip by.
        (
            &["/customer"],
            r#"{"customer":{"id":"x","tags":["y"]}}"#,
            r#"{"customer":{"id":"<x>","tags":["<y>"]}}"#,
        ),
        (&["/customer"], "17", "17"),
        (&[], r#"{"customer":17}"#, r#"{"customer":17}"#),
        (&["/a~1b"], r#"{"a/b":1}"#, r#"{"a/b":"<1>"}"#),
    ];
    for (wanted, text, expected) in cases {
        assert_eq!(marked(text, wanted), *expected, "{wanted:?}");
    }
}

#[test]
fn what_is_no_json_is_refused_and_not_half_replaced() {
    for text in
        ["", "{", r#"{"customer":17"#, r#"{"customer":17}}"#, "{customer:17}", r#"{"customer":"\ud800"}"#]
    {
        let refused = replace_values(text, &paths(&["/customer"]), |_, value| Some(value.to_owned()));
        assert!(matches!(refused, Err(JsonError::Malformed(_))), "{text}: {refused:?}");
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let replace = |text: &str, path: &str| replace_values(text, &paths(&[path]), |_, _| None);
    assert_eq!(replace(&deep(MOST_DEPTH + 1), "/**/customer"), Err(JsonError::TooDeep));
    assert!(replace(&deep(MOST_DEPTH), "/**/customer").is_ok());
    // Where no path leads nothing has to be remembered.
    let ignored = format!(r#"{{"x":{},"customer":1}}"#, deep(100_000));
    let replaced =
        replace_values(&ignored, &paths(&["/customer"]), |_, _| Some("y".to_owned())).expect("JSON");
    assert_eq!(replaced, ignored.replace(":1}", ":\"y\"}"));
}

/// JSON in all ways of writing it: blanks, escapes, digits that a float would lose.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z\"\\\\/{}\\[\\],: é]{0,6}".prop_map(|text| Value::from(text).to_string()),
        "(\\\\u00[2-7][0-9a-f]|\\\\n|\\\\\"|x){0,4}".prop_map(|text| format!("\"{text}\"")),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,20})?([eE][+-]?[0-9])?",
        Just("true".to_owned()),
        Just("null".to_owned()),
    ];
    let blank = "[ \t\r\n]{0,2}";
    leaf.prop_recursive(5, 48, 5, move |inner| {
        let item = (blank, inner, blank).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let keys = prop::sample::subsequence(vec!["a", "customer", "id", "z"], 0..4);
        let members = (keys, prop::collection::vec((blank, item.clone()), 4)).prop_map(|(keys, items)| {
            let members =
                keys.iter().zip(items).map(|(key, (blank, item))| format!("{blank}\"{key}\"{blank}:{item}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let elements = prop::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(",")));
        prop_oneof![members, elements]
    })
}

/// The same by the book: every leaf with its way from the root.
fn leaves<'v>(
    value: &'v Value,
    way: &mut Vec<Option<&'v str>>,
    found: &mut Vec<(Vec<Option<&'v str>>, &'v Value)>,
) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            way.push(Some(key));
            leaves(member, way, found);
            way.pop();
        }),
        Value::Array(elements) => elements.iter().for_each(|element| {
            way.push(None);
            leaves(element, way, found);
            way.pop();
        }),
        leaf => found.push((way.clone(), leaf)),
    }
}

/// Whether a path leads along the beginning of a way.
fn leads(steps: &[Step], way: &[Option<&str>]) -> bool {
    match (steps.split_first(), way.split_first()) {
        (None, _) => true,
        (Some((Step::Anything, rest)), _) if leads(rest, way) => true,
        (Some((Step::Anything, _)), Some((_, further))) => leads(steps, further),
        (Some((Step::Key(key), rest)), Some((Some(name), further))) => key == name && leads(rest, further),
        (Some((Step::Element, rest)), Some((None, further))) => leads(rest, further),
        _ => false,
    }
}

const PATHS: &[&str] =
    &["/customer", "/*/customer", "/**/customer/id", "/a/**/id", "/*/*", "/**/z", "/customer/*/**/a"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Cut where something was replaced, the text is the one before, and what was replaced are whole values.
    #[test]
    fn every_byte_beside_the_values_stays(text in json(), path in prop::sample::select(PATHS)) {
        let mut values = Vec::new();
        let replaced = replace_values(&text, &paths(&[path]), |_, value| {
            values.push(value.to_owned());
            Some("@@".to_owned())
        }).expect("JSON");
        let mut pieces = replaced.split("\"@@\"");
        let mut rest = text.strip_prefix(pieces.next().expect("a piece")).expect("the same beginning");
        for (value, piece) in values.iter().zip(pieces) {
            let mut words = serde_json::Deserializer::from_str(rest).into_iter::<&serde_json::value::RawValue>();
            let raw = words.next().expect("a value").expect("JSON").get();
            let meant = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
            prop_assert_eq!(value, &meant);
            let after = rest.trim_ascii_start().strip_prefix(raw).expect("it stands here");
            rest = after.strip_prefix(piece).expect("the same bytes");
        }
        prop_assert_eq!(rest, "");
    }

    #[test]
    fn the_paths_lead_where_the_book_says(text in json(), path in prop::sample::select(PATHS)) {
        let steps = SubjectPlace::Path(path.to_owned()).steps().expect("a path").expect("steps");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let mut found = Vec::new();
        leaves(&value, &mut Vec::new(), &mut found);
        let wanted = found.iter().filter(|(way, leaf)| {
            (leaf.is_string() || leaf.is_number()) && leads(&steps, way)
        });
        let mut replaced = 0;
        replace_values(&text, &paths(&[path]), |_, _| { replaced += 1; None }).expect("JSON");
        prop_assert_eq!(replaced, wanted.count());
    }

    #[test]
    fn nothing_that_is_sent_makes_it_panic(bytes in "[\\[\\]{}\",:\\\\ea0-9u \n]{0,60}") {
        let _ = replace_values(&bytes, &paths(PATHS), |_, _| Some("x".to_owned()));
    }
}
