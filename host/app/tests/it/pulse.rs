//! Pulse over the API, and as it was reported on another day.

use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn pulse_answers_over_the_api_and_refuses_what_it_cannot_read() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let connection = shop.connect().await;
        let session = shop.session().await;
        let answer =
            shop.get(&session, "/api/v1/pulse?from=2026-05-01&until=2026-05-10&as_of=2026-05-12").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let pulse: Value = serde_json::from_str(&answer.body).expect("json");
        assert_eq!(
            (pulse["from"].as_str(), pulse["until"].as_str()),
            (Some("2026-05-01"), Some("2026-05-10"))
        );
        assert_eq!((&pulse["sales"], &pulse["money"]), (&json!([]), &json!([])));
        let asked =
            json!({ "metrics": ["orders"], "range": { "from": "2026-05-01", "until": "2026-05-11" } });
        let answer = shop.post_json(&session, "/api/v1/queries", &asked.to_string()).await;
        let table: Value = serde_json::from_str(&answer.body).expect("json");
        assert_eq!(table["as_of"], pulse["as_of"], "a moment is told like any other: {}", answer.body);
        for as_of in ["2026-05-12", "2026-05-12T08:00:00Z"] {
            let answer = shop.get(&session, &format!("/api/v1/pulse?range=last_7_days&as_of={as_of}")).await;
            let pulse: Value = serde_json::from_str(&answer.body).expect("json");
            assert_eq!(
                (pulse["from"].as_str(), pulse["until"].as_str()),
                (Some("2026-05-06"), Some("2026-05-12")),
                "of then"
            );
        }
        for (query, path) in [("as_of=then", "as_of"), ("from=never", "range"), ("range=some", "range")] {
            let refused = shop.get(&session, &format!("/api/v1/pulse?{query}")).await;
            assert_eq!(refused.status, 422, "{query}: {}", refused.body);
            assert_eq!(refused.problem()["errors"][0]["pointer"], path, "{}", refused.body);
        }
        let theirs = other.session().await;
        let path = format!("/api/v1/pulse?connection_id={connection}");
        assert_eq!(shop.get(&session, &path).await.status, 200);
        assert_eq!(other.get(&theirs, &path).await.status, 404, "not of this tenant");
        assert_eq!(shop.get("", "/api/v1/pulse").await.status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_day_says_so_and_leads_back() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.connect().await;
        let session = shop.session().await;
        let page = shop.get(&session, "/pulse?range=last_7_days&as_of=2026-05-12").await.body;
        for text in [
            "As reported on 12 May 2026",
            "recorded by the end of that day in UTC",
            "href=\"/pulse?range=last_7_days\"",
            "name=\"as_of\" value=\"2026-05-12\"",
            "No payment provider is connected",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
        let now = shop.get(&session, "/pulse?range=last_7_days").await.body;
        assert!(!now.contains("As reported on 12"), "{now}");
    })
    .await;
}
