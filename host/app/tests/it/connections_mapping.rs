//! Choosing the columns of a file before it is imported.

use portolan_app::connections::ops::{NewConnection, create_connection};
use portolan_app::connections::uploads::{NewUpload, take_file};
use portolan_connector::fake::chunk_of;
use portolan_connector::{Continuation, Fault, FieldError, Manifest, Page};
use portolan_core::ConnectionId;
use portolan_db::entity::{document, sync, upload};
use serde_json::{Value, json};

use crate::support::*;

const TILL: &str = "Kassenexport M\u{fc}nchen\r\nBeleg-Nr.;Datum;Menge;Einzelpreis;E-Mail\r\n1001;03.03.2026;2;1.234,50;a@b.example\r\n";

/// The box of the column "E-Mail".
const MAIL_BOX: &str = "_drop.452d4d61696c";

/// A mapping of that file, as its form sends it.
const MAPPED: [(&str, &str); 9] = [
    ("pasted", TILL),
    ("orders.columns.document_key", "Beleg-Nr."),
    ("orders.columns.placed_at", "Datum"),
    ("orders.currency", "EUR"),
    ("orders.decimal_mark", ","),
    ("orders.date_formats.#", "1"),
    ("orders.date_formats.0", "%d.%m.%Y"),
    ("orders.skip_lines", "1"),
    (MAIL_BOX, "true"),
];

/// A connection of the plugin for delimited files; what it reads is scripted, what it declares is its own.
async fn connect_files(shop: &TestApp) -> ConnectionId {
    connect_files_with(shop, json!({ "products": { "currency": "CHF" } })).await
}

async fn connect_files_with(shop: &TestApp, config: Value) -> ConnectionId {
    let manifest =
        Manifest::parse(include_bytes!("../../../../plugins/csv/plugin.json")).expect("a manifest");
    shop.runtime.clone().plugin(manifest);
    let new = NewConnection {
        plugin_id: "csv".to_owned(),
        label: "Till".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        day_cutover_minutes: 0,
        config,
        consent: true,
    };
    create_connection(&shop.app, shop.tenant, shop.who(), new).await.expect("a connection")
}

async fn give(shop: &TestApp, connection: ConnectionId) -> upload::Model {
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(TILL);
    let upload = NewUpload {
        stream: "orders".to_owned(),
        name: "till.csv".to_owned(),
        content_type: "text/csv".to_owned(),
        path: shop.file("till.csv", &bytes),
    };
    take_file(&shop.app, shop.tenant, shop.who(), connection, upload).await.expect("taken in")
}

fn answers_with_one_order(shop: &TestApp) {
    shop.runtime.clone().on_fetch(|_| {
        let record = portolan_connector::fake::record_of(&order("1001", 3, 60));
        let chunk = chunk_of("orders", &[record, json!({ "no": "document" })]);
        Some(Ok(Page::new(vec![chunk], Continuation::Done)))
    });
}

async fn stored_config(shop: &TestApp, id: ConnectionId) -> Value {
    serde_json::from_str(&shop.connection_row(id).await.config).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_file_is_looked_at_mapped_and_not_imported_by_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        answers_with_one_order(&shop);
        let id = connect_files(&shop).await;
        let upload = give(&shop, id).await;
        let session = shop.session().await;
        let connection_page = shop.get(&session, &format!("/connections/{id}")).await;
        assert!(connection_page.body.contains(&format!("/mapping/orders?file={}", upload.id)));

        let here = format!("/connections/{id}/mapping/orders");
        let page = shop.get(&session, &here).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for told in ["windows-1252", "semicolon", "line 2", "1.234,50", "30.00", "row 2", "value=\"%d.%m.%Y\""] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        assert!(page.body.contains("<option value=\"Beleg-Nr.\" selected>"), "the key is suggested");
        assert_eq!(shop.rows::<document::Entity>().await, [], "looking imports nothing");
        let looked_at = shop.app.data_dir.join("uploads/incoming");
        assert_eq!(std::fs::read_dir(looked_at).expect("a folder").count(), 0, "the beginning is gone");

        let revision = portolan_app::connections::change::revision(&shop.connection_row(id).await);
        let file = upload.id.to_string();
        let fields = [
            ("revision", revision.as_str()),
            ("file", file.as_str()),
            ("then", "save"),
            ("orders.columns.document_key", "Beleg-Nr."),
            ("orders.columns.placed_at", "Datum"),
            ("orders.columns.quantity", "Menge"),
            ("orders.columns.unit_price", "Einzelpreis"),
            ("orders.currency", "EUR"),
            ("orders.decimal_mark", ","),
            ("orders.date_formats.#", "1"),
            ("orders.date_formats.0", "%d.%m.%Y"),
            ("orders.encoding", "windows-1252"),
            ("orders.delimiter", ";"),
            ("orders.skip_lines", "1"),
            (MAIL_BOX, "true"),
        ];
        let saved = shop.post_form(&session, &here, &fields).await;
        assert_eq!(saved.location, Some(format!("/connections/{id}?done=mapping-saved")), "{}", saved.body);
        let expected = json!({
            "orders": {
                "columns": { "document_key": "Beleg-Nr.", "placed_at": "Datum", "quantity": "Menge", "unit_price": "Einzelpreis" },
                "currency": "EUR", "decimal_mark": ",", "date_formats": ["%d.%m.%Y"], "personal": ["E-Mail"],
                "encoding": "windows-1252", "delimiter": ";", "skip_lines": 1
            },
            "products": { "currency": "CHF" }
        });
        assert_eq!(stored_config(&shop, id).await, expected, "other parts of the settings stay");
        assert_eq!(shop.rows::<sync::Entity>().await, [], "nothing is imported before somebody says so");

        let mut importing = fields;
        importing[2].1 = "import";
        let revision = portolan_app::connections::change::revision(&shop.connection_row(id).await);
        importing[0].1 = &revision;
        let started = shop.post_form(&session, &here, &importing).await;
        assert!(started.location.is_some_and(|place| place.starts_with("/syncs/")));
        shop.work().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plugin_refuses_stands_beside_its_field_and_nothing_typed_is_lost() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|_| {
            let field = FieldError {
                path: "orders.columns".to_owned(),
                message: "the file has no column Preis".to_owned(),
            };
            Some(Err(Fault::InvalidConfig { fields: vec![field] }))
        });
        let id = connect_files(&shop).await;
        let session = shop.session().await;
        let here = format!("/connections/{id}/mapping/orders");
        let pasted = shop.post_form(&session, &here, &[("pasted", TILL), ("then", "suggest")]).await;
        assert_eq!(pasted.status, 200);
        assert!(pasted.body.contains("the file has no column Preis") && pasted.body.contains("Kassenexport"));

        let fields = [
            ("pasted", TILL),
            ("then", "look"),
            ("orders.columns.document_key", "Beleg-Nr."),
            ("orders.columns.unit_price", "Preis"),
            ("orders.columns.placed_at", ""),
        ];
        let looked = shop.post_form(&session, &here, &fields).await;
        assert!(looked.body.contains("Preis (not in this file)") && looked.body.contains("is required"));
        let saved = shop.post_form(&session, &here, &[fields.as_slice(), &[("then", "save")]].concat()).await;
        assert_eq!(saved.status, 422, "{}", saved.body);
        assert_eq!(stored_config(&shop, id).await, json!({ "products": { "currency": "CHF" } }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_streams_with_columns_have_this_page() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = connect_files(&shop).await;
        let other = shop.connect().await;
        let session = shop.session().await;
        let empty = shop.get(&session, &format!("/connections/{id}/mapping/products")).await;
        assert!(empty.status.is_success() && empty.body.contains("Or paste its first lines"));
        for path in
            [format!("/connections/{id}/mapping/payouts"), format!("/connections/{other}/mapping/sheets")]
        {
            assert_eq!(shop.get(&session, &path).await.status, 404, "{path}");
        }
        let nothing =
            shop.post_form(&session, &format!("/connections/{id}/mapping/orders"), &[("then", "look")]).await;
        assert_eq!(nothing.status, 422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_saved_meanwhile_is_not_overwritten() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let id = connect_files(&shop).await;
        let session = shop.session().await;
        let here = format!("/connections/{id}/mapping/orders");
        let opened = portolan_app::connections::change::revision(&shop.connection_row(id).await);
        let revision = [("revision", opened.as_str()), ("orders.delimiter", ";")];
        let with = |last: (&'static str, &'static str)| [MAPPED.as_slice(), &revision, &[last]].concat();
        let other = shop.post_form(&session, &here, &with(("then", "save"))).await;
        assert_eq!(other.location, Some(format!("/connections/{id}?done=mapping-saved")), "{}", other.body);
        let saved = stored_config(&shop, id).await;

        let shows_it = format!("name=\"revision\" value=\"{opened}\"");
        let added = shop.post_form(&session, &here, &with(("_list", "add:orders.date_formats"))).await;
        assert!(added.status == 200 && added.body.contains(&shows_it), "{}", added.body);
        let mut mine = with(("then", "save"));
        mine.retain(|(name, _)| *name != "orders.decimal_mark");
        mine.push(("orders.decimal_mark", "."));
        for _ in 0..2 {
            let refused = shop.post_form(&session, &here, &mine).await;
            assert!(refused.status == 409 && refused.body.contains(&shows_it), "{}", refused.body);
        }
        assert_eq!(stored_config(&shop, id).await, saved);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_columns_stay_personal_whatever_this_file_looks_like() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let personal = json!(["Telefon", "Menge"]);
        let columns = json!({ "document_key": "Beleg-Nr.", "placed_at": "Datum" });
        let stored = json!({ "orders": { "columns": columns, "currency": "EUR", "personal": personal } });
        let id = connect_files_with(&shop, stored).await;
        let session = shop.session().await;
        let here = format!("/connections/{id}/mapping/orders");
        let pasted = shop.post_form(&session, &here, &[("pasted", TILL), ("then", "suggest")]).await;
        assert!(pasted.body.contains("no such column: Telefon."), "{}", pasted.body);

        // Read with the wrong delimiter, the file has one column: the box is still the mail's.
        let mut revision = portolan_app::connections::change::revision(&shop.connection_row(id).await);
        let expected = [(",", json!(["E-Mail", "Telefon", "Menge"])), (";", json!(["E-Mail", "Telefon"]))];
        for (delimiter, personal) in expected {
            let last = [("revision", revision.as_str()), ("orders.delimiter", delimiter)];
            let looked = [MAPPED.as_slice(), &last, &[("_list", "add:orders.date_formats")]].concat();
            let looked = shop.post_form(&session, &here, &looked).await;
            assert!(looked.body.contains(&format!("name=\"{MAIL_BOX}\" value=\"true\" checked")));
            let fields = [MAPPED.as_slice(), &last, &[("then", "save")]].concat();
            let saved = shop.post_form(&session, &here, &fields).await;
            assert!(saved.location.is_some(), "{}", saved.body);
            assert_eq!(stored_config(&shop, id).await["orders"]["personal"], personal);
            revision = portolan_app::connections::change::revision(&shop.connection_row(id).await);
        }
    })
    .await;
}
