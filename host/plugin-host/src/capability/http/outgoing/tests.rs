use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::capability::http::Lookup;

/// Answers every name with one address.
struct Everywhere(SocketAddr);

#[async_trait]
impl Lookup for Everywhere {
    async fn addresses_of(&self, _: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(vec![self.0])
    }
}

/// A server that gives every connection this answer and counts them.
async fn server(answer: Vec<u8>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (count, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            let answer = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut head = [0_u8; 2_048];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(&answer).await;
                // Whoever answers nothing keeps the line open.
                if answer.is_empty() {
                    let _ = stream.read(&mut head).await;
                }
            });
        }
    });
    (port, count)
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat()
}

fn outgoing(address: &str, granted: &[String]) -> Outgoing {
    let options = HttpOptions {
        response_bytes: 10_000,
        request_timeout_ms: 20_000,
        lookup: Some(Arc::new(Everywhere(address.parse().expect("an address")))),
        ..HttpOptions::default()
    };
    Outgoing::new(options, granted.iter().map(|origin| origin.parse().expect("an origin")).collect())
}

async fn get(outgoing: &Outgoing, address: &str) -> Result<OutgoingAnswer, String> {
    outgoing.send("GET", address, &[], Vec::new()).await
}

#[tokio::test]
async fn a_providers_address_that_leads_inside_is_not_asked() {
    let (port, count) = server(answer("200 OK", b"{}")).await;
    for inside in ["127.0.0.1:0", "10.1.2.3:0", "169.254.169.254:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
        let out = outgoing(inside, &[]);
        let error = get(&out, &format!("https://id.example:{port}/")).await.expect_err(inside);
        assert!(error.contains("private or reserved"), "{inside}: {error}");
    }
    let out = outgoing("127.0.0.1:0", &[]);
    for (address, words) in [
        (format!("http://id.example:{port}/"), "only https"),
        (format!("https://127.0.0.1:{port}/"), "numbers"),
        (format!("https://[::1]:{port}/"), "numbers"),
        (format!("https://2130706433:{port}/"), "numbers"),
        (format!("https://0x7f.1:{port}/"), "numbers"),
        (format!("https://me@id.example:{port}/"), "user name"),
        ("file:///etc/passwd".to_owned(), "only https"),
        ("javascript:alert(1)".to_owned(), "only https"),
        ("id.example".to_owned(), "no address"),
    ] {
        let error = get(&out, &address).await.expect_err(&address);
        assert!(error.contains(words), "{address}: {error}");
        assert_eq!(out.permits(&address).expect_err(&address), error);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "nobody was asked");
}

#[tokio::test]
async fn what_the_operator_grants_is_asked_and_nothing_beside_it() {
    let (port, count) = server(answer("200 OK\r\nContent-Type: application/json", b"{}")).await;
    let granted = [format!("http://id.intern:{port}")];
    let out = outgoing("127.0.0.1:0", &granted);
    let found = get(&out, &format!("http://id.intern:{port}/keys")).await.expect("an answer");
    assert_eq!((found.status, found.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(found.content_type.as_deref(), Some("application/json"));
    let asked = count.load(Ordering::SeqCst);
    for other in [
        format!("http://other.intern:{port}/"),
        "http://id.intern/".to_owned(),
        format!("https://id.intern:{port}/"),
        format!("http://id.intern.:{port}/"),
    ] {
        get(&out, &other).await.expect_err(&other);
    }
    // A granted name may lead to a private network, and never to a metadata service.
    let out = outgoing("169.254.169.254:0", &granted);
    get(&out, &format!("http://id.intern:{port}/")).await.expect_err("metadata");
    assert_eq!(count.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn a_providers_answer_is_bounded_and_its_redirects_are_not_followed() {
    let (inside, visited) = server(answer("200 OK", b"{}")).await;
    let to_inside = answer(&format!("302 Found\r\nLocation: http://127.0.0.1:{inside}/"), b"");
    let (port, _) = server(to_inside).await;
    let grant = |port: u16| [format!("http://id.intern:{port}")];
    let found = get(&outgoing("127.0.0.1:0", &grant(port)), &format!("http://id.intern:{port}/")).await;
    assert_eq!(found.expect("an answer").status, 302);
    assert_eq!(visited.load(Ordering::SeqCst), 0, "nobody follows");

    for huge in [
        answer("200 OK\r\nContent-Length: 20000", &[b'x'; 20_000]),
        // Who does not say how much it is sends too much all the same.
        answer("200 OK", &[b'x'; 20_000]),
    ] {
        let (port, _) = server(huge).await;
        let error = get(&outgoing("127.0.0.1:0", &grant(port)), &format!("http://id.intern:{port}/")).await;
        let error = error.expect_err("too large");
        assert!(error.contains("more than 10000 bytes"), "{error}");
    }
    let (port, _) = server(Vec::new()).await;
    let mut impatient = outgoing("127.0.0.1:0", &grant(port));
    impatient.options.request_timeout_ms = 200;
    let silent = get(&impatient, &format!("http://id.intern:{port}/")).await;
    assert!(silent.expect_err("silence").contains("did not answer in time"));
    let error = get(&outgoing("127.0.0.1:0", &grant(1)), "http://id.intern:1/").await.expect_err("nobody");
    assert!(error.contains("cannot be reached"), "{error}");
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let read = |text: &str| text.parse::<GrantedOrigin>().map(|origin| origin.to_string());
    assert_eq!(read("https://id.intern").as_deref(), Ok("https://id.intern:443"));
    assert_eq!(read(" http://127.0.0.1:8081/ ").as_deref(), Ok("http://127.0.0.1:8081"));
    for wrong in [
        "id.intern",
        "ftp://id.intern",
        "https://id.intern/realms/a",
        "https://me@id.intern",
        "https://id.intern?x",
    ] {
        assert_eq!(read(wrong), Err(NotAnOrigin), "{wrong}");
    }
}
