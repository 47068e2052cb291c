use proptest::prelude::*;

use super::cut::*;
use super::framing::{Delimited, Framing};

fn framing(text: &str) -> Delimited {
    match Framing::parse(text).expect("framing") {
        Framing::Delimited(delimited) => delimited,
        Framing::Whole => panic!("expected delimited framing"),
    }
}

fn bodies(chunks: &[CutChunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| std::str::from_utf8(&chunk.body).expect("utf-8")).collect()
}

/// One character a byte, up to U+00FF.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).expect("up to U+00FF")).collect()
}

/// The table that the SDK's test host is held to as well.
#[test]
fn files_are_cut_as_the_contract_says() {
    let table: serde_json::Value =
        serde_json::from_str(include_str!("../../../../wit/cutting.json")).expect("a table");
    for case in table["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let text = |field: &str| case[field].as_str().unwrap_or_default();
        let number = |field: &str, other: u64| case[field].as_u64().unwrap_or(other);
        let aim = ChunkAim { bytes: number("bytes", 1 << 20) as usize, rows: number("rows", 1_000) as u32 };
        let answer = Framing::parse(text("framing")).and_then(|framing| match framing {
            Framing::Delimited(delimited) => {
                cut_delimited(&bytes(text("file")), &delimited, aim, None).map_err(|error| error.to_string())
            }
            Framing::Whole => panic!("{name}: not delimited"),
        });
        match (answer, case["refused"].as_str()) {
            (Ok(chunks), None) => {
                let found: Vec<Vec<u8>> = chunks.into_iter().map(|chunk| chunk.body).collect();
                let chunks = case["chunks"].as_array().expect("chunks");
                let expected: Vec<Vec<u8>> =
                    chunks.iter().filter_map(|chunk| chunk.as_str().map(bytes)).collect();
                assert_eq!(found, expected, "{name}");
            }
            (Err(error), Some(words)) => assert!(error.starts_with(words), "{name}: {error}"),
            (answer, _) => panic!("{name}: {answer:?}"),
        }
    }
}

#[test]
fn rows_of_one_document_come_together_however_far_apart() {
    let file = b"id,sku\n1,a\n2,b\n1,c\n";
    let chunks =
        cut_delimited(file, &framing("csv;group-by=id"), ChunkAim { bytes: 1, rows: 1 }, None).expect("cut");
    assert_eq!(bodies(&chunks), ["id,sku\n1,a\n1,c\n", "id,sku\n2,b\n"]);
}

#[test]
fn equal_rows_stay_two_records() {
    let file = b"id,sku\n1,a\n1,a\n";
    let chunks = cut_delimited(file, &framing("csv;group-by=id"), ChunkAim::default(), None).expect("cut");
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].rows, 2);
}

#[test]
fn dropped_columns_never_reach_a_chunk() {
    let file = b"id;mail;note\r\n1;ada@example.org;\"x;y\"\r\n";
    let chunks =
        cut_delimited(file, &framing("csv;delimiter=%3B;group-by=id;drop=mail"), ChunkAim::default(), None)
            .expect("cut");
    assert_eq!(bodies(&chunks), ["id;note\n1;\"x;y\"\n"]);
}

fn cut_in_small_chunks(file: &[u8], text: &str) -> Vec<CutChunk> {
    cut_delimited(file, &framing(text), ChunkAim { bytes: 1, rows: 1 }, None).expect("cut")
}

#[test]
fn names_are_compared_in_the_files_encoding() {
    let file = b"Auftragsn\xFCmmer; Stra\xDFe\xA0;sku\n1;Weg 1;a\n2;Weg 2;b\n1;Weg 1;c\n";
    let named = "csv;delimiter=%3B;encoding=windows-1252;group-by=Auftragsn%C3%BCmmer;drop=%20Stra%C3%9Fe";
    let chunks = cut_in_small_chunks(file, named);
    let bodies: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.body.as_slice()).collect();
    assert_eq!(bodies, [&b"Auftragsn\xFCmmer;sku\n1;a\n1;c\n"[..], b"Auftragsn\xFCmmer;sku\n2;b\n"]);
}

#[test]
fn names_differ_by_case_and_an_absent_column_needs_no_dropping() {
    let chunks = cut_in_small_chunks(b"id,Mail\n1,a\n", "csv;group-by=id;drop=mail;drop=phone");
    assert_eq!(bodies(&chunks), ["id,Mail\n1,a\n"]);
}

#[test]
fn keys_that_differ_by_blanks_alone_are_one_document() {
    let chunks = cut_in_small_chunks(b"id,sku\n1,a\n2,b\n1\xA0,c\n", "csv;encoding=latin1;group-by=id");
    assert_eq!(chunks.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn nothing_personal_of_a_malformed_row_reaches_a_chunk() {
    // The fields of the header, wherever a row has lost or won one: only the key is known for sure.
    let cases = [
        ("sku,id,mail", "a,1,ada@x,extra\n", "sku,id\na,1\n,1,\n"),
        ("sku,id,mail", "ada@x,1\n", "sku,id\na,1\n,1,\n"),
        ("mail,id,sku", "Ada,1,ada@x,a\n", "id,sku\n1,a\n1,,\n"),
        ("mail,id,sku", "ada@x,1\n", "id,sku\n1,a\n1\n"),
    ];
    for (header, malformed, expected) in cases {
        let whole = header.replace("sku", "a").replace("id", "1").replace("mail", "ada@x");
        let file = format!("{header}\n{whole}\n{malformed}");
        let chunks = cut_in_small_chunks(file.as_bytes(), "csv;group-by=id;drop=mail");
        assert_eq!(bodies(&chunks), [expected], "{file}");
    }
}

#[test]
fn a_key_that_only_malformed_rows_have_may_be_personal() {
    let file = b"id,mail,sku\n1,x@x,a\nada@x,a\nada@x,b\nAda,Lovelace,ada@x,c\n";
    let chunks =
        cut_delimited(file, &framing("csv;group-by=id;drop=mail"), ChunkAim::default(), None).expect("cut");
    assert_eq!(bodies(&chunks), ["id,sku\n1,a\n\"\"\n\"\"\n,,\n"]);
    assert_eq!(chunks[0].rows, 4);
}

proptest! {
    #[test]
    fn a_malformed_row_stays_malformed_and_blank(width in 2_usize..6, dropped in 0_usize..6, fields in 1_usize..9) {
        prop_assume!(dropped < width && fields != width);
        let header: Vec<String> = (0..width).map(|index| format!("c{index}")).collect();
        let file = format!("{}\n{}\n", header.join(","), vec!["secret"; fields].join(","));
        let text = format!("csv;group-by=c0;drop=c{dropped}");
        let chunks = cut_in_small_chunks(file.as_bytes(), &text);
        let body = bodies(&chunks)[0].to_owned();
        prop_assert!(!body.contains("secret"));
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
        let widths: Vec<usize> = reader.byte_records().map(|row| row.expect("row").len()).collect();
        prop_assert_eq!(widths.len(), 2);
        prop_assert_ne!(widths[0], widths[1]);
    }
}

#[test]
fn quoted_line_breaks_and_windows_line_ends_keep_their_rows() {
    let file = b"\xEF\xBB\xBFid,note\r\n1,\"two\r\nlines\"\r\n\r\n2,x";
    let chunks =
        cut_delimited(file, &framing("csv;group-by=id"), ChunkAim { bytes: 1, rows: 1 }, None).expect("cut");
    assert_eq!(bodies(&chunks), ["id,note\r\n1,\"two\r\nlines\"\r\n", "id,note\r\n2,x\n"]);
}

#[test]
fn a_missing_key_column_names_what_the_file_has() {
    let error = cut_delimited(b"a,b\n1,2\n", &framing("csv;group-by=id"), ChunkAim::default(), None)
        .expect_err("error");
    assert_eq!(error, CutError::MissingColumn { column: "id".into(), found: vec!["a".into(), "b".into()] });
}

#[test]
fn unknown_framing_is_refused_with_a_sentence() {
    assert!(Framing::parse("xml").expect_err("error").contains("use json"));
    assert!(Framing::parse("csv;delimiter=ab").expect_err("error").contains("one ASCII character"));
    assert!(Framing::parse("csv;encoding=utf-16le").expect_err("error").contains("ASCII-compatible"));
    assert!(Framing::parse("csv;encoding=klingon").expect_err("error").contains("ASCII-compatible"));
    assert!(Framing::parse("csv;encoding=%zz").expect_err("error").contains("percent escape"));
}

proptest! {
    #[test]
    fn no_row_is_lost_or_invented(keys in proptest::collection::vec(0_u8..6, 0..60), aim_rows in 1_u32..8) {
        let mut file = String::from("id,row\n");
        for (index, key) in keys.iter().enumerate() {
            file.push_str(&format!("{key},{index}\n"));
        }
        let aim = ChunkAim { bytes: 1 << 20, rows: aim_rows };
        let chunks = cut_delimited(file.as_bytes(), &framing("csv;group-by=id"), aim, None).expect("cut");
        let mut seen = Vec::new();
        let mut chunk_of_key = std::collections::HashMap::new();
        for (number, chunk) in chunks.iter().enumerate() {
            let text = std::str::from_utf8(&chunk.body).expect("utf-8");
            prop_assert_eq!(text.lines().count() as u32, chunk.rows + 1);
            for line in text.lines().skip(1) {
                let (key, row) = line.split_once(',').expect("two columns");
                let home = *chunk_of_key.entry(key.to_owned()).or_insert(number);
                prop_assert_eq!(home, number);
                seen.push(row.parse::<usize>().expect("number"));
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..keys.len()).collect::<Vec<_>>());
    }
}
