//! Encodings, dialects, preambles, locales, and files that are none.

use portolan_plugin_csv::Csv;
use portolan_sdk::testing::{Host, connection, request, slice};
use portolan_sdk::{Connector, Error};

use super::{SMALL, run};

fn titled(config: &str) -> String {
    config.replace(r#""sku": "sku""#, r#""title": "sku""#)
}

fn refused(config: &str, file: &[u8]) -> String {
    let host = Host::new().file("orders", "märz.csv", file);
    match host.sync::<Csv>(&connection(config), &slice("orders")) {
        Err(Error::InvalidConfig(fields)) => fields[0].message.clone(),
        other => panic!("expected a refusal, not {other:?}"),
    }
}

#[test]
fn the_delimiter_is_detected() {
    for delimiter in [',', ';', '\t', '|'] {
        let file = "order,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n".replace(',', &delimiter.to_string());
        assert_eq!(run(SMALL, "orders", file).output.orders[0].gross, 300, "{delimiter:?}");
    }
}

#[test]
fn commas_inside_quotes_do_not_count() {
    let file = "order;date;sku;qty;price\n1;2026-01-02;\"a, b, c, d, e, f; g\";1;1.50\n";
    let run = run(&titled(SMALL), "orders", file);
    assert_eq!(run.output.orders[0].lines[0].title, "a, b, c, d, e, f; g");
}

#[test]
fn windows_1252_is_detected_and_decoded() {
    let file = b"order;date;sku;qty;price\n1;2026-01-02;Stra\xDFe \x80;1;1.50\n".to_vec();
    let run = run(&titled(SMALL), "orders", file);
    assert_eq!(run.output.orders[0].lines[0].title, "Straße €");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header() {
    let run = run(SMALL, "orders", "\u{feff}order,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n");
    assert_eq!(run.output.orders.len(), 1);
}

#[test]
fn a_wrong_encoding_puts_the_broken_rows_aside() {
    let config = SMALL.replace(r#""currency""#, r#""encoding": "utf-8", "currency""#);
    let file = b"order,date,sku,qty,price\n1,2026-01-02,ok,1,1.50\n2,2026-01-02,Stra\xDFe,1,1.50\n".to_vec();
    let run = run(&config, "orders", file);
    assert_eq!(run.output.orders.len(), 1);
    assert_eq!(run.output.skipped[0].path.as_deref(), Some("sku"));
    assert!(run.output.skipped[0].reason.contains("encoding"));
}

#[test]
fn the_header_is_found_below_a_preamble() {
    let file = "Report of January\n\nShop: Example\norder,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n";
    assert_eq!(run(SMALL, "orders", file).output.orders[0].gross, 300);
}

#[test]
fn dates_and_decimals_follow_the_locale() {
    let config = SMALL.replace(
        r#""currency""#,
        r#""decimal_mark": ",", "date_formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y"], "times_in": "utc", "currency""#,
    );
    let file = "order;date;sku;qty;price\n1;02.01.2026 08:30;A;2;1.234,50\n2;02.01.2026;A;1;1,5\n3;02.01.2026;A;1;1.5\n";
    let run = run(&config, "orders", file);
    assert_eq!(run.output.orders[0].gross, 246_900);
    assert_eq!(run.output.orders[0].placed_at, portolan_sdk::Moment::At(1_767_342_600_000_000));
    assert_eq!(run.output.orders[1].gross, 150);
    // "1.5" with a decimal comma is neither 1.5 nor 15.
    assert_eq!(run.output.skipped[0].path.as_deref(), Some("price"));
}

#[test]
fn a_row_of_another_width_is_put_aside() {
    let run = run(
        SMALL,
        "orders",
        "order,date,sku,qty,price\n1,2026-01-02,A,2\n2,2026-01-02,A,2,1.50,x\n3,2026-01-02,A,2,1.50\n",
    );
    assert_eq!(run.output.orders.len(), 1);
    assert_eq!(run.output.skipped.len(), 2);
    assert!(run.output.skipped[0].reason.contains("fields"));
}

#[test]
fn a_document_with_an_unreadable_row_is_put_aside_whole() {
    let config = SMALL.replace(r#""currency""#, r#""encoding": "utf-8", "currency""#);
    for bad in [&b"1,2026-01-02,B,2"[..], b"1,2026-01-02,B,2,1.50,x", b"1,2026-01-02,\xDF,2,1.50"] {
        let file = [
            &b"order,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n2,2026-01-02,A,1,1.50\n"[..],
            bad,
            b"\n1,2026-01-02,C,2,1.50\n2,2026-01-02,B,1,1.50\n",
        ]
        .concat();
        let output = run(&config, "orders", file).output;
        let orders: Vec<_> = output.orders.iter().map(|order| (order.key.as_str(), order.gross)).collect();
        assert_eq!(orders, [("2", 300)]);
        assert_eq!(output.skipped.len(), 3);
        let pointing = output.skipped.iter().filter(|skipped| skipped.reason.contains("same document"));
        assert_eq!(pointing.count(), 2, "{:?}", output.skipped);
    }
}

#[test]
fn an_unreadable_row_without_a_key_is_put_aside_alone() {
    let config = SMALL.replace(r#""currency""#, r#""encoding": "utf-8", "currency""#);
    let file = b"order,date,sku,qty,price\n1,2026-01-02,A,2,1.50\n\xFF,2026-01-02,B,2,1.50\n,2026-01-02\n1,2026-01-02,C,2,1.50\n";
    let output = run(&config, "orders", file.to_vec()).output;
    assert_eq!(output.orders[0].gross, 600);
    assert_eq!(output.skipped.len(), 2);
    assert!(output.skipped.iter().any(|skipped| skipped.path.as_deref() == Some("order")));
    assert!(output.skipped.iter().any(|skipped| skipped.reason.contains("2 fields")));
}

#[test]
fn an_unreadable_last_row_of_a_product_lets_no_older_row_stand() {
    let config =
        r#"{"products": {"columns": {"key": "sku", "title": "title", "price": "price"}, "currency": "EUR"}}"#;
    let output = run(config, "products", "sku,title,price\nA,Tea,1\nB,Milk,1\nA,Tea\n").output;
    let keys: Vec<_> = output.products.iter().map(|product| product.key.as_str()).collect();
    assert_eq!((keys, output.skipped.len()), (vec!["B"], 2));
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_personal_header_in_any_encoding() {
    let config = SMALL.replace(r#""currency""#, r#""encoding": "windows-1252", "currency""#);
    let file = "\u{feff}Email,order,date,sku,qty,price\njane@example.org,1,2026-01-02,A,2,1.50\n";
    let run = run(&config, "orders", file);
    assert_eq!(run.output.orders[0].gross, 300);
    assert!(!String::from_utf8_lossy(&run.chunks[0].body).contains("jane"));
}

#[test]
fn well_known_headers_need_no_mapping_and_personal_columns_are_dropped() {
    let file = "Name,Email,Created at,Currency,Lineitem quantity,Lineitem name,Lineitem price,Billing Country,Billing Address1\n\
        #1001,someone@example.com,2026-01-02 10:00:00 +0000,EUR,2,Tea,1.50,DE,Street 1\n";
    let run = run("{}", "orders", file);
    assert_eq!(run.output.orders[0].total, 300);
    assert_eq!(run.output.orders[0].country.as_deref(), Some("DE"));
    let staged = String::from_utf8(run.chunks[0].body.clone()).expect("UTF-8");
    assert!(!staged.contains("someone") && !staged.contains("Street"), "{staged}");
}

#[test]
fn marked_columns_never_reach_a_chunk() {
    let config = SMALL.replace(r#""currency""#, r#""personal": ["buyer"], "currency""#);
    let run = run(&config, "orders", "order,date,buyer,sku,qty,price\n1,2026-01-02,Jane Doe,A,2,1.50\n");
    assert_eq!(run.output.orders[0].gross, 300);
    assert!(!String::from_utf8_lossy(&run.chunks[0].body).contains("Jane"));
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let message = refused(SMALL, b"order,date,article,qty,price\n1,2026-01-02,A,2,1.50\n");
    assert!(
        message.contains("märz.csv") && message.contains("\"sku\"") && message.contains("\"article\""),
        "{message}"
    );
}

#[test]
fn empty_and_binary_and_utf16_files_are_refused_with_advice() {
    assert!(refused(SMALL, b"").contains("is empty"));
    assert!(refused(SMALL, b"PK\x03\x04\0\0\0").contains("save it as CSV UTF-8"));
    assert!(refused(SMALL, b"\xFF\xFEo\0r\0").contains("save it as CSV UTF-8"));
}

#[test]
fn check_tells_what_is_wrong_with_a_mapping() {
    let cases = [
        (
            r#"{"orders": {"columns": {"document_key": "a", "placed_at": "b"}, "currency": "EUR"}}"#,
            "orders.columns",
        ),
        (&SMALL.replace(r#""currency": "EUR","#, ""), "orders.currency"),
        (&SMALL.replace("EUR", "euro"), "orders.currency"),
        (&SMALL.replace(r#""currency""#, r#""encoding": "utf-16le", "currency""#), "orders.encoding"),
        (&SMALL.replace(r#""currency""#, r#""personal": ["sku"], "currency""#), "orders.personal"),
    ];
    for (config, path) in cases {
        match Csv::check(&connection(config)) {
            Err(Error::InvalidConfig(fields)) => assert_eq!(fields[0].path, path),
            other => panic!("expected {path} to be refused, not {other:?}"),
        }
    }
    Csv::check(&connection(SMALL)).expect("a good config");
}

#[test]
fn without_files_there_is_nothing_to_do() {
    let page =
        Host::new().fetch::<Csv>(&request(&connection(SMALL), &slice("orders"), None)).expect("a page");
    assert_eq!(page.chunks, []);
}
