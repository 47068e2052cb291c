//! Rate budgets as a call meets them: nothing is sent for want of budget, and what the channel says counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

#[tokio::test]
async fn a_date_in_retry_after_is_waited_for() {
    let (sandbox, _clock) = sandbox().await;
    // The answer's own date and the one it names, an hour later; the host's clock stands elsewhere.
    let upstream = Upstream::start(|_| {
        b"HTTP/1.1 429 Too Many Requests\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nretry-after: Thu, 01 Jan 2026 01:00:00 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_vec()
    })
    .await;
    let ask = || behaving("get-scarce", "/").at_sandbox(upstream.port);
    assert!(sandbox.fetch(ask()).await.is_ok(), "429 is an answer; what it means is the guest's part");
    assert_eq!(parked_ms(&sandbox, ask()).await, 3_600_000);
}

/// A channel that counts how many requests it serves at the same moment.
#[derive(Clone, Default)]
struct Crowd {
    here: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Crowd {
    async fn channel(&self, serving: std::time::Duration) -> u16 {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let crowd = self.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let crowd = crowd.clone();
                tokio::spawn(async move {
                    let mut head = [0; 4_096];
                    let _ = stream.read(&mut head).await;
                    let here = crowd.here.fetch_add(1, Ordering::SeqCst) + 1;
                    crowd.most.fetch_max(here, Ordering::SeqCst);
                    tokio::time::sleep(serving).await;
                    crowd.here.fetch_sub(1, Ordering::SeqCst);
                    let _ = stream.write_all(&ok("here")).await;
                });
            }
        });
        port
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_quota_no_more_are_in_flight_than_its_bucket_says() {
    let sandbox = Arc::new(Sandbox::new().await);
    let crowd = Crowd::default();
    let port = crowd.channel(std::time::Duration::from_millis(30)).await;
    // Two connections of one account, each with a fan-out of its own.
    let calls = [1, 2].map(|number| {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            let asking = behaving("get-few", "/1 /2 /3 /4 /5").numbered(number).at_sandbox(port);
            sandbox.fetched_text(asking).await
        })
    });
    for call in calls {
        let answered = call.await.expect("no panic");
        assert_eq!(answered.matches("200 here").count(), 5, "{answered}");
    }
    assert_eq!(crowd.most.load(Ordering::SeqCst), 2, "both seats were used, and no third");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_seat_is_parked_and_sends_nothing() {
    let mut options = options();
    options.http.bucket_wait_ms = 20;
    let sandbox = Arc::new(Sandbox::with(options).await);
    let crowd = Crowd::default();
    let port = crowd.channel(std::time::Duration::from_secs(3)).await;
    let sitting = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.fetch(behaving("get-few", "/1 /2").at_sandbox(port)).await })
    };
    while crowd.here.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let late = behaving("get-few", "/3").numbered(2).at_sandbox(port);
    // The guest calls it transient; the host knows better.
    assert_eq!(parked_ms(&sandbox, late).await, 2_000);
    assert_eq!(crowd.most.load(Ordering::SeqCst), 2);
    assert!(sitting.await.expect("no panic").is_ok());
}
