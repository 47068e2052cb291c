//! Every page opens, with and without anything to show.

use portolan_connector::fake::record_of;
use portolan_db::entity::document;
use serde_json::json;

use crate::support::*;

#[track_caller]
fn assert_page(path: &str, answer: &crate::doors::Answer) {
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert!(answer.content_type.starts_with("text/html"), "{path}");
    assert!(answer.body.contains("</html>"), "{path}");
}

const PAGES: [&str; 8] = [
    "/pulse",
    "/pulse?range=all",
    "/connections",
    "/connections/new",
    "/connections/new/fake",
    "/syncs",
    "/orders",
    "/plugins",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_for_a_new_owner() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        for path in PAGES {
            assert_page(path, &shop.get(&session, path).await);
        }
        assert_page("/plugins/fake", &shop.get(&session, "/plugins/fake").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_opens_where_there_is_data() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let records = vec![
            record_of(&order("A", 2, 60)),
            record_of(&refund("R", "A", 1, 30)),
            json!({ "no": "document" }),
        ];
        shop.runtime.clone().records("orders", None, records);
        let connection = shop.connect().await;
        let sync = shop.sync(connection).await;
        assert_succeeded(&sync);
        let session = shop.session().await;
        for path in PAGES {
            assert_page(path, &shop.get(&session, path).await);
        }
        let documents = shop.rows::<document::Entity>().await;
        let sale = documents.iter().find(|document| document.entity == "order").expect("the order");
        for (path, says) in [
            (format!("/connections/{connection}"), "Harbour shop"),
            ("/connections".to_owned(), "Harbour shop"),
            ("/syncs".to_owned(), "Harbour shop"),
            (format!("/syncs/{}", sync.id), "record 3"),
            ("/orders".to_owned(), "#A"),
            (format!("/orders/{}", sale.id), "#A"),
        ] {
            let answer = shop.get(&session, &path).await;
            assert_page(&path, &answer);
            assert!(answer.body.contains(says), "{path} does not say {says:?}");
        }
        let connection_page = shop.get(&session, &format!("/connections/{connection}")).await;
        assert!(!connection_page.body.contains("open-sesame"), "a secret never comes out");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_about_nothing_says_so() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let id = Uuid::nil();
        for path in [
            format!("/connections/{id}"),
            format!("/syncs/{id}"),
            format!("/orders/{id}"),
            "/connections/new/nothing".to_owned(),
            "/plugins/nothing".to_owned(),
            "/nowhere".to_owned(),
        ] {
            let answer = shop.get(&session, &path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.body.contains("</html>"), "{path}");
        }
    })
    .await;
}
