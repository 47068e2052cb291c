use portolan_connector::SecretValue;

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
