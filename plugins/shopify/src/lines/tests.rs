use std::collections::BTreeMap;

use portolan_sdk::Error;
use serde_json::{Value, json};

use super::cut;

const FILE: &str = concat!(
    r#"{"id":"o1","refundIds":[{"id":"r1"}]}"#,
    "\n",
    r#"{"id":"l1","__typename":"LineItem","__parentId":"o1"}"#,
    "\n",
    r#"{"id":"a1","__typename":"OrderAgreement","__parentId":"o1"}"#,
    "\n",
    r#"{"__typename":"ProductSale","n":1,"__parentId":"a1"}"#,
    "\n",
    r#"{"__typename":"AdjustmentSale","n":2,"__parentId":"a1"}"#,
    "\n",
    r#"{"id":"l2","__typename":"LineItem","__parentId":"o1"}"#,
    "\n",
    r#"{"id":"o2","refundIds":[]}"#,
    "\n",
);

fn written(file: &str) -> Vec<Value> {
    let refunds = BTreeMap::from([("r1".to_owned(), r#"{"id":"r1"}"#.to_owned())]);
    let groups = cut(file.as_bytes(), true).expect("groups").groups;
    let record = |group: &super::Group<'_>| {
        let mut text = String::new();
        group.write("orders", &refunds, &mut text).expect("a record");
        serde_json::from_str(&text).expect("JSON")
    };
    groups.iter().map(record).collect()
}

#[test]
fn lines_become_the_record_that_a_page_would_have_brought() {
    let records = written(FILE);
    assert_eq!(records.len(), 2);
    let ids = |nodes: &Value| {
        nodes.as_array().expect("a list").iter().map(|node| node["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&records[0]["lineItems"]["nodes"]), [json!("l1"), json!("l2")]);
    assert_eq!(records[0]["refunds"], json!([{ "id": "r1" }]));
    let sales = &records[0]["agreements"]["nodes"][0]["sales"]["nodes"];
    assert_eq!((&sales[0]["n"], &sales[1]["n"]), (&json!(1), &json!(2)));
    assert_eq!(
        records[1]["lineItems"],
        json!({ "nodes": [], "pageInfo": { "hasNextPage": false, "endCursor": null } })
    );
    assert_eq!(records[1]["refunds"], json!([]));
}

/// Wherever the file is cut, what the parts bring together is what the whole brings.
#[test]
fn a_part_that_ends_anywhere_brings_whole_records_and_leaves_the_rest() {
    for end in 0..FILE.len() {
        let part = cut(&FILE.as_bytes()[..end], false).expect("groups");
        let rest = cut(&FILE.as_bytes()[part.bytes..], true).expect("groups");
        assert_eq!(part.groups.len() + rest.groups.len(), 2, "cut at {end}");
        assert_eq!(part.lines + rest.lines, 7, "cut at {end}");
        assert!(part.bytes == 0 || FILE[part.bytes..].starts_with(r#"{"id":"o"#), "cut at {end}");
    }
}

#[test]
fn a_file_without_an_end_of_line_is_read_to_its_end() {
    assert_eq!(written(FILE.trim_end()), written(FILE));
}

#[test]
fn children_without_a_parent_are_the_channels_fault() {
    let orphan = r#"{"id":"l1","__typename":"LineItem","__parentId":"o0"}"#;
    assert!(matches!(cut(orphan.as_bytes(), true), Err(Error::UpstreamBug(_))));
    for line in [
        orphan,
        r#"{"__typename":"ProductSale","__parentId":"a9"}"#,
        r#"{"id":"x","__typename":"Surprise","__parentId":"o1"}"#,
    ] {
        let file = format!("{{\"id\":\"o1\"}}\n{line}\n");
        let groups = cut(file.as_bytes(), true).expect("groups").groups;
        let written = groups[0].write("orders", &BTreeMap::new(), &mut String::new());
        assert!(matches!(written, Err(Error::UpstreamBug(_))), "{line}");
    }
    assert!(matches!(cut(b"{\"id\":\n", true), Err(Error::UpstreamBug(_))));
    assert!(matches!(cut(b"\xff\n", true), Err(Error::UpstreamBug(_))));
}
