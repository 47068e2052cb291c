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

#[test]
fn rows_of_one_document_come_together_however_far_apart() {
    let file = b"id,sku\n1,a\n2,b\n1,c\n";
    let chunks =
        cut_delimited(file, &framing("csv;group-by=id"), ChunkAim { bytes: 1, rows: 1 }).expect("cut");
    assert_eq!(bodies(&chunks), ["id,sku\n1,a\n1,c\n", "id,sku\n2,b\n"]);
}

#[test]
fn equal_rows_stay_two_records() {
    let file = b"id,sku\n1,a\n1,a\n";
    let chunks = cut_delimited(file, &framing("csv;group-by=id"), ChunkAim::default()).expect("cut");
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].rows, 2);
}

#[test]
fn dropped_columns_never_reach_a_chunk() {
    let file = b"id;mail;note\r\n1;ada@example.org;\"x;y\"\r\n";
    let chunks =
        cut_delimited(file, &framing("csv;delimiter=%3B;group-by=id;drop=mail"), ChunkAim::default())
            .expect("cut");
    assert_eq!(bodies(&chunks), ["id;note\n1;\"x;y\"\n"]);
}

#[test]
fn quoted_line_breaks_and_windows_line_ends_keep_their_rows() {
    let file = b"\xEF\xBB\xBFid,note\r\n1,\"two\r\nlines\"\r\n\r\n2,x";
    let chunks =
        cut_delimited(file, &framing("csv;group-by=id"), ChunkAim { bytes: 1, rows: 1 }).expect("cut");
    assert_eq!(bodies(&chunks), ["id,note\r\n1,\"two\r\nlines\"\r\n", "id,note\r\n2,x\n"]);
}

#[test]
fn a_missing_key_column_names_what_the_file_has() {
    let error =
        cut_delimited(b"a,b\n1,2\n", &framing("csv;group-by=id"), ChunkAim::default()).expect_err("error");
    assert_eq!(error, CutError::MissingColumn { column: "id".into(), found: vec!["a".into(), "b".into()] });
}

#[test]
fn unknown_framing_is_refused_with_a_sentence() {
    assert!(Framing::parse("xml").expect_err("error").contains("use json"));
    assert!(Framing::parse("csv;delimiter=ab").expect_err("error").contains("one ASCII character"));
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
        let chunks = cut_delimited(file.as_bytes(), &framing("csv;group-by=id"), aim).expect("cut");
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
