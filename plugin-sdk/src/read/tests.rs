//! Conservation, dead letters, and all-or-nothing records, for every framing.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::commerce::{Customer, Product};
use crate::testing::{Host, Output};
use crate::{BadRecord, Connector, FetchRequest, Moment, Number, Page};

#[derive(Deserialize)]
struct Raw {
    id: String,
    price: Number,
}

/// Pushes two documents a record, and fails between them where the price is negative.
struct Shop;

impl Connector for Shop {
    fn fetch(_: &FetchRequest) -> Result<Page> {
        Err(Error::PluginBug("not asked here".to_owned()))
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        if chunk.framing.starts_with("csv") || chunk.framing.starts_with("tsv") {
            return Table::read(chunk)?.each(out, |row, out| {
                let price = crate::money::decimal(row.get("price").unwrap_or_default())?;
                push(row.src(), row.field(0), price.unscaled < 0, out)
            });
        }
        each(chunk, out, |src, raw: Raw, out| {
            let price = raw.price.decimal().map_err(|bad| bad.at("price"))?;
            push(src, &raw.id, price.unscaled < 0, out)
        })
    }
}

fn push(src: u32, id: &str, bad: bool, out: &mut Sink) -> RecordResult {
    if id == "nothing" {
        return Ok(());
    }
    out.push(Product::new(src, id, Moment::At(0), id));
    if bad {
        return Err(BadRecord::at("price", "is negative"));
    }
    out.push(Customer::new(src, id, Moment::At(0)));
    Ok(())
}

fn chunk(framing: &str, body: impl Into<Vec<u8>>) -> Chunk {
    Chunk {
        stream: "things".to_owned(),
        framing: framing.to_owned(),
        content_type: String::new(),
        body: body.into(),
        config: "{}".to_owned(),
        time_zone: "UTC".to_owned(),
        received_at: 0,
    }
}

fn read(framing: &str, body: impl Into<Vec<u8>>) -> Result<Output> {
    Host::new().normalize::<Shop>(&chunk(framing, body))
}

fn keys(output: &Output) -> Vec<&str> {
    output.products.iter().map(|product| product.key.as_str()).collect()
}

#[test]
fn json_records_are_found_at_their_pointer() {
    let body = r#"{"other": [1, {"things": []}], "data": {"a/b": [{"id": "x", "price": 1.10}, {"id": "y", "price": "2"}]}, "z": 1}"#;
    let output = read("json:/data/a~1b", body).expect("read");
    assert_eq!(keys(&output), ["x", "y"]);
    assert_eq!(keys(&read("json", r#"[{"id": "x", "price": 1}]"#).expect("read")), ["x"]);
    assert_eq!(keys(&read("json", r#"{"id": "x", "price": 1}"#).expect("read")), ["x"]);
    assert_eq!(
        keys(&read("json:/things/1", r#"{"things": [[], [{"id": "x", "price": 1}]]}"#).expect("read")),
        ["x"]
    );
    assert_eq!(read("json:/data", r#"{"data": null}"#).expect("read").seen, 0);
}

#[test]
fn json_that_is_not_what_was_promised_is_the_channels_bug() {
    for body in [
        "",
        "<html>",
        r#"{"data": ["#,
        r#"{"else": []}"#,
        r#"{"data": 1}"#,
        r#"{"data": []} x"#,
        r#"{"data": "x"}"#,
    ] {
        assert!(matches!(read("json:/data", body), Err(Error::UpstreamBug(_))), "{body}");
    }
}

#[test]
fn nothing_of_a_page_that_breaks_off_stands() {
    let body = r#"{"data": [{"id": "a", "price": 1}, {"id": "b", "pri"#;
    assert!(matches!(read("json:/data", body), Err(Error::UpstreamBug(_))));
    let garbage_after = r#"{"data": [{"id": "a", "price": 1}], "next": }"#;
    assert!(matches!(read("json:/data", garbage_after), Err(Error::UpstreamBug(_))));
}

#[test]
fn a_bad_record_is_put_aside_with_its_path_and_its_neighbours_pass() {
    let body = r#"[{"id": "a", "price": 1}, {"id": 7, "price": 1}, {"price": 1}, {"id": "b", "price": true}, {"id": "c", "price": "x"}, {"id": "d", "price": 1}]"#;
    let output = read("json", body).expect("read");
    assert_eq!(keys(&output), ["a", "d"]);
    let paths: Vec<_> = output.skipped.iter().map(|skipped| (skipped.src, skipped.path.as_deref())).collect();
    assert_eq!(paths, [(1, Some("id")), (2, Some(".")), (3, Some("price")), (4, Some("price"))]);
    assert_eq!((output.seen, output.emitted), (6, 2));
}

#[test]
fn all_of_a_record_stands_or_nothing() {
    let output =
        read("ndjson", "{\"id\": \"a\", \"price\": -1}\n\n{\"id\": \"b\", \"price\": 1}\r\n").expect("read");
    assert_eq!(keys(&output), ["b"]);
    assert_eq!(output.customers.len(), 1);
    assert_eq!(output.skipped[0].reason, "is negative");
    assert_eq!((output.seen, output.emitted), (2, 1));
}

#[test]
fn a_record_of_which_nothing_came_is_a_dead_letter() {
    let output = read("json", r#"[{"id": "nothing", "price": 1}]"#).expect("read");
    assert_eq!(output.skipped[0].reason, "no document came of this record");
}

#[test]
fn rows_are_read_in_any_dialect() {
    for (framing, body) in [
        ("csv", "id,price\na,1\n\n\"b,\"\"c\"\"\",2\n"),
        ("csv;delimiter=%3B", "id;price\r\na;1\r\n\"b,\"\"c\"\"\";2\r\n"),
        ("tsv", "\u{feff}id\tprice\na\t1\n\"b,\"\"c\"\"\"\t2"),
    ] {
        let output = read(framing, body).expect("read");
        assert_eq!(keys(&output), ["a", "b,\"c\""], "{framing}");
        assert_eq!(output.seen, 2);
    }
}

#[test]
fn rows_that_are_no_rows_are_put_aside() {
    let output = read("csv", b"id,price\na,1,2\nb\nc\xFF,1\nd,1\n".to_vec()).expect("read");
    assert_eq!(keys(&output), ["d"]);
    assert_eq!(
        output.skipped.iter().map(|skipped| skipped.path.as_deref()).collect::<Vec<_>>(),
        [None, None, Some("id")]
    );
    assert_eq!((output.seen, output.emitted), (4, 1));
}

/// One product a group, of the column `id`; its title counts the group's rows.
struct Grouped;

impl Connector for Grouped {
    fn fetch(_: &FetchRequest) -> Result<Page> {
        Err(Error::PluginBug("not asked here".to_owned()))
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        let key = |row: &Row<'_>| match row.get("id") {
            Some(id) if !id.is_empty() => Ok(id.to_owned()),
            _ => Err(BadRecord::at("id", "the row has no id")),
        };
        Table::read(chunk)?.each_group(out, key, |key, rows, out| {
            let count = rows.len().to_string();
            rows.iter().for_each(|row| out.push(Product::new(row.src(), key, Moment::At(0), &*count)));
            Ok(())
        })
    }
}

/// Index, path and reason of a row that was put aside.
type PutAside = (u32, Option<String>, String);

fn grouped(body: &[u8]) -> (Vec<(String, String)>, Vec<PutAside>) {
    let output = Host::new().normalize::<Grouped>(&chunk("csv", body)).expect("read");
    assert_eq!(output.seen, output.emitted + output.skipped.len() as u64);
    let documents =
        output.products.iter().map(|product| (product.key.clone(), product.title.clone())).collect();
    let skipped = output.skipped.iter();
    let mut skipped: Vec<_> =
        skipped.map(|skipped| (skipped.src, skipped.path.clone(), skipped.reason.clone())).collect();
    skipped.sort();
    (documents, skipped)
}

#[test]
fn an_unreadable_row_takes_its_group_with_it() {
    for bad in [&b"a,x"[..], b"a,x,1,2", b"a,\xFF,1"] {
        let body = [&b"id,name,price\na,x,1\nb,x,1\n"[..], bad, b"\na,x,2\n"].concat();
        let (documents, skipped) = grouped(&body);
        assert_eq!(documents, [("b".to_owned(), "1".to_owned())]);
        assert_eq!(skipped.iter().map(|skipped| skipped.0).collect::<Vec<_>>(), [0, 2, 3]);
        let reason = &skipped[1].2;
        assert!(reason.contains("fields where") || reason.contains("encoding"), "{reason}");
        for pointing in [&skipped[0].2, &skipped[2].2] {
            assert_eq!(*pointing, format!("record 2 of the same document can't be used: {reason}"));
        }
    }
}

#[test]
fn every_unreadable_row_of_a_group_has_its_own_reason() {
    let (documents, skipped) = grouped(b"id,name,price\na,x\na,\xFF,1\na,x,1\n");
    assert_eq!(documents, []);
    assert!(skipped[0].2.starts_with("the row has 2 fields"), "{skipped:?}");
    assert_eq!(skipped[1].1.as_deref(), Some("name"));
    assert!(skipped[2].2.starts_with("record 0 of the same document"), "{skipped:?}");
}

#[test]
fn an_unreadable_row_of_no_known_group_is_put_aside_alone() {
    let (documents, skipped) = grouped(b"name,id,price\nx,a,1\nx\nx,\xFF,1\nx,,1,1\nx,a,2\n");
    assert_eq!(documents, [("a".to_owned(), "2".to_owned()), ("a".to_owned(), "2".to_owned())]);
    let reasons: Vec<_> = skipped.iter().map(|skipped| skipped.2.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the row has 1 fields where the header has 3",
            "the field is not text in the file's encoding",
            "the row has 4 fields where the header has 3",
        ]
    );
}

#[test]
fn rows_can_be_structs() {
    #[derive(Deserialize)]
    struct Line {
        id: String,
        count: u32,
    }
    struct Counted;
    impl Connector for Counted {
        fn fetch(_: &FetchRequest) -> Result<Page> {
            Err(Error::PluginBug("not asked here".to_owned()))
        }
        fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
            each(chunk, out, |src, line: Line, out| {
                out.push(Product::new(src, format!("{}{}", line.id, line.count), Moment::At(0), ""));
                Ok(())
            })
        }
    }
    let output = Host::new().normalize::<Counted>(&chunk("csv", "id,count\na,1\nb,two\n")).expect("read");
    assert_eq!(keys(&output), ["a1"]);
    assert_eq!(output.skipped[0].path.as_deref(), Some("count"));
}

#[test]
fn no_call_to_the_host_carries_more_than_500_documents() {
    let body: String =
        (0..1_751).map(|id| format!("{{\"id\": \"{id}\", \"price\": {}}}\n", id % 3 - 1)).collect();
    let output = read("ndjson", body).expect("read");
    assert_eq!((output.seen, output.emitted), (1_751, 1_167));
    assert_eq!((output.products.len(), output.skipped.len()), (1_167, 584));
    assert!(output.largest_batch <= 500, "{}", output.largest_batch);
}

#[test]
fn a_record_of_many_documents_goes_in_batches_of_500() {
    struct Many;
    impl Connector for Many {
        fn fetch(_: &FetchRequest) -> Result<Page> {
            Err(Error::PluginBug("not asked here".to_owned()))
        }
        fn normalize(_: &Chunk, out: &mut Sink) -> Result<()> {
            out.record(0, |out| {
                (0..1_201).for_each(|id| out.push(Customer::new(0, id.to_string(), Moment::At(0))));
                Ok(())
            });
            Ok(())
        }
    }
    let output = Host::new().normalize::<Many>(&chunk("json", "{}")).expect("documents");
    assert_eq!((output.customers.len(), output.largest_batch, output.seen), (1_201, 500, 1));
}

#[test]
fn an_unknown_framing_is_the_plugins_bug() {
    assert!(matches!(read("xml", "<a/>"), Err(Error::PluginBug(_))));
}

proptest! {
    #[test]
    fn nothing_vanishes_whatever_the_body(body: Vec<u8>, framing in "csv|tsv|ndjson|json|json:/a") {
        if let Ok(output) = read(&framing, body) {
            prop_assert_eq!(output.seen, output.emitted + output.skipped.len() as u64);
        }
    }

    #[test]
    fn every_record_is_counted_once(prices in proptest::collection::vec(-3_i32..3, 0..60)) {
        let records: Vec<String> = prices.iter().map(|price| format!(r#"{{"id": "{price}", "price": {price}}}"#)).collect();
        let good = prices.iter().filter(|price| **price >= 0).count() as u64;
        for output in [read("json", format!("[{}]", records.join(","))), read("ndjson", records.join("\n"))] {
            let output = output.expect("read");
            prop_assert_eq!((output.seen, output.emitted), (prices.len() as u64, good));
            prop_assert_eq!(output.products.len(), output.customers.len());
        }
    }
}
