use portolan_connector::Manifest;
use serde_json::json;

use super::shapes::{Dates, Mark, dates, decimal_mark, is_number, is_personal};
use super::sniff::{HEAD_BYTES, dialect, read_head, whole_lines};
use super::suggest::suggest;
use super::{has_mapping, part_schema};
use crate::connections::form::read_config;
use crate::connections::form::schema::Node;

/// The manifest of the plugin that reads delimited files: its hints are what is tried here.
fn csv() -> Manifest {
    Manifest::parse(include_bytes!("../../../../../plugins/csv/plugin.json")).expect("a manifest")
}

/// What would be stored for a file of this stream.
fn suggested(stream: &str, file: &[u8]) -> serde_json::Value {
    let schema = part_schema(&csv(), stream);
    let found = dialect(file);
    let head = read_head(file, found);
    let node = Node::root(&schema).properties()[0].node;
    let mut suggestion = suggest(node, stream, &head, found, "EUR");
    let config = read_config(&schema, &mut suggestion.typed).expect("a config");
    csv().validate_config(&config, &[]).expect("a mapping that the schema accepts");
    config[stream].clone()
}

#[test]
fn a_german_till_export_is_mapped_by_its_names_and_values() {
    let text = "Kassenexport Filiale M\u{fc}nchen;;;;;;;\r\n\r\nBeleg-Nr.;Datum;Artikelnr.;Bezeichnung;Menge;Einzelpreis;Kundenname;E-Mail\r\n\
        1001;03.03.2026 14:05;A-1;K\u{e4}se;2;1.234,50;M\u{fc}ller;mueller@example.org\r\n\
        1002;13.03.2026 09:30;B-2;Brot;1;3,20;Maier;\r\n1003;14.03.2026 09:30;B-2;Brot;1;gratis;Maier;\r\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(text);
    let mapping = suggested("orders", &bytes);
    assert_eq!(
        mapping,
        json!({
            "columns": {
                "document_key": "Beleg-Nr.", "placed_at": "Datum", "sku": "Artikelnr.", "title": "Bezeichnung",
                "quantity": "Menge", "unit_price": "Einzelpreis"
            },
            "currency": "EUR", "decimal_mark": ",", "date_formats": ["%d.%m.%Y %H:%M"],
            "personal": ["Kundenname", "E-Mail"],
            "encoding": "windows-1252", "delimiter": ";", "skip_lines": 2
        })
    );
}

#[test]
fn the_retail_data_and_shopifys_export_are_mapped_as_their_kept_mappings_say() {
    let retail = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
        536365,85123A,\"HOLDER, WHITE\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";
    let mapping = suggested("orders", retail);
    let kept: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../plugins/csv/mappings/uci-online-retail.json"))
            .expect("JSON");
    assert_eq!(mapping["columns"], kept["orders"]["columns"]);
    assert_eq!(mapping["date_formats"], kept["orders"]["date_formats"]);
    assert_eq!(mapping["strip_decimal_zero"], kept["orders"]["strip_decimal_zero"]);

    let shopify = b"Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Currency,Billing Name,Billing Country,Phone,Source\n\
        #1001,a@b.example,2026-03-03 14:05:00 +0100,2,Tea,4.50,T-1,EUR,Ann,DE,,web\n";
    let mapping = suggested("orders", shopify);
    assert_eq!(
        mapping["columns"],
        json!({
            "document_key": "Name", "placed_at": "Created at", "quantity": "Lineitem quantity",
            "unit_price": "Lineitem price", "sku": "Lineitem sku", "title": "Lineitem name",
            "country": "Billing Country", "currency": "Currency", "channel": "Source"
        })
    );
    assert_eq!(mapping["date_formats"], json!(["%Y-%m-%d %H:%M:%S %z"]));
    assert_eq!(mapping["personal"], json!(["Email", "Billing Name", "Phone"]));
    assert_eq!(mapping.get("currency"), None, "a column says it");
}

#[test]
fn a_column_whose_values_contradict_its_name_is_not_taken() {
    let file =
        b"order id,date,quantity,price,currency\n1,2026-03-03,many,9.50,EUR\n2,2026-03-04,2,4.00,EUR\n";
    let mapping = suggested("orders", file);
    assert_eq!(mapping["columns"].get("quantity"), None);
    assert_eq!(mapping["columns"]["unit_price"], "price");
}

#[test]
fn products_and_customers_have_suggestions_too() {
    let products = b"Artikelnummer;Bezeichnung;EAN;Preis\nA-1;K\xc3\xa4se;4001234567890;3,20\n";
    assert_eq!(suggested("products", products)["columns"]["gtin"], "EAN");
    let customers = "Kundennr.\tLand\tVorname\n7\tDE\tAnn\n".as_bytes();
    let mapping = suggested("customers", customers);
    assert_eq!(mapping["columns"], json!({ "key": "Kundennr.", "country": "Land" }));
    assert_eq!((&mapping["delimiter"], &mapping["personal"]), (&json!("\\t"), &json!(["Vorname"])));
}

#[test]
fn only_streams_whose_columns_can_be_named_have_a_mapping() {
    let manifest = csv();
    assert!(["orders", "products", "customers"].iter().all(|stream| has_mapping(&manifest, stream)));
    assert!(!has_mapping(&manifest, "payouts"));
}

#[test]
fn dates_are_recognised_by_how_they_are_written() {
    let format = |text: &str| Some(Dates::Format(text.to_owned()));
    assert_eq!(dates(&["1.3.2026", "13.12.2026"]), format("%d.%m.%Y"));
    assert_eq!(dates(&["03/13/2026 8:05", "01/02/2026 10:00"]), format("%m/%d/%Y %H:%M"));
    assert_eq!(dates(&["13/03/26"]), format("%d/%m/%y"));
    assert_eq!(dates(&["01/02/2026"]), Some(Dates::Ambiguous("%d/%m/%Y".to_owned())));
    assert_eq!(dates(&["2026-03-03"]), Some(Dates::Iso));
    assert_eq!(dates(&["2026-03-03T14:05:00Z"]), Some(Dates::Iso));
    assert_eq!(dates(&["2026-03-03 14:05:00"]), format("%Y-%m-%d %H:%M:%S"));
    for no_date in
        [&["1.234,50"][..], &["12"], &["yesterday"], &["1.3.2026", "2026-03-01"], &["1.234.567"], &[]]
    {
        assert_eq!(dates(no_date), None, "{no_date:?}");
    }
}

#[test]
fn numbers_speak_for_their_mark() {
    assert_eq!(decimal_mark(["1.234,50", "12", "7"].into_iter()), Mark::Comma);
    assert_eq!(decimal_mark(["1,234.50", "3.20"].into_iter()), Mark::Point);
    assert!(
        is_number("-1 234,5", Mark::Comma) && !is_number("12,50", Mark::Point) && !is_number("", Mark::Point)
    );
    assert!(is_personal("+49 89 1234567") && is_personal("a@b.example") && !is_personal("-1.234,50"));
}

#[test]
fn the_beginning_of_a_file_ends_with_a_whole_line() {
    let mut long = b"a;b\n".repeat(HEAD_BYTES / 4);
    long[HEAD_BYTES - 1] = b'x';
    assert_eq!(whole_lines(&long).len(), HEAD_BYTES - 4);
    assert_eq!(whole_lines(b"a;b\n1"), b"a;b\n1");
}

#[test]
fn odd_files_are_looked_at_without_harm() {
    for file in [&b""[..], b"\n\n", b"\xff\xfe\x00", b"one column\n1\n", b"\"open quote;a\n1;2\n", &[0; 300]]
    {
        let found = dialect(file);
        let head = read_head(file, found);
        let schema = part_schema(&csv(), "orders");
        suggest(Node::root(&schema).properties()[0].node, "orders", &head, found, "EUR");
    }
}
