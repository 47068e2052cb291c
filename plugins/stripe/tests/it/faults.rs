//! Each fault of the channel becomes the error whose case says what the host does about it.

use std::sync::Arc;

use portolan_plugin_stripe::Stripe;
use portolan_sandbox_stripe::{Fault, FaultKind, Options, Sandbox};
use portolan_sdk::testing::{Answer, Host, request};
use portolan_sdk::{AuthKind, Connector, Continuation, Error, Mode, Page, Payload, Result};
use serde_json::json;

use crate::support::{account, host, sync, whole, window};

const ACCOUNT: &str = "demo-kolkata";

fn first_page(fault: FaultKind) -> Result<Page> {
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    sandbox.inject(Fault::next(fault));
    host(&sandbox, ACCOUNT).fetch::<Stripe>(&request(&account(), &whole("charges"), None))
}

#[test]
fn too_many_requests_park_the_slice_for_as_long_as_asked() {
    let with = first_page(FaultKind::RateLimited { retry_after_s: Some(2) });
    assert!(matches!(with, Err(Error::RateLimited(retry)) if retry.after_ms == Some(2_000)));
    for fault in [FaultKind::RateLimited { retry_after_s: None }, FaultKind::Throttled] {
        assert!(matches!(first_page(fault), Err(Error::RateLimited(retry)) if retry.after_ms.is_none()));
    }
}

#[test]
fn refused_credentials_ask_for_a_person_and_name_the_permission() {
    assert!(
        matches!(first_page(FaultKind::InvalidToken), Err(Error::Auth(error)) if error.kind == AuthKind::Invalid)
    );
    let denied = first_page(FaultKind::AccessDenied { scope: None });
    assert!(
        matches!(denied, Err(Error::Auth(error)) if error.kind == AuthKind::MissingScope && error.missing == ["rak_charge_read"])
    );
    let expired = json!({ "error": { "code": "api_key_expired", "message": "Expired API Key provided" } });
    let host = Host::new().upstream(move |_| Answer::new(401, "application/json", expired.to_string()));
    let page = host.fetch::<Stripe>(&request(&account(), &whole("charges"), None));
    assert!(matches!(page, Err(Error::Auth(error)) if error.kind == AuthKind::Expired));
}

#[test]
fn what_may_pass_is_transient_and_what_is_broken_is_the_channels_bug() {
    assert!(matches!(first_page(FaultKind::ServerError { status: Some(502) }), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::Truncated), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::InternalError), Err(Error::Transient(_))));
    assert!(matches!(first_page(FaultKind::Html), Err(Error::UpstreamBug(_))));
    assert!(first_page(FaultKind::Slow { delay_ms: 10 }).is_ok());
    let answered = |status: u16, body: &str| {
        let body = body.to_owned();
        let host = Host::new().upstream(move |_| Answer::new(status, "application/json", body.clone()));
        host.fetch::<Stripe>(&request(&account(), &whole("charges"), None))
    };
    assert!(matches!(answered(404, "{}"), Err(Error::Unavailable(_))));
    assert!(matches!(answered(400, r#"{"error":{"message":"no"}}"#), Err(Error::UpstreamBug(_))));
    assert!(matches!(answered(200, "[]"), Err(Error::UpstreamBug(_))));
    let more = r#"{"object":"list","data":[],"has_more":true}"#;
    assert!(matches!(answered(200, more), Err(Error::UpstreamBug(_))), "an empty page with more behind it");
}

#[test]
fn a_repeated_cursor_fails_instead_of_reading_for_ever() {
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    sandbox.inject(Fault::next(FaultKind::RepeatedCursor));
    let synced = sync(&sandbox, ACCOUNT, &whole("balance_transactions"));
    assert!(matches!(synced.map(|_| ()), Err(Error::UpstreamBug(_))));
}

#[test]
fn a_cursor_that_was_deleted_restarts_the_slice() {
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    let host = host(&sandbox, ACCOUNT);
    let token = r#"{"after":"cus_gone","ended":false,"todo":[]}"#;
    let page = host.fetch::<Stripe>(&request(&account(), &whole("customers"), Some(token)));
    assert!(matches!(page, Err(Error::CursorExpired(_))), "{page:?}");
    let page = host.fetch::<Stripe>(&request(&account(), &whole("customers"), Some("not ours")));
    assert!(matches!(page, Err(Error::CursorExpired(_))));
}

#[test]
fn a_refused_expansion_costs_references_and_nothing_else() {
    let refusal = json!({ "error": { "message": "This property cannot be expanded (data.source.charge)." } });
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    let upstream = host(&sandbox, ACCOUNT);
    let until = sandbox.world.until;
    let slice = window("balance_transactions", Some(until - 86_400 * 60), Some(until), Mode::Backfill);
    let whole = upstream.sync::<Stripe>(&account(), &slice).expect("a run");
    // The deepest expansion is refused, by each page anew.
    let inner = host(&sandbox, ACCOUNT);
    let answer = Answer::new(400, "application/json", refusal.to_string());
    let refused = Host::new().upstream(move |call| {
        if call.url.contains("data.source.charge") {
            return answer.clone();
        }
        let response = inner.run(|| portolan_sdk::http::get(call.url.clone()).send()).expect("an answer");
        Answer::json(response.body().to_vec())
    });
    let run = refused.sync::<Stripe>(&account(), &slice).expect("a run");
    let nets = |run: &portolan_sdk::testing::Run| -> Vec<_> {
        run.output
            .balance_entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.net, entry.payment.clone()))
            .collect()
    };
    assert_eq!(nets(&run), nets(&whole));
    assert_eq!(refused.calls().len(), 2 * run.pages);
}

#[test]
fn after_a_fault_the_same_page_continues() {
    let sandbox = Arc::new(Sandbox::new(Options::tiny()));
    sandbox.inject(Fault { kind: FaultKind::ServerError { status: None }, after: 1, count: 2 });
    let host = host(&sandbox, ACCOUNT);
    let (connection, slice) = (account(), whole("payouts"));
    let mut request = request(&connection, &slice, None);
    let (mut failures, mut seen) = (0, 0_usize);
    loop {
        match host.fetch::<Stripe>(&request) {
            Err(Error::Transient(_)) => failures += 1,
            Err(error) => panic!("{error:?}"),
            Ok(page) => {
                for chunk in &page.chunks {
                    let Payload::Inline(body) = &chunk.payload else { panic!("inline") };
                    let body = serde_json::from_slice::<serde_json::Value>(body).expect("JSON");
                    seen += body["data"].as_array().map_or(0, Vec::len);
                }
                match page.next {
                    Continuation::More(token) => request.token = Some(token),
                    _ => break,
                }
            }
        }
    }
    let world = sandbox.world.account(ACCOUNT).expect("an account");
    let entries: usize = world.payouts.iter().map(|payout| payout.entries.len()).sum();
    assert_eq!((failures, seen), (2, world.payouts.len() + entries));
}

#[test]
fn a_key_that_may_not_read_the_account_is_still_good() {
    let denied = json!({ "error": { "message": "Having the 'rak_accounts_kyc_basic_read' permission would allow this" } });
    let host = Host::new()
        .answer(
            "GET /v1/balance_transactions",
            Answer::json(r#"{"object":"list","data":[],"has_more":false}"#),
        )
        .answer("GET /v1/account", Answer::new(403, "application/json", denied.to_string()));
    let report = host.run(|| Stripe::check(&account())).expect("a report");
    assert_eq!((report.display_name.as_str(), report.notes.len()), ("Stripe", 1));
}
