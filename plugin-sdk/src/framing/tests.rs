//! The framing's text.

use proptest::prelude::*;

use super::*;

#[test]
fn the_text_is_the_contracts() {
    let framing = Delimited {
        delimiter: b';',
        encoding: "windows-1252".to_owned(),
        group_by: Some("Invoice No".to_owned()),
        drop: vec!["E-Mail".to_owned(), "Größe;=".to_owned()],
        subject: vec!["Customer ID".to_owned()],
        subject_is_whole: true,
        skip_lines: 3,
        ..Delimited::default()
    };
    let text = "csv;delimiter=%3B;encoding=windows-1252;skip=3;group-by=Invoice%20No;drop=E-Mail;drop=Gr%C3%B6%C3%9Fe%3B%3D;\
                subject=Customer%20ID;subject-numbers=whole";
    assert_eq!(framing.to_string(), text);
    assert_eq!(text.parse(), Ok(framing));
    assert_eq!("tsv".parse(), Ok(Delimited { delimiter: b'\t', ..Delimited::default() }));
}

#[test]
fn what_is_no_framing_is_an_error() {
    for text in [
        "json",
        "csv;what=1",
        "csv;delimiter=ab",
        "csv;delimiter=%3",
        "csv;skip=x",
        "csv;group-by=%FF",
        "csv;subject-numbers=1",
    ] {
        assert!(text.parse::<Delimited>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_framing_survives_its_own_text(
        delimiter in 1_u8..128, quote in 1_u8..128, group_by: Option<String>, drop: Vec<String>,
        subject: Vec<String>, subject_is_whole: bool, skip_lines: u32,
    ) {
        let encoding = "utf-8".to_owned();
        let framing =
            Delimited { delimiter, quote, encoding, group_by, drop, subject, subject_is_whole, skip_lines };
        prop_assert_eq!(framing.to_string().parse(), Ok(framing));
    }
}
