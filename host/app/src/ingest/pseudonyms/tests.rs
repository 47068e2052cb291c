use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::ingest::cut::{ChunkAim, cut_delimited};
use crate::ingest::framing::Framing;

fn pseudonyms(connection: u128) -> Pseudonyms {
    let stream = |name: &str, framing: &str, subject: serde_json::Value| {
        json!({ "name": name, "entity": "order", "mode": "snapshot", "framing": framing, "subject": subject,
            "subject_prefix": "gid://shop/Customer/" })
    };
    let manifest = json!({
        "id": "fake", "version": "1.0.0", "kind": "connector", "name": "Fake", "publisher": "Portolan",
        "contract": "0.1.0", "streams": [
            stream("orders", "json", json!(["/**/customer/id"])),
            stream("lines", "ndjson", json!(["/customer", { "path": "/id", "begins": "cus_" }])),
            stream("files", "csv", json!(["framing"])),
            { "name": "products", "entity": "product", "mode": "snapshot", "framing": "json" },
        ]
    });
    Pseudonyms {
        key: Arc::new(PseudonymKey::for_tests(&[9; 32])),
        connection: ConnectionId(Uuid::from_u128(connection)),
        manifest: Arc::new(Manifest::parse(manifest.to_string().as_bytes()).expect("a manifest")),
    }
}

fn renamed(stream: &str, framing: &str, body: &str) -> (String, People) {
    let (pseudonyms, mut people) = (pseudonyms(1), People::new());
    let body = pseudonyms
        .of_stream(stream, &mut people)
        .expect("a stream with customers")
        .rename_json(body.as_bytes(), framing)
        .expect("JSON");
    (String::from_utf8(body).expect("text"), people)
}

#[test]
fn a_customer_is_the_same_whichever_way_the_channel_writes_the_id() {
    let body = r#"[{"customer":{"id":"gid://shop/Customer/123"}},{"customer":{"id":"123"}},{"customer":{"id":123}},
        {"customer":{"id":" "}},{"customer":null}]"#;
    let (text, people) = renamed("orders", "json", body);
    assert_eq!(people.values().collect::<Vec<_>>(), ["123"]);
    let pseudonym = people.keys().next().expect("one");
    assert_eq!(text.matches(&format!("\"{pseudonym}\"")).count(), 3, "{text}");
    assert!(!text.contains("123") && text.contains(r#"{"id":" "}"#), "{text}");
    assert!(
        canonical_forms(Some(&pseudonyms(1).manifest), " gid://shop/Customer/123 ")
            .contains(&"123".to_owned())
    );
}

#[test]
fn another_connection_knows_nobody_of_this_one() {
    let (here, there) = (pseudonyms(1), pseudonyms(2));
    let (mut of_here, mut of_there) = (People::new(), People::new());
    let here = here.of_stream("orders", &mut of_here).expect("customers").pseudonym("123");
    let there = there.of_stream("orders", &mut of_there).expect("customers").pseudonym("123");
    assert!(here.is_some() && here != there);
}

#[test]
fn of_lines_each_is_by_itself_and_one_that_is_no_json_is_not_kept() {
    let body =
        "{\"customer\":7}\r\n\n{\"customer\":\"secret-8\"\n{\"id\":\"cus_9\",\"x\":1.10}\n{\"id\":\"ch_1\"}";
    let (text, people) = renamed("lines", "ndjson", body);
    assert_eq!(
        people.values().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["7", "cus_9"].into()
    );
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), body.lines().count(), "{text}");
    assert_eq!((lines[1], lines[4]), ("", "{\"id\":\"ch_1\"}"));
    assert!(lines[0].ends_with("\"}") && lines[3].ends_with(",\"x\":1.10}"), "{text}");
    assert!(!text.contains("secret-8") && serde_json::from_str::<String>(lines[2]).is_ok(), "{text}");
}

#[test]
fn what_does_not_fit_the_manifest_is_refused_instead_of_stored() {
    let pseudonyms = pseudonyms(1);
    let mut people = People::new();
    assert!(pseudonyms.of_stream("products", &mut people).is_none(), "no customers there");
    let mut files = pseudonyms.of_stream("files", &mut people).expect("customers");
    assert!(matches!(files.rename_json(b"[]", "json"), Err(RenameError::Plugin(_))));
    assert!(files.check_is_in_framing().is_ok());
    let mut orders = pseudonyms.of_stream("orders", &mut people).expect("customers");
    assert!(orders.check_is_in_framing().is_err());
    for body in [&b"{\"customer\""[..], b"\xFF\"x\""] {
        assert!(matches!(orders.rename_json(body, "json"), Err(RenameError::Page(_))));
    }
}

proptest! {
    #[test]
    fn of_a_file_the_columns_of_customers_change_and_no_other(
        rows in prop::collection::vec(("[1-9]{1,2}", "(|[1-9]{1,3}(\\.0)?| [1-9])", "[a-z,\" é]{0,6}"), 1..12),
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["order", "Kunde", "note"]).expect("a header");
        for (order, customer, note) in &rows {
            writer.write_record([order, customer, note]).expect("a row");
        }
        let file = writer.into_inner().expect("a file");
        let framing = "csv;group-by=order;subject=Kunde;subject-numbers=whole";
        let Ok(Framing::Delimited(framing)) = Framing::parse(framing) else { panic!("a framing") };
        let (pseudonyms, mut people) = (pseudonyms(1), People::new());
        let mut renaming = pseudonyms.of_stream("files", &mut people).expect("customers");
        let mut rename = |id: &str| renaming.pseudonym(whole_number(id));
        let cut = cut_delimited(&file, &framing, ChunkAim::default(), Some(&mut rename)).expect("cut");
        let mut after: Vec<(String, String, String)> = cut
            .iter()
            .flat_map(|chunk| csv::Reader::from_reader(chunk.body.as_slice()).into_deserialize().collect::<Vec<_>>())
            .collect::<Result<_, _>>()
            .expect("rows");
        let key = PseudonymKey::for_tests(&[9; 32]);
        let mut expected: Vec<(String, String, String)> = rows.into_iter().map(|(order, customer, note)| {
            let id = whole_number(customer.trim()).to_owned();
            let customer = if id.is_empty() { customer } else { key.pseudonym(pseudonyms.connection, &id) };
            (order, customer, note)
        }).collect();
        after.sort();
        expected.sort();
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn a_row_of_another_width_keeps_no_customer(fields in prop::collection::vec("id-[0-9]{4}", 1..6)) {
        prop_assume!(fields.len() != 3);
        let file = format!("order,Kunde,note\n1,c,n\n{}\n", fields.join(","));
        let Ok(Framing::Delimited(framing)) = Framing::parse("csv;group-by=order;subject=Kunde") else {
            panic!("a framing")
        };
        let mut rename = |_: &str| Some("p_x".to_owned());
        let cut = cut_delimited(file.as_bytes(), &framing, ChunkAim::default(), Some(&mut rename)).expect("cut");
        let text: String = cut.iter().map(|chunk| String::from_utf8_lossy(&chunk.body).into_owned()).collect();
        prop_assert!(text.contains("1,p_x,n") && !text.contains("id-"), "{}", text);
    }
}

#[test]
fn a_column_of_customers_that_the_file_lacks_is_told() {
    let Ok(Framing::Delimited(framing)) = Framing::parse("csv;subject=Kunde") else { panic!("a framing") };
    let mut rename = |_: &str| None;
    let missing = cut_delimited(b"order\n1\n", &framing, ChunkAim::default(), Some(&mut rename));
    assert!(missing.expect_err("refused").to_string().contains("Kunde"));
}
