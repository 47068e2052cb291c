//! A channel, or somebody in its place, may be hostile as well: to the guest, and through it to the host.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Sandbox, TOKEN, behaving};
use crate::upstream::{Upstream, ok};

#[tokio::test]
async fn ten_thousand_headers_end_in_an_answer() {
    let sandbox = Sandbox::new().await;
    let headers: String = (0..10_000).map(|number| format!("x-{number}: {}\r\n", "v".repeat(100))).collect();
    let answer = format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\nok").into_bytes();
    let upstream = Upstream::start(move |_| answer.clone()).await;
    let told = sandbox.fetched_text(behaving("get", "/").at_sandbox(upstream.port)).await;
    assert!(told.contains("Network") || told.starts_with("200"), "{told:.300}");
    assert!(told.len() < 1 << 20, "{} bytes of headers reached the guest", told.len());
    assert_eq!(sandbox.fetched_text(behaving("echo", "after")).await, "after");
}

/// A byte now and then keeps a connection busy, not the host: the request has its time.
#[tokio::test]
async fn a_body_that_drips_ends_at_its_time() {
    let sandbox = Sandbox::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let dripping = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a request");
        let mut head = [0; 1_024];
        let _ = stream.read(&mut head).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let told = sandbox.fetched_text(behaving("get", "/").at_sandbox(port)).await;
    assert!(told.contains("Timeout"), "{told:.300}");
    dripping.abort();
}

/// Words that look like a secret's place are words: in an address, in a header, in a body.
#[tokio::test]
async fn a_placeholder_is_not_filled_in_where_the_guest_writes_it() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(ok).await;
    let told = sandbox.fetched_text(behaving("get-placeholder", "/").at_sandbox(upstream.port)).await;
    let heads = upstream.heads().join("\n");
    assert!(!heads.contains(TOKEN) && !told.contains(TOKEN), "{heads}");
}
