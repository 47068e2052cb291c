//! What has been fetched, newest first; where gaps are; how fresh each stream is.

use portolan_connector::{Fault, Manifest};
use portolan_core::{Duration, Instant};
use portolan_db::entity::stream;
use serde_json::{Value, json};

use crate::support::*;

/// Orders of the last 120 days, in windows of 15.
fn manifest_with_history() -> Manifest {
    let mut text = serde_json::to_value(manifest()).expect("json");
    text["streams"][1]["retention_seconds"] = json!(120 * 86_400);
    text["streams"][1]["largest_window_seconds"] = json!(15 * 86_400);
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

fn refuse(detail: &str) -> Fault {
    Fault::PluginBug { detail: detail.to_owned() }
}

async fn coverage(shop: &TestApp, connection: portolan_core::ConnectionId) -> Value {
    let session = shop.session().await;
    let answer = shop.get(&session, &format!("/api/v1/connections/{connection}/coverage")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let streams: Value = serde_json::from_str(&answer.body).expect("json");
    let streams = streams.as_array().expect("streams");
    streams.iter().find(|stream| stream["stream"] == "orders").expect("orders").clone()
}

/// What the channel forgets while the test runs is left out.
fn states(stream: &Value) -> Vec<String> {
    let spans = stream["spans"].as_array().expect("spans");
    let states = spans.iter().map(|span| span["state"].as_str().unwrap_or_default().to_owned());
    states.filter(|state| state != "unavailable").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_thirty_days_are_in_before_older_history_is_asked_for() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let began = shop.app.clock.now();
        // Whatever is older than 60 days can't be fetched yet.
        shop.runtime.clone().plugin(manifest_with_history()).on_fetch(move |request| {
            let too_old = request.slice.since.is_some_and(|since| since < began - Duration::from_days(61));
            (request.slice.stream == "orders" && too_old).then(|| Err(refuse("not today")))
        });
        shop.runtime.clone().page_at("orders", Instant(began.0 - 86_400_000_000), &[order("A", 1, 60)]);
        let connection = shop.connect().await;
        assert_failed(&shop.sync(connection).await, "plugin_bug");
        assert_eq!(shop.net_minor(None).await, 1_000, "the newest days are usable");

        let fetched: Vec<_> =
            shop.runtime.fetches().into_iter().filter(|request| request.slice.stream == "orders").collect();
        let starts: Vec<Instant> = fetched.iter().filter_map(|request| request.slice.since).collect();
        assert_eq!(starts.len(), 8);
        assert!(starts.windows(2).all(|pair| pair[0] > pair[1]), "newest first: {starts:?}");
        let first_two = fetched[..2].iter().filter_map(|request| request.slice.since).min().expect("a start");
        assert!(first_two <= began - Duration::from_days(29), "the last 30 days come first");

        let orders = coverage(&shop, connection).await;
        assert_eq!(states(&orders), ["failed", "done"]);
        assert_eq!(orders["last_30_days_complete"], json!(true));
        assert_eq!((&orders["freshness_minutes"], &orders["watermark_at"]), (&json!(null), &json!(null)));
        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("The last 30 days are in.") && page.contains("part failed"), "{page}");

        shop.runtime.clone().on_fetch(|_| None);
        assert_succeeded(&shop.sync(connection).await);
        let orders = coverage(&shop, connection).await;
        assert_eq!(states(&orders), ["done"], "what failed and was fetched later is known");
        assert_eq!(orders["freshness_minutes"], json!(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ages_and_each_fetch_overlaps_the_last_as_its_manifest_says() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        assert_succeeded(&shop.sync(connection).await);
        let watermark = |streams: Vec<stream::Model>| {
            let orders = streams.into_iter().find(|stream| stream.name == "orders").expect("the stream");
            Instant(orders.watermark_at.expect("a watermark"))
        };
        let known = watermark(shop.rows::<stream::Entity>().await);
        shop.advance(Duration::from_hours(2));
        let orders = coverage(&shop, connection).await;
        let minutes = |name: &str| orders[name].as_i64().expect("minutes");
        assert_eq!((minutes("freshness_minutes"), minutes("watermark_lag_minutes")), (120, 120));
        assert_eq!(orders["lookback_seconds"], json!(60));
        assert_eq!(orders["complete_until"], json!(known.to_rfc3339()));

        assert_succeeded(&shop.sync(connection).await);
        let fetches = shop.runtime.fetches();
        let last = fetches.iter().rev().find(|request| request.slice.stream == "orders").expect("a fetch");
        assert_eq!(last.slice.since, Some(known - Duration::from_secs(60)));
        let orders = coverage(&shop, connection).await;
        assert_eq!(states(&orders), ["done"], "overlapping windows are one stretch");
        let other = TestApp::new(test, "other").await;
        let session = other.session().await;
        let path = format!("/api/v1/connections/{connection}/coverage");
        assert_eq!(other.get(&session, &path).await.status, 404);
    })
    .await;
}
