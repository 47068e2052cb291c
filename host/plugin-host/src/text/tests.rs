use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use portolan_connector::SecretValue;
use proptest::prelude::*;

use super::Scrubber;

fn scrubber() -> Scrubber {
    Scrubber::new(&[
        SecretValue::new("shpat_0123456789"),
        SecretValue::new("shpat_012345"),
        SecretValue::new("abc"),
    ])
}

#[test]
fn secrets_disappear_from_bodies_and_texts() {
    let body = b"{\"echo\":\"shpat_0123456789\",\"again\":\"shpat_012345\"}".to_vec();
    assert_eq!(scrubber().bytes(body), b"{\"echo\":\"***\",\"again\":\"***\"}");
    assert_eq!(scrubber().text("token shpat_0123456789!"), "token ***!");
}

#[test]
fn short_values_are_not_masked() {
    assert_eq!(scrubber().text("abcdef"), "abcdef");
}

#[test]
fn shown_text_is_bounded_and_has_no_control_characters() {
    assert_eq!(scrubber().clean("\u{1b}[31mred\u{1b}[0m\nnext", 100), "[31mred [0m next");
    assert_eq!(scrubber().clean(&"x".repeat(50), 10), format!("{}…", "x".repeat(10)));
}

#[test]
fn a_secret_at_the_cut_is_masked_whole() {
    let text = format!("{}shpat_0123456789", "x".repeat(5));
    assert_eq!(scrubber().clean(&text, 12), "xxxxx***");
}

/// A secret with something that every encoding writes differently.
const AWKWARD: &str = "p/w+d=\"é\" <o'7> & ünïque";

#[test]
fn a_secret_is_found_in_the_encodings_that_channels_echo_it_in() {
    let scrubber = Scrubber::new(&[SecretValue::new(AWKWARD)]);
    let query = reqwest::Url::parse_with_params("https://x.invalid/", [("s", AWKWARD)]).expect("a url");
    let echoes = [
        AWKWARD.to_owned(),
        query.to_string(),
        query.to_string().replace("%2F", "%2f").replace("%C3", "%c3").replace("%A9", "%a9").to_lowercase(),
        "p%2Fw%2Bd%3D%22%C3%A9%22%20%3Co%277%3E%20%26%20%C3%BCn%C3%AFque".to_owned(),
        serde_json::json!({ "echo": AWKWARD }).to_string(),
        r#"p\/w+d=\"é\" <o'7> & ünïque"#.to_owned(),
        r#"p/w+d=\"\u00e9\" <o'7> & \u00fcn\u00efque"#.to_owned(),
        "p/w+d=&quot;é&quot; &lt;o&#39;7&gt; &amp; ünïque".to_owned(),
        "p/w+d=&#34;é&#34; &lt;o&#x27;7&gt; &amp; ünïque".to_owned(),
        AWKWARD.bytes().map(|byte| format!("{byte:02x}")).collect(),
        AWKWARD.bytes().map(|byte| format!("{byte:02X}")).collect(),
    ];
    for echo in echoes {
        assert!(scrubber.text(&echo).contains("***"), "{echo}");
    }
}

#[test]
fn a_secret_is_found_wherever_base64_puts_it() {
    let scrubber = Scrubber::new(&[SecretValue::new("shpat_0123456789?>ÿ")]);
    for before in ["", "u", "us", "user:", "user-2:"] {
        for after in ["", "\n", ":x", " and more"] {
            let text = format!("{before}shpat_0123456789?>ÿ{after}");
            for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                let scrubbed = scrubber.text(&encoded);
                assert!(scrubbed.contains("***"), "{before:?} {after:?}: {encoded}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_stream_is_scrubbed_as_the_whole_is(
        parts in proptest::collection::vec(prop_oneof!["[a-z0-9_ ]{0,30}", Just("shpat_0123456789".to_owned()), Just("shpat_012345".to_owned())], 0..12),
        cuts in proptest::collection::vec(1_usize..40, 1..40),
    ) {
        let text = parts.concat();
        let mut stream = scrubber().stream();
        let (mut scrubbed, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts.iter().cycle() {
            let (piece, further) = rest.split_at((*cut).min(rest.len()));
            scrubbed.extend(stream.push(piece));
            rest = further;
            if rest.is_empty() {
                break;
            }
        }
        scrubbed.extend(stream.finish());
        prop_assert_eq!(scrubbed, scrubber().bytes(text.into_bytes()));
    }

    #[test]
    fn no_secret_survives_in_any_encoding(
        secret in "[ -~é]{9,40}",
        before in "[a-z]{0,5}",
        after in "[a-z]{0,5}",
    ) {
        let scrubber = Scrubber::new(&[SecretValue::new(secret.as_str())]);
        let text = format!("{before}{secret}{after}");
        for encoded in [text.clone(), STANDARD.encode(&text), URL_SAFE.encode(&text), serde_json::json!([text]).to_string()] {
            prop_assert!(!scrubber.finds(&scrubber.text(&encoded)) && scrubber.finds(&encoded), "{}", encoded);
        }
    }
}
