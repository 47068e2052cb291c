//! Paging, windows, refusals, moments.

use std::collections::BTreeSet;

use portolan_sandbox_stripe::{Fault, FaultKind, Options, Question, Sandbox};

use crate::{ask, everything};

const ACCOUNT: &str = "demo-kolkata";

const LISTS: [&str; 8] = [
    "/v1/balance_transactions",
    "/v1/charges",
    "/v1/refunds",
    "/v1/disputes",
    "/v1/payouts",
    "/v1/payment_intents",
    "/v1/customers",
    "/v1/products",
];

#[test]
fn paging_serves_every_object_once_newest_first() {
    let sandbox = Sandbox::new(Options::tiny());
    for path in LISTS {
        for query in ["limit=7", "limit=100"] {
            let all = everything(&sandbox, ACCOUNT, path, query);
            let ids = all.iter().map(|one| one["id"].to_string()).collect::<BTreeSet<_>>();
            assert!(!all.is_empty() || path == "/v1/disputes", "{path}");
            assert_eq!(ids.len(), all.len(), "{path}");
            assert!(all.iter().rev().is_sorted_by_key(|one| one["created"].as_i64()), "{path}");
        }
    }
}

#[test]
fn windows_that_meet_share_nothing_and_miss_nothing() {
    let sandbox = Sandbox::new(Options::tiny());
    let until = sandbox.world.until;
    let mut parts = 0;
    for step in 0..25 {
        let (since, until) = (until - 86_400 * 32 * (step + 1), until - 86_400 * 32 * step);
        let query = format!("limit=100&created[gte]={since}&created%5Blt%5D={until}");
        parts += everything(&sandbox, ACCOUNT, "/v1/balance_transactions", &query).len();
    }
    assert_eq!(parts, sandbox.world.accounts[0].entries.len());
}

#[test]
fn what_is_not_served_is_refused() {
    let sandbox = Sandbox::new(Options::tiny());
    let refused = |path: &str, query: &str| {
        let (status, answer) = ask(&sandbox, ACCOUNT, path, query);
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused("/v1/charges", "page=2"), (400, "parameter_unknown".to_owned()));
    assert_eq!(refused("/v1/charges", "limit=500").0, 400);
    assert_eq!(refused("/v1/charges", "expand[]=data.person").1, "property_not_expandable");
    assert_eq!(refused("/v1/charges", "starting_after=ch_none"), (400, "resource_missing".to_owned()));
    assert_eq!(refused("/v1/charges/ch_none", ""), (404, "resource_missing".to_owned()));
    assert_eq!(refused("/v1/people", "").0, 404);
    let path = "/v1/charges";
    assert_eq!(sandbox.answer(Question { path, ..Question::default() }).status, 401);
    let question = Question {
        authorization: Some(crate::KEY),
        version: Some("2014-01-31"),
        path,
        ..Question::default()
    };
    assert_eq!(sandbox.answer(question).status, 400);
}

#[test]
fn an_earlier_moment_shows_what_had_happened_by_then() {
    let sandbox = Sandbox::new(Options::tiny());
    let until = sandbox.world.until;
    let late = until - 86_400 * 200;
    sandbox.show_at(late);
    let then = everything(&sandbox, ACCOUNT, "/v1/charges", "limit=100");
    assert!(then.iter().all(|charge| charge["created"].as_i64() <= Some(late)));
    let given: i64 = then.iter().filter_map(|charge| charge["amount_refunded"].as_i64()).sum();
    sandbox.show_at(until);
    let now = everything(&sandbox, ACCOUNT, "/v1/charges", "limit=100");
    let ids = then.iter().map(|charge| &charge["id"]).collect::<Vec<_>>();
    let later: i64 = now
        .iter()
        .filter(|charge| ids.contains(&&charge["id"]))
        .filter_map(|charge| charge["amount_refunded"].as_i64())
        .sum();
    assert!(now.len() > then.len() && later >= given);
    let events = everything(&sandbox, ACCOUNT, "/v1/events", "limit=100");
    assert!(
        events.iter().all(|event| event["created"].as_i64() > Some(until - 30 * 86_400)),
        "older ones are forgotten"
    );
    assert!(events.iter().any(|event| event["type"] == "charge.succeeded"));
}

#[test]
fn faults_speak_as_stripe_does() {
    let sandbox = Sandbox::new(Options::tiny());
    let next = |kind: FaultKind| {
        sandbox.inject(Fault::next(kind));
        let path = "/v1/charges";
        sandbox.answer(Question { authorization: Some(crate::KEY), path, ..Question::default() })
    };
    let limited = next(FaultKind::RateLimited { retry_after_s: Some(2) });
    assert!(limited.status == 429 && limited.headers.contains(&("retry-after", "2.0".to_owned())));
    assert!(next(FaultKind::Throttled).headers.iter().all(|(name, _)| *name != "retry-after"));
    let denied = next(FaultKind::AccessDenied { scope: None });
    assert!(denied.status == 403 && String::from_utf8_lossy(&denied.body).contains("'rak_charge_read'"));
    assert_eq!(next(FaultKind::InternalError).status, 500);
    assert!(next(FaultKind::Html).body.starts_with(b"<!DOCTYPE html>"));
    assert!(serde_json::from_slice::<serde_json::Value>(&next(FaultKind::Truncated).body).is_err());
    sandbox.inject(Fault::next(FaultKind::RepeatedCursor));
    let (_, first) = ask(&sandbox, ACCOUNT, "/v1/charges", "limit=3");
    let cursor = first["data"][2]["id"].as_str().expect("an id");
    let (_, second) = ask(&sandbox, ACCOUNT, "/v1/charges", &format!("limit=3&starting_after={cursor}"));
    assert_eq!((second["data"][2]["id"].as_str(), second["has_more"].as_bool()), (Some(cursor), Some(true)));
}
