//! Each fault does what its name says, when it is due, and no longer.

use portolan_sandbox_shopify::{Fault, FaultKind, Options, Sandbox, ThrottlePlan};
use serde_json::{Value, json};

use crate::{ask, value};

const SHOP: &str = "demo-kolkata";
const QUERY: &str = "query($after: String) { orders(first: 5, after: $after, sortKey: UPDATED_AT) {
    nodes { id } pageInfo { hasNextPage endCursor } } }";

fn after(fault: FaultKind) -> portolan_sandbox_shopify::Reply {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault::next(fault));
    let reply = ask(&sandbox, SHOP, QUERY, json!({}));
    assert_eq!(ask(&sandbox, SHOP, QUERY, json!({})).status, 200, "the fault is over");
    reply
}

#[test]
fn rate_limits_come_with_and_without_a_waiting_time() {
    let with = after(FaultKind::RateLimited { retry_after_s: Some(2) });
    assert_eq!(with.status, 429);
    assert!(with.headers.contains(&("retry-after", "2.0".to_owned())));
    let without = after(FaultKind::RateLimited { retry_after_s: None });
    assert_eq!(without.status, 429);
    assert!(without.headers.iter().all(|(name, _)| *name != "retry-after"));
}

#[test]
fn throttling_is_a_success_with_an_error_inside() {
    let reply = after(FaultKind::Throttled);
    assert_eq!(reply.status, 200);
    let answer = value(&reply);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "THROTTLED");
    assert!(answer["extensions"]["cost"]["throttleStatus"]["restoreRate"].is_u64());
    assert!(answer.get("data").is_none());
}

#[test]
fn broken_answers_are_broken_as_asked() {
    assert_eq!(after(FaultKind::ServerError { status: Some(502) }).status, 502);
    assert_eq!(after(FaultKind::InvalidToken).status, 401);
    let html = after(FaultKind::Html);
    assert!(html.status == 200 && html.body.starts_with(b"<!DOCTYPE html>"));
    let truncated = after(FaultKind::Truncated);
    assert_eq!(truncated.status, 200);
    assert!(serde_json::from_slice::<Value>(&truncated.body).is_err());
    assert_eq!(after(FaultKind::Slow { delay_ms: 300 }).delay_ms, 300);
    let denied = value(&after(FaultKind::AccessDenied { scope: None }));
    assert_eq!(denied["errors"][0]["extensions"]["code"], "ACCESS_DENIED");
}

#[test]
fn a_repeated_cursor_waits_for_a_request_that_has_one() {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault::next(FaultKind::RepeatedCursor));
    let first = value(&ask(&sandbox, SHOP, QUERY, json!({})));
    let cursor = first["data"]["orders"]["pageInfo"]["endCursor"].clone();
    let second = value(&ask(&sandbox, SHOP, QUERY, json!({ "after": cursor })));
    assert_eq!(second["data"]["orders"]["pageInfo"]["endCursor"], cursor);
    let third = value(&ask(&sandbox, SHOP, QUERY, json!({ "after": cursor })));
    assert_ne!(third["data"]["orders"]["pageInfo"]["endCursor"], cursor);
}

#[test]
fn faults_wait_and_repeat_as_asked() {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault { kind: FaultKind::ServerError { status: None }, after: 2, count: 2 });
    let statuses = [(); 6].map(|()| ask(&sandbox, SHOP, QUERY, json!({})).status);
    assert_eq!(statuses, [200, 200, 500, 500, 200, 200]);
    sandbox.inject(Fault { kind: FaultKind::Html, after: 0, count: 9 });
    sandbox.clear_faults();
    assert!(value(&ask(&sandbox, SHOP, QUERY, json!({})))["data"]["orders"]["nodes"][4].is_object());
}

#[test]
fn a_header_misbehaves_for_its_own_request() {
    let sandbox = Sandbox::new(Options::tiny());
    let body = json!({ "query": QUERY }).to_string();
    let header = |text| sandbox.answer(None, Some(crate::TOKEN), Some(text), body.as_bytes());
    assert_eq!(header("html").headers[0].1, "text/html; charset=utf-8");
    assert_eq!(header(r#"{"kind":"server_error","status":503}"#).status, 503);
    assert_eq!(ask(&sandbox, SHOP, QUERY, json!({})).status, 200);
}

#[test]
fn an_empty_bucket_throttles_and_the_answer_says_how_full_it_is() {
    let throttle = ThrottlePlan { maximum_available: 20, restore_rate: 1 };
    let sandbox = Sandbox::new(Options { throttle, ..Options::tiny() });
    let answers = [(); 5].map(|()| value(&ask(&sandbox, SHOP, QUERY, json!({}))));
    let left = answers[0]["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"].as_u64();
    assert_eq!(left, Some(15), "a page of five costs five");
    assert_eq!(answers[4]["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(answers[4]["extensions"]["cost"]["throttleStatus"]["maximumAvailable"], 20);
}
