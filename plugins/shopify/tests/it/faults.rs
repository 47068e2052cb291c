//! Each fault of the channel becomes the error whose case says what the host does about it.

use portolan_sandbox_shopify::{Fault, FaultKind, Options, Sandbox};
use portolan_sdk::testing::request;
use portolan_sdk::{Error, Page, Result};

use crate::support::{connection_to, fetch, sync, window};

const SHOP: &str = "demo-kolkata";

fn first_page(fault: FaultKind) -> Result<Page> {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault::next(fault));
    let slice = window("orders", None, None);
    fetch(&sandbox, SHOP, &request(&connection_to(SHOP), &slice, None)).page
}

#[test]
fn too_many_requests_park_the_slice_for_as_long_as_asked() {
    let with = first_page(FaultKind::RateLimited { retry_after_s: Some(2) });
    assert!(matches!(with, Err(Error::RateLimited(retry)) if retry.after_ms == Some(2_000)));
    let without = first_page(FaultKind::RateLimited { retry_after_s: None });
    assert!(matches!(without, Err(Error::RateLimited(retry)) if retry.after_ms.is_none()));
}

#[test]
fn throttling_is_a_rate_limit_with_a_computed_wait() {
    let error = first_page(FaultKind::Throttled);
    assert!(matches!(error, Err(Error::RateLimited(retry)) if retry.after_ms.is_some_and(|ms| ms >= 1_000)));
}

#[test]
fn refused_credentials_ask_for_a_person() {
    assert!(matches!(first_page(FaultKind::InvalidToken), Err(Error::Auth(_))));
    let denied = first_page(FaultKind::AccessDenied { scope: Some("read_all_orders".to_owned()) });
    assert!(matches!(denied, Err(Error::Auth(error)) if error.missing == ["read_all_orders"]));
}

#[test]
fn what_may_pass_is_transient_and_what_is_broken_is_the_channels_bug() {
    assert!(matches!(first_page(FaultKind::ServerError { status: Some(502) }), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::Truncated), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::InternalError), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::Html), Err(Error::UpstreamBug(_))));
    assert!(first_page(FaultKind::Slow { delay_ms: 10 }).is_ok());
}

#[test]
fn a_repeated_cursor_fails_instead_of_reading_for_ever() {
    let sandbox = Sandbox::new(Options::tiny());
    sandbox.inject(Fault::next(FaultKind::RepeatedCursor));
    let synced = sync(&sandbox, SHOP, &window("orders", None, None));
    assert!(matches!(synced.map(|_| ()), Err(Error::UpstreamBug(_))));
}

#[test]
fn after_a_fault_the_same_page_continues() {
    let sandbox = Sandbox::new(Options::tiny());
    let slice = window("orders", None, None);
    let connection = connection_to(SHOP);
    let mut request = request(&connection, &slice, None);
    let (mut failures, mut seen) = (0, 0_usize);
    sandbox.inject(Fault { kind: FaultKind::ServerError { status: None }, after: 1, count: 2 });
    loop {
        match fetch(&sandbox, SHOP, &request).page {
            Err(Error::Transient(_)) => failures += 1,
            Err(error) => panic!("{error:?}"),
            Ok(page) => {
                let portolan_sdk::Payload::Inline(body) = &page.chunks[0].payload else { panic!("inline") };
                let body = serde_json::from_slice::<serde_json::Value>(body).expect("JSON");
                seen += body["data"]["orders"]["nodes"].as_array().map_or(0, Vec::len);
                match page.next {
                    portolan_sdk::Continuation::More(token) => request.token = Some(token),
                    _ => break,
                }
            }
        }
    }
    assert_eq!((failures, seen), (2, sandbox.world.shops[0].order_count()));
}

#[test]
fn limits_are_told_to_the_host() {
    let sandbox = Sandbox::new(Options::tiny());
    let slice = window("orders", None, None);
    let fetched = fetch(&sandbox, SHOP, &request(&connection_to(SHOP), &slice, None));
    assert!(fetched.limits.iter().all(|(bucket, remaining, _)| bucket == "graphql" && *remaining > 0));
    assert_eq!(fetched.limits.len(), fetched.calls.len());
}
