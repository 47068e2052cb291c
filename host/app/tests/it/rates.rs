//! Exchange rates come in by file and API, and a tenant chooses among them.

use axum::body::Body;
use axum::http::{Request, header};
use portolan_core::LocalDate;
use portolan_db::entity::{fx_rate, fx_rate_replaced};
use serde_json::{Value, json};

use crate::doors::Answer;
use crate::support::*;

async fn send(shop: &TestApp, session: &str, method: &str, path: &str, kind: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, session)
        .header(header::CONTENT_TYPE, kind)
        .header("sec-fetch-site", "same-origin");
    shop.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("json")
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_come_in_are_replaced_and_listed() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let session = shop.session().await;
        let path = "/api/v1/fx-rates";
        let csv = "Date,USD,JPY\n2026-06-02,1.0853,163.25\n2026-06-01,1.0842,N/A\n";
        let answer = send(&shop, &session, "POST", path, "text/csv", csv).await;
        assert_eq!(
            (answer.status.as_u16(), json_of(&answer)),
            (200, json!({ "stored": 3 })),
            "{}",
            answer.body
        );
        let body =
            json!({ "rates": [{ "day": "2026-06-02", "base": "EUR", "quote": "USD", "rate": "1.09" }] });
        let answer = send(&shop, &session, "POST", path, "application/json", &body.to_string()).await;
        assert_eq!(json_of(&answer), json!({ "stored": 1 }));

        let list = "/api/v1/fx-rates?base=EUR&quote=USD&from=2026-06-01&until=2026-06-02";
        let listed = json_of(&shop.get(&session, list).await);
        let rate = |day: &str, rate: &str| json!({ "day": day, "base": "EUR", "quote": "USD", "rate": rate });
        assert_eq!(
            listed["data"],
            json!([rate("2026-06-02", "1.090000000000"), rate("2026-06-01", "1.084200000000")])
        );
        let theirs = json_of(&other.get(&other.session().await, list).await);
        assert_eq!(theirs["data"], json!([]), "rates are a tenant's own");

        assert_eq!(shop.get(&session, "/rates").await.status, 200);
        // A currency that is no longer quoted keeps its last rate beside those of today.
        let old = "Date,HRK\n2022-12-30,7.5365\n2022-12-29,7.5358\n";
        assert_eq!(send(&shop, &session, "POST", path, "text/csv", old).await.status, 200);
        let page = shop.get(&session, "/rates").await;
        for text in ["1 EUR in JPY", "163.25", "2 days since 2026-06-01", "1 EUR in HRK", "7.5365"] {
            assert!(page.body.contains(text), "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_another_one_replaces_is_kept_and_one_said_again_stays_as_old_as_it_is() {
    on_both(migrate, async |test| {
        let (shop, other) = (TestApp::new(test, "shop").await, TestApp::new(test, "other").await);
        let mut said_at = Vec::new();
        for (shop, csv) in [
            (&other, "Date,USD\n2026-06-02,1.5\n"),
            (&shop, "Date,USD,JPY\n2026-06-02,1.08,163\n2026-06-01,1.07,162\n"),
            (&shop, "Date,USD,JPY\n2026-06-02,1.08,164\n2026-06-01,1.07,162\n"),
            (&shop, "Date,USD,JPY\n2026-06-03,1.06,161\n2026-06-02,1.08,165\n2026-06-01,1.07,162\n"),
        ] {
            let session = shop.session().await;
            let answer = send(shop, &session, "POST", "/api/v1/fx-rates", "text/csv", csv).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let newest = shop.rows::<fx_rate::Entity>().await.iter().map(|rate| rate.said_at).max();
            said_at.push(newest.expect("a rate"));
        }
        let (first, second, third) = (said_at[1], said_at[2], said_at[3]);
        assert!(first < second && second < third);
        let short = |rate: &str| rate.trim_end_matches('0').trim_end_matches('.').to_owned();
        let mut present: Vec<_> = shop
            .rows::<fx_rate::Entity>()
            .await
            .into_iter()
            .map(|rate| (rate.quote, LocalDate(rate.day).to_string(), short(&rate.rate), rate.said_at))
            .collect();
        present.sort();
        let rate = |quote: &str, day: &str, rate: &str, said_at: i64| {
            (quote.to_owned(), day.to_owned(), rate.to_owned(), said_at)
        };
        assert_eq!(
            present,
            [
                rate("JPY", "2026-06-01", "162", first),
                rate("JPY", "2026-06-02", "165", third),
                rate("JPY", "2026-06-03", "161", third),
                rate("USD", "2026-06-01", "1.07", first),
                rate("USD", "2026-06-02", "1.08", first),
                rate("USD", "2026-06-03", "1.06", third),
            ]
        );
        let mut replaced: Vec<_> = shop
            .rows::<fx_rate_replaced::Entity>()
            .await
            .into_iter()
            .map(|rate| (rate.quote, LocalDate(rate.day).to_string(), short(&rate.rate), rate.said_at))
            .collect();
        replaced.sort();
        assert_eq!(
            replaced,
            [rate("JPY", "2026-06-02", "163", first), rate("JPY", "2026-06-02", "164", second)]
        );
        assert_eq!(other.rows::<fx_rate_replaced::Entity>().await, [], "rates are a tenant's own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_an_error_is_not_taken_in_at_all() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let bad = "date,base,quote,rate\n2026-06-01,EUR,USD,1.08\n2026-06-02,EUR,USD,none\n";
        let answer = send(&shop, &session, "POST", "/api/v1/fx-rates", "text/csv", bad).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.problem()["errors"][0]["pointer"], "file/line/3");
        for body in [
            json!({}),
            json!({ "rates": [{ "day": "soon", "base": "EUR", "quote": "USD", "rate": "1" }] }),
            json!({ "rates": [{ "day": "2026-06-01", "base": "EUR", "quote": "EUR", "rate": "1" }] }),
            json!({ "rates": [{ "day": "2026-06-01", "base": "EUR", "quote": "USD", "rate": "-1" }] }),
        ] {
            let answer = send(&shop, &session, "POST", "/api/v1/fx-rates", "application/json", &body.to_string()).await;
            assert!(answer.status.is_client_error(), "{body}: {}", answer.status);
            answer.problem();
        }
        let form = format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"r.csv\"\r\n\r\n{bad}\r\n--b--\r\n");
        let page = send(&shop, &session, "POST", "/rates/import", "multipart/form-data; boundary=b", &form).await;
        assert!(page.status == 422 && page.body.contains("Line 3"), "{} {}", page.status, page.body);
        assert_eq!(shop.rows::<fx_rate::Entity>().await, []);
        let good = form.replace("none", "1.09");
        let page = send(&shop, &session, "POST", "/rates/import", "multipart/form-data; boundary=b", &good).await;
        assert_eq!((page.status.as_u16(), page.location.as_deref()), (303, Some("/rates?done=rates-stored")));
        assert_eq!(shop.rows::<fx_rate::Entity>().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_chooses_by_which_rates_it_converts() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let session = shop.session().await;
        let policy = async || json_of(&shop.get(&session, "/api/v1/fx-policy").await);
        assert_eq!(policy().await, json!({ "reporting_currency": "EUR", "policy": "event_date" }));
        let set = async |name: &str| {
            let body = json!({ "policy": name }).to_string();
            send(&shop, &session, "PUT", "/api/v1/fx-policy", "application/json", &body).await
        };
        assert_eq!(set("month_average").await.status, 204);
        assert_eq!(policy().await["policy"], "month_average");
        assert_eq!(set("lucky").await.status, 422);
        assert_eq!(policy().await["policy"], "month_average");
    })
    .await;
}
