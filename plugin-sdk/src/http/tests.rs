//! Answers and what they mean; requests and what they carry.

use super::*;
use crate::testing::{Answer, Host};

fn sent(answer: Answer) -> Result<Response> {
    Host::new().answer("GET /x", answer).run(|| get("/x").send())
}

#[test]
fn each_status_is_the_error_whose_case_says_what_to_do() {
    assert!(sent(Answer::status(200)).is_ok());
    assert!(matches!(sent(Answer::status(401)), Err(Error::Auth(AuthError { kind: AuthKind::Invalid, .. }))));
    assert!(matches!(
        sent(Answer::status(403)),
        Err(Error::Auth(AuthError { kind: AuthKind::MissingScope, .. }))
    ));
    assert!(matches!(sent(Answer::status(404)), Err(Error::Unavailable(_))));
    assert!(matches!(sent(Answer::status(429)), Err(Error::RateLimited(Retry { after_ms: None, .. }))));
    assert!(matches!(sent(Answer::status(500)), Err(Error::Transient(_))));
    assert!(matches!(
        sent(Answer::new(502, "text/html", "<html>Bad gateway</html>")),
        Err(Error::Transient(_))
    ));
    assert!(matches!(sent(Answer::status(302)), Err(Error::UpstreamBug(_))));
    assert!(
        matches!(sent(Answer::status(422)), Err(Error::Other(other)) if other.code == "http-422" && !other.retryable)
    );
    let expired = Answer::status(401)
        .header("WWW-Authenticate", r#"Bearer error="invalid_token", error_description="expired""#);
    assert!(matches!(sent(expired), Err(Error::Auth(AuthError { kind: AuthKind::Expired, .. }))));
}

#[test]
fn a_web_page_with_200_is_the_channels_bug() {
    for answer in [Answer::new(200, "text/html; charset=utf-8", "x"), Answer::json("  <!DOCTYPE html><p>")] {
        let answer = answer.header("X-Request-Id", "r-1");
        match sent(answer) {
            Err(Error::UpstreamBug(bug)) => {
                assert_eq!((bug.status, bug.request_id.as_deref()), (Some(200), Some("r-1")))
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let after = |header: &str| match sent(
        Answer::status(429).header("Retry-After", header).header("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ) {
        Err(Error::RateLimited(retry)) => retry.after_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(after("2"), Some(2_000));
    assert_eq!(after("2.5"), Some(2_500));
    assert_eq!(after("Thu, 01 Jan 2026 00:01:00 GMT"), Some(60_000));
    assert_eq!(after("soon"), None);
    assert_eq!(after("-1"), None);
}

#[test]
fn failures_without_an_answer_keep_their_meaning() {
    assert!(matches!(
        sent(Answer::failure(HttpError::Throttled(500))),
        Err(Error::RateLimited(Retry { after_ms: Some(500), .. }))
    ));
    assert!(matches!(sent(Answer::failure(HttpError::Timeout)), Err(Error::Transient(_))));
    assert!(matches!(sent(Answer::failure(HttpError::TooLarge(9))), Err(Error::UpstreamBug(_))));
    assert!(matches!(sent(Answer::failure(HttpError::Denied("x".to_owned()))), Err(Error::PluginBug(_))));
}

#[test]
fn query_parameters_are_encoded() {
    let request = get("/x").query("a b", "ü&=").query_if("none", None::<&str>).query("c", "1~-._");
    assert_eq!(request.url(), "/x?a%20b=%C3%BC%26%3D&c=1~-._");
}

#[test]
fn a_request_carries_what_it_was_given() {
    let host = Host::new().answer("POST /graphql", Answer::json("{}"));
    host.run(|| {
        graphql("/graphql", "{ shop { id } }", &serde_json::json!({"first": 1}))?.bucket("cost", 12).send()
    })
    .expect("an answer");
    let call = &host.calls()[0];
    assert_eq!((call.bucket.as_deref(), call.cost), (Some("cost"), 12));
    assert_eq!(call.text(), r#"{"query":"{ shop { id } }","variables":{"first":1}}"#);
    assert_eq!(call.headers, [("content-type".to_owned(), "application/json".to_owned())]);
}

#[test]
fn a_fan_out_answers_in_order() {
    let host = Host::new().answer("GET /1", Answer::json("1")).answer("GET /2", Answer::status(500));
    let answers = host.run(|| send_all(vec![get("/1"), get("/2"), get("/1")]));
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_download_is_handed_on_by_its_id() {
    let host = Host::new().answer("GET /bulk", Answer::new(200, "application/jsonl", "{}\n{}"));
    let chunk = host.run(|| get("/bulk").download("orders", "ndjson")).expect("a chunk");
    assert_eq!(chunk.payload, Payload::Staged(1));
    let refused = Host::new()
        .answer("GET /bulk", Answer::status(403))
        .run(|| get("/bulk").download("orders", "ndjson"));
    assert!(matches!(refused, Err(Error::Auth(_))));
}
