//! Continuations.

use super::*;
use crate::Error;
use crate::http::get;
use crate::testing::{Answer, Host};

fn answered(answer: Answer) -> Response {
    Host::new().answer("GET /x", answer).run(|| get("/x").send()).expect("an answer")
}

fn more(token: &str) -> Continuation {
    Continuation::More(token.as_bytes().to_vec())
}

#[test]
fn the_link_header_names_the_next_page() {
    let header = r#"<https://a.example/x?page=1>; rel="prev", <https://a.example/x?page=3,4>; title="a, b"; rel="last next""#;
    let response = answered(Answer::json("{}").header("Link", header));
    assert_eq!(link(&response), more("https://a.example/x?page=3,4"));
    assert_eq!(link(&answered(Answer::json("{}"))), Continuation::Done);
    assert_eq!(link_target("<unclosed; rel=next", "next"), None);
    assert_eq!(link_target("<a>; rel=next", "next").as_deref(), Some("a"));
}

#[test]
fn a_cursor_in_the_body_ends_with_null_or_nothing() {
    let ends = [r#"{"meta": {"next": null}}"#, r#"{"meta": {"next": ""}}"#, r#"{"meta": {}}"#, "{}"];
    for body in ends {
        assert_eq!(cursor(&answered(Answer::json(body)), "/meta/next"), Ok(Continuation::Done), "{body}");
    }
    assert_eq!(
        cursor(&answered(Answer::json(r#"{"meta": {"next": "a/b"}}"#)), "/meta/next"),
        Ok(more("a/b"))
    );
    assert_eq!(cursor(&answered(Answer::json(r#"{"next": 17}"#)), "/next"), Ok(more("17")));
    assert!(matches!(cursor(&answered(Answer::json("not json")), "/next"), Err(Error::UpstreamBug(_))));
}

#[test]
fn offsets_end_with_a_short_page() {
    assert_eq!(offset(0, 100, 100), more("100"));
    assert_eq!(offset(100, 100, 7), Continuation::Done);
    assert_eq!(offset(100, 100, 0), Continuation::Done);
    assert_eq!(offset(0, 0, 0), Continuation::Done);
}

#[test]
fn graphql_page_info_needs_its_cursor() {
    let page = |info: &str| {
        graphql(
            &answered(Answer::json(format!(r#"{{"data": {{"orders": {{"pageInfo": {info}}}}}}}"#))),
            "/data/orders/pageInfo",
        )
    };
    assert_eq!(page(r#"{"hasNextPage": true, "endCursor": "c1"}"#), Ok(more("c1")));
    assert_eq!(page(r#"{"hasNextPage": false, "endCursor": "c1"}"#), Ok(Continuation::Done));
    assert!(page(r#"{"hasNextPage": true, "endCursor": null}"#).is_err());
    assert!(graphql(&answered(Answer::json(r#"{"errors": []}"#)), "/data/orders/pageInfo").is_err());
}
