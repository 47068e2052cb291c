//! Lists are read page by page, forth and back, and nothing is shown twice or left out.

use axum::http::header;
use serde_json::Value;

use crate::support::*;

/// One page: the ids on it, the cursors beside it, and its links.
struct Listed {
    ids: Vec<String>,
    previous: Option<String>,
    next: Option<String>,
    has_more: bool,
    link: String,
}

async fn list(shop: &TestApp, session: &str, address: &str) -> Listed {
    let answer = shop.get(session, address).await;
    assert_eq!(answer.status, 200, "{address}: {}", answer.body);
    let page: Value = serde_json::from_str(&answer.body).expect("json");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let link = answer.headers.get(header::LINK).and_then(|link| link.to_str().ok()).unwrap_or_default();
    Listed {
        ids: page["data"].as_array().expect("items").iter().filter_map(|item| text(&item["id"])).collect(),
        previous: text(&page["page"]["prev_cursor"]),
        next: text(&page["page"]["next_cursor"]),
        has_more: page["page"]["has_more"] == true,
        link: link.to_owned(),
    }
}

/// The address that a link of this relation names.
fn linked<'l>(link: &'l str, relation: &str) -> Option<&'l str> {
    let wanted = format!("rel=\"{relation}\"");
    let found = link.split(", ").find(|link| link.ends_with(&wanted))?;
    found.strip_prefix('<')?.split_once('>').map(|(address, _)| address)
}

/// Reads a list of five forth and back again, two at a time.
async fn walk(shop: &TestApp, session: &str, address: &str) {
    let all = list(shop, session, address).await;
    assert_eq!((all.ids.len(), all.next, all.previous, all.link.as_str()), (5, None, None, ""));
    let joint = if address.contains('?') { '&' } else { '?' };
    let first = list(shop, session, &format!("{address}{joint}limit=2")).await;
    assert_eq!((&first.ids[..], first.previous, first.has_more), (&all.ids[..2], None, true));

    let second = list(shop, session, linked(&first.link, "next").expect("a link")).await;
    assert_eq!(second.ids, all.ids[2..4]);
    let next = second.next.expect("a next page");
    let third = list(shop, session, &format!("{address}{joint}limit=2&cursor={next}")).await;
    assert_eq!((&third.ids[..], &third.next, third.has_more), (&all.ids[4..], &None, false));
    assert_eq!(linked(&third.link, "next"), None);

    let back = list(shop, session, linked(&third.link, "prev").expect("a link")).await;
    assert_eq!(back.ids, all.ids[2..4]);
    assert!(back.has_more, "whoever came back from a page can go there again");
    let previous = back.previous.expect("a page before");
    let begin = list(shop, session, &format!("{address}{joint}limit=2&cursor={previous}")).await;
    assert_eq!((&begin.ids[..], begin.previous), (&all.ids[..2], None));
    let again = begin.next.expect("a next page");
    let again = list(shop, session, &format!("{address}{joint}limit=2&cursor={again}")).await;
    assert_eq!(again.ids, all.ids[2..4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_forth_and_back() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        // All placed at one moment: their ids decide.
        let orders = [
            order("A", 1, 60),
            order("B", 1, 60),
            order("C", 1, 120),
            order("D", 1, 120),
            order("E", 1, 180),
        ];
        shop.runtime.clone().page("orders", &orders);
        let connection = shop.connect().await;
        for _ in 0..5 {
            assert_succeeded(&shop.sync(connection).await);
        }
        let session = shop.session().await;
        for address in ["/api/v1/orders", "/api/v1/orders?q=&state=open", "/api/v1/syncs"] {
            walk(&shop, &session, address).await;
        }
        // The page of the list goes back as well.
        let first = list(&shop, &session, "/api/v1/syncs?limit=2").await;
        assert_eq!(first.ids.len(), 2);
        let page = shop.get(&session, "/orders").await.body;
        assert!(!page.contains(r#"rel="prev""#), "a first page has none before it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_read_forth_and_back() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        for number in 1..=5 {
            shop.connect_as(&format!("Shop {number}")).await;
        }
        walk(&shop, &shop.session().await, "/api/v1/connections").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_its_list_and_filters_alone() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60), order("B", 1, 60)]);
        let connection = shop.connect().await;
        assert_succeeded(&shop.sync(connection).await);
        let session = shop.session().await;
        let cursor = list(&shop, &session, "/api/v1/orders?limit=1").await.next.expect("a cursor");
        assert_eq!(list(&shop, &session, &format!("/api/v1/orders?cursor={cursor}")).await.ids.len(), 1);
        for address in
            ["/api/v1/orders?q=A&", "/api/v1/syncs?", &format!("/api/v1/orders?connection_id={connection}&")]
        {
            let answer = shop.get(&session, &format!("{address}cursor={cursor}")).await;
            assert_eq!(answer.status, 400, "{address}");
            assert_eq!(answer.problem()["errors"][0]["pointer"], "cursor");
        }
    })
    .await;
}
