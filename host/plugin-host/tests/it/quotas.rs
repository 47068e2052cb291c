//! Rate budgets as a call meets them: nothing is sent for want of budget, and what the channel says counts.

use std::sync::Arc;

use portolan_connector::Fault;
use portolan_core::{Duration, ManualClock};

use crate::support::{Connection, NOW, Sandbox, behaving, options};
use crate::upstream::{Upstream, ok};

/// A sandbox whose time stands still.
async fn sandbox() -> (Sandbox, ManualClock) {
    let clock = ManualClock::at(NOW);
    let mut options = options();
    options.clock = Arc::new(clock.clone());
    (Sandbox::with(options).await, clock)
}

/// For how long the slice is to be parked.
async fn parked_ms(sandbox: &Sandbox, connection: Connection) -> u64 {
    match sandbox.fetch(connection).await {
        Err(Fault::RateLimited { after_ms: Some(after_ms), .. }) => after_ms,
        other => panic!("not parked: {other:?}"),
    }
}

#[tokio::test]
async fn an_empty_budget_parks_the_slice_before_anything_is_sent() {
    let (sandbox, clock) = sandbox().await;
    let upstream = Upstream::start(|_| ok("here")).await;
    let ask = |number| behaving("get-scarce", "/").numbered(number).at_sandbox(upstream.port);
    assert!(sandbox.fetch(ask(1)).await.is_ok());
    assert!(sandbox.fetch(ask(2)).await.is_ok(), "the cost is weighed: two of four");
    // A hundredth of a token each second. The guest calls it transient; the host knows better.
    for number in [1, 2] {
        assert_eq!(parked_ms(&sandbox, ask(number)).await, 200_000);
    }
    assert_eq!(upstream.heads().len(), 2);
    clock.advance(Duration::from_secs(200));
    assert!(sandbox.fetch(ask(2)).await.is_ok());
    assert_eq!(upstream.heads().len(), 3);
}

#[tokio::test]
async fn a_refusal_in_spite_of_the_budget_halves_it_and_is_waited_out() {
    let (sandbox, clock) = sandbox().await;
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_vec()
    })
    .await;
    let ask = || behaving("get-scarce", "/").at_sandbox(upstream.port);
    assert!(sandbox.fetch(ask()).await.is_ok(), "429 is an answer; what it means is the guest's part");
    // Nothing is left, and half as much flows in: two tokens, each two hundred seconds.
    assert_eq!(parked_ms(&sandbox, ask()).await, 400_000);
    assert_eq!(upstream.heads().len(), 1);
    clock.advance(Duration::from_hours(1));
    assert!(sandbox.fetch(ask()).await.is_ok());
}

#[tokio::test]
async fn headers_and_the_guest_tell_what_is_left() {
    let (sandbox, _clock) = sandbox().await;
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 200 OK\r\nratelimit-remaining: 0\r\nratelimit-reset: 45\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_vec()
    })
    .await;
    let ask = || behaving("get-scarce", "/").at_sandbox(upstream.port);
    assert!(sandbox.fetch(ask()).await.is_ok());
    assert_eq!(parked_ms(&sandbox, ask()).await, 200_000, "the header says none are left");
    assert!(sandbox.fetch(behaving("observe", "3 0").at_sandbox(upstream.port)).await.is_ok());
    assert_eq!(parked_ms(&sandbox, ask()).await, 45_000, "the guest says three are, but the reset stands");
}

#[tokio::test]
async fn what_the_guest_calls_rate_limited_shrinks_its_bucket() {
    let (sandbox, _clock) = sandbox().await;
    let upstream = Upstream::start(|_| ok("here")).await;
    assert_eq!(parked_ms(&sandbox, behaving("rate-limited", "7000").at_sandbox(upstream.port)).await, 7_000);
    assert_eq!(parked_ms(&sandbox, behaving("get-scarce", "/").at_sandbox(upstream.port)).await, 400_000);
    assert_eq!(upstream.heads(), Vec::<String>::new());
}
