//! The one way out: declared hosts, exact grants, checked addresses, sealed secrets.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portolan_connector::{Fault, Payload};
use portolan_plugin_host::Lookup;

use crate::support::{Sandbox, TOKEN, behaving, options};
use crate::upstream::{Upstream, ok, redirect};

/// Every name leads to one address.
struct Everywhere(SocketAddr);

#[async_trait]
impl Lookup for Everywhere {
    async fn addresses_of(&self, _: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(vec![self.0])
    }
}

#[tokio::test]
async fn a_granted_upstream_gets_the_secret_and_the_guest_does_not() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|head| ok(&format!("echo: {head}"))).await;
    let answer = sandbox.fetched_text(behaving("get", "/orders.json").at_sandbox(upstream.port)).await;
    let heads = upstream.heads();
    assert!(heads[0].starts_with("GET /orders.json "), "{}", heads[0]);
    assert!(heads[0].contains(&format!("x-test-token: {TOKEN}")), "{}", heads[0]);
    assert!(answer.contains("x-test-token: ***") && !answer.contains(TOKEN), "{answer}");
}

#[tokio::test]
async fn a_guest_sees_no_secret_in_its_configuration_and_errors_leak_none() {
    let sandbox = Sandbox::new().await;
    let report = sandbox.check(behaving("config", "")).await.expect("a report");
    assert!(
        report.notes[0].contains("behaviour") && !report.notes[0].contains("canary"),
        "{:?}",
        report.notes
    );
    assert_eq!(report.display_name, "https://acme.shops.example");
    let careless = behaving("config", "").set("token", "canary-in-the-wrong-place");
    let report = sandbox.check(careless).await.expect("a report");
    assert!(
        report.notes[0].contains("behaviour") && !report.notes[0].contains("canary"),
        "{:?}",
        report.notes
    );
    let Err(Fault::Other { detail, .. }) = sandbox.check(behaving("error-with-secret", TOKEN)).await else {
        panic!("it fails")
    };
    assert_eq!(detail, "[31m***");
}

#[tokio::test]
async fn signing_uses_listed_keys_alone() {
    let sandbox = Sandbox::new().await;
    let report = sandbox.check(behaving("sign", "")).await.expect("a report");
    assert_eq!(report.notes[0].len(), 64, "{:?}", report.notes);
    let report = sandbox.check(behaving("sign-other", "")).await.expect("a report");
    assert!(report.notes[0].contains("no such key"), "{:?}", report.notes);
}

#[tokio::test]
async fn undeclared_destinations_are_denied() {
    let sandbox = Sandbox::new().await;
    let canary = Upstream::start(|_| ok("reached")).await;
    let loopback = format!("http://127.0.0.1:{}/", canary.port);
    let named = format!("https://localhost:{}/", canary.port);
    for url in [
        "https://undeclared.example/",
        "https://other.shops.example/",
        "https://acme.shops.example.evil.example/",
        "https://acme.shops.example:8443/",
        "http://acme.shops.example/",
        "https://user@acme.shops.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "ftp://acme.shops.example/",
        "//acme.shops.example/",
        "orders.json",
        &loopback,
        &named,
    ] {
        let answer = sandbox.fetched_text(behaving("get", url)).await;
        assert!(answer.contains("HttpError::Denied"), "{url}: {answer}");
    }
    assert_eq!(canary.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_declared_name_that_leads_inside_is_denied() {
    let canary = Upstream::start(|_| ok("reached")).await;
    for address in ["127.0.0.1:0", "10.0.0.5:0", "169.254.169.254:0", "[::1]:0", "[64:ff9b::7f00:1]:0"] {
        let mut options = options();
        options.http.lookup = Some(Arc::new(Everywhere(address.parse().expect("an address"))));
        let sandbox = Sandbox::with(options).await;
        let answer = sandbox.fetched_text(behaving("get", "https://acme.shops.example/")).await;
        assert!(answer.contains("Denied") && answer.contains("private or reserved"), "{address}: {answer}");
    }
    assert_eq!(canary.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_grant_is_exact() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("reached")).await;
    let url = format!("http://127.0.0.1:{}/", upstream.port);
    let asks = |scheme: &str, host: &str, port: u16| behaving("get", &url).granted(scheme, host, port);
    for connection in [
        asks("https", "127.0.0.1", upstream.port),
        asks("http", "localhost", upstream.port),
        asks("http", "127.0.0.1", upstream.port.wrapping_add(1)),
        asks("http", "127.0.0.2", upstream.port),
    ] {
        let answer = sandbox.fetched_text(connection).await;
        assert!(answer.contains("Denied"), "{answer}");
    }
    assert_eq!(upstream.heads(), Vec::<String>::new());
    assert!(sandbox.fetched_text(asks("http", "127.0.0.1", upstream.port)).await.starts_with("200 reached"));
    // Granted, but neither bound to the secret nor in place of the base address.
    assert!(!upstream.heads()[0].contains(TOKEN), "{}", upstream.heads()[0]);
}

#[tokio::test]
async fn a_redirect_is_checked_and_loses_the_credential() {
    let sandbox = Sandbox::new().await;
    let elsewhere = Upstream::start(|_| ok("elsewhere")).await;
    let target = format!("http://127.0.0.1:{}/landing", elsewhere.port);
    let shop = Upstream::start(move |head| match head.split(' ').nth(1) {
        Some("/away") => redirect(&target),
        Some("/inside") => redirect("http://169.254.169.254/latest/"),
        Some("/again") => redirect("/again"),
        Some("/here") => redirect("/there"),
        _ => ok("there"),
    })
    .await;

    let denied = sandbox.fetched_text(behaving("get", "/away").at_sandbox(shop.port)).await;
    assert!(denied.contains("Denied"), "{denied}");
    assert_eq!(elsewhere.heads(), Vec::<String>::new());
    let inside = sandbox.fetched_text(behaving("get", "/inside").at_sandbox(shop.port)).await;
    assert!(inside.contains("Denied"), "{inside}");

    let followed =
        behaving("get", "/away").at_sandbox(shop.port).granted("http", "127.0.0.1", elsewhere.port);
    assert!(sandbox.fetched_text(followed).await.starts_with("200 elsewhere"));
    assert!(!elsewhere.heads()[0].contains(TOKEN), "{}", elsewhere.heads()[0]);

    assert!(
        sandbox.fetched_text(behaving("get", "/here").at_sandbox(shop.port)).await.starts_with("200 there")
    );
    assert!(shop.heads().last().expect("a request").contains(TOKEN), "the same origin keeps the credential");
    let endless = sandbox.fetched_text(behaving("get", "/again").at_sandbox(shop.port)).await;
    assert!(endless.contains("more than 5 redirects"), "{endless}");
}

#[tokio::test]
async fn auth_can_be_left_out_and_is_refused_where_it_is_not_bound() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("reached")).await;
    let open = sandbox.fetched_text(behaving("get-without-auth", "/").at_sandbox(upstream.port)).await;
    assert!(open.starts_with("200 reached"), "{open}");
    assert!(!upstream.heads()[0].contains(TOKEN), "{}", upstream.heads()[0]);
    let login = sandbox.fetched_text(behaving("get-with-login", "/").at_sandbox(upstream.port)).await;
    assert!(login.contains("not bound to 127.0.0.1"), "{login}");
    assert_eq!(upstream.heads().len(), 1);
}

#[tokio::test]
async fn answers_are_capped_in_size_and_time() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|head| match head.split(' ').nth(1) {
        Some("/large") => ok(&"x".repeat(100_000)),
        Some("/endless") => [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 200_000]].concat(),
        Some("/slow") => {
            std::thread::sleep(Duration::from_millis(1_500));
            ok("late")
        }
        _ => b"nonsense\r\n\r\n".to_vec(),
    })
    .await;
    let ask = |path: &str| behaving("get", path).at_sandbox(upstream.port);
    assert!(sandbox.fetched_text(ask("/large")).await.contains("TooLarge"));
    assert!(sandbox.fetched_text(ask("/endless")).await.contains("TooLarge"));
    assert!(sandbox.fetched_text(ask("/slow")).await.contains("Timeout"));
    assert!(sandbox.fetched_text(ask("/nonsense")).await.contains("Network"));
}

#[tokio::test]
async fn a_compressed_bomb_ends_at_the_cap() {
    let sandbox = Sandbox::new().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 8 << 20]).expect("compressed");
    let bomb = encoder.finish().expect("compressed");
    assert!(bomb.len() < 20_000);
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ";
    let answer = [format!("{head}{}\r\n\r\n", bomb.len()).into_bytes(), bomb].concat();
    let upstream = Upstream::start(move |_| answer.clone()).await;
    let told = sandbox.fetched_text(behaving("get", "/").at_sandbox(upstream.port)).await;
    assert!(told.contains("TooLarge"), "{told}");
}

#[tokio::test]
async fn a_slow_channel_at_the_runs_end_is_no_fault_of_the_plugin() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| {
        std::thread::sleep(Duration::from_millis(900));
        ok("late")
    })
    .await;
    let left = portolan_core::Duration::from_ms(500);
    let answer = sandbox.fetch_within(behaving("get", "/").at_sandbox(upstream.port), left).await;
    assert!(matches!(answer, Err(Fault::Transient { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_fan_out_answers_in_order() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|head| ok(head.split(' ').nth(1).unwrap_or_default())).await;
    let answer = sandbox
        .fetched_text(behaving("get-all", "/1 /2 https://no.example/").at_sandbox(upstream.port))
        .await;
    let parts: Vec<&str> = answer.split('|').collect();
    assert!(
        parts[0].starts_with("200 /1") && parts[1].starts_with("200 /2") && parts[2].contains("Denied"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_download_is_staged_and_handed_over() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("a;b\n1;2\n")).await;
    let page =
        sandbox.fetch(behaving("download", "/report.csv").at_sandbox(upstream.port)).await.expect("a page");
    let Payload::Staged(id) = page.chunks[0].payload else { panic!("staged") };
    let file = page.downloads.iter().find(|file| file.id == id).expect("its file");
    assert_eq!(std::fs::read_to_string(&file.path).expect("content"), "a;b\n1;2\n");
    assert_eq!((file.name.as_str(), file.size_bytes, page.bytes_fetched), ("report.csv", 8, 8));
    std::fs::remove_file(&file.path).expect("removed");
}
