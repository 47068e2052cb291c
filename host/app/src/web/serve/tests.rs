use std::net::SocketAddr;

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;

const SHORT: Patience = Patience { head: Duration::from_millis(300), body: Duration::from_millis(300) };

/// Far longer than any patience above.
const SOON: Duration = Duration::from_secs(10);

/// A server that counts the bytes it is sent; it stops when the guard goes.
async fn start(patience: Patience) -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let address = listener.local_addr().expect("address");
    let stop = CancellationToken::new();
    let router =
        Router::new().route("/count", post(|body: Bytes| async move { body.len().to_string() })).route(
            "/slow",
            get(|| async {
                sleep(Duration::from_millis(600)).await;
                "finished"
            }),
        );
    let stopped = stop.clone();
    tokio::spawn(async move { serve(listener, router, patience, stopped.cancelled()).await.expect("serve") });
    (address, stop.drop_guard())
}

/// What the server says until it hangs up.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the server hangs up");
    // A reset is as good as an end.
    let _hung_up = read.is_ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn whoever_does_not_finish_a_head_is_let_go_however_busy_it_looks() {
    let (address, _server) = start(SHORT).await;
    let silent = TcpStream::connect(address).await.expect("connect");
    assert_eq!(rest_of(silent).await, "");

    let mut dripping = TcpStream::connect(address).await.expect("connect");
    dripping.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n").await.expect("send");
    let dripped = timeout(SOON, async {
        while dripping.write_all(b"X: y\r\n").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    dripped.await.expect("each line gets no new patience");
}

#[tokio::test]
async fn a_connection_that_stays_open_without_asking_is_let_go() {
    let (address, _server) = start(SHORT).await;
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").await.expect("send");
    assert!(rest_of(stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn whoever_stops_in_the_middle_of_a_body_is_let_go() {
    let (address, _server) = start(SHORT).await;
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream
        .write_all(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        .await
        .expect("send");
    let answer = rest_of(stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn an_upload_may_take_long_as_long_as_bytes_come() {
    let (address, _server) = start(SHORT).await;
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let head = b"POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 12\r\n\r\n";
    stream.write_all(head).await.expect("send");
    for _ in 0..12 {
        sleep(Duration::from_millis(100)).await;
        stream.write_all(b"x").await.expect("send");
    }
    let answer = rest_of(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n12"), "{answer}");
}

#[tokio::test]
async fn an_answer_may_take_longer_than_any_patience() {
    let (address, _server) = start(SHORT).await;
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.expect("send");
    assert!(rest_of(stream).await.ends_with("finished"));
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nobody_new() {
    let (address, server) = start(Patience::default()).await;
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("send");
    sleep(Duration::from_millis(200)).await;
    drop(server);
    assert!(rest_of(stream).await.ends_with("finished"));
    assert!(TcpStream::connect(address).await.is_err(), "nobody new comes in");
}
