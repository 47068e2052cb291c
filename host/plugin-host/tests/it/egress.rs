//! The guard of the one way out, against everything that the tests know to try: spellings, redirects, settings, a
//! DNS server that changes its mind, proxies of the environment, connections that others have opened.

use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portolan_connector::Payload;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::dns::DnsServer;
use crate::own_network::{Canaries, NOBODY, PUBLIC, Place, own_network};
use crate::spellings;
use crate::support::{Connection, Sandbox, TOKEN, behaving, options, say};
use crate::upstream::{Upstream, ok, redirect};

/// Addresses that a declared name must not lead to: one of each kind, and each disguise.
const FORBIDDEN: [&str; 30] = [
    "0.0.0.0",
    "10.0.0.5",
    "100.64.0.9",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:9.9.9.9",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:5",
    "2001:0:7f00:1::",
    "2002:7f00:1::",
    "2001:db8::1",
    "fd00:ec2::254",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
];

fn story(steps: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(steps);
}

async fn asking(dns: &DnsServer) -> Sandbox {
    let mut options = options();
    options.http.lookup = Some(Arc::new(dns.clone()));
    options.http.connect_timeout_ms = 1_000;
    Sandbox::with(options).await
}

#[test]
fn no_spelling_reaches_a_canary() {
    match own_network("egress::no_spelling_reaches_a_canary") {
        Place::Done => {}
        Place::Inside => story(async {
            let canaries = Canaries::everywhere().await;
            // Also where names lead to the internet: then the names alone have to hold.
            let leads = [["127.0.0.1", "::1"], [PUBLIC, PUBLIC]];
            for port in [443, 8_443] {
                try_spellings(&canaries, port, &leads).await;
            }
            // The canaries are awake: what is allowed arrives.
            let dns = DnsServer::start().await;
            dns.others(&[&[PUBLIC]]);
            asking(&dns).await.fetched_text(behaving("get", "https://acme.shops.example/")).await;
            assert!(canaries.reached_at(PUBLIC) > 0, "{:?}", canaries.reached());
        }),
        Place::Unavailable => story(async {
            let (canaries, port) = Canaries::on_loopback().await;
            try_spellings(&canaries, port, &[["127.0.0.1", "::1"]]).await;
        }),
    }
}

/// Every spelling as the address of a request, of a redirect, of the connection's base address, and of its shop.
async fn try_spellings(canaries: &Canaries, port: u16, names_lead: &[[&str; 2]]) {
    let dns = DnsServer::start().await;
    let sandbox = asking(&dns).await;
    let spellings = spellings::all(port);
    assert!(spellings.len() >= 200, "{} spellings", spellings.len());
    let target = Arc::new(Mutex::new(String::new()));
    let redirects = target.clone();
    let shop = Upstream::start(move |_| redirect(&redirects.lock().expect("no panic"))).await;
    for (index, url) in spellings.iter().enumerate() {
        dns.others(&[&names_lead[index % names_lead.len()]]);
        let url = unescaped(url);
        let asked = said(&sandbox, behaving("get", &url)).await;
        assert!(asked.contains("HttpError::Denied"), "{url:?}: {asked}");

        target.lock().expect("no panic").clone_from(&url);
        let followed = said(&sandbox, behaving("get", "/").at_sandbox(shop.port)).await;
        // An address that is none, or none but a path, leads back to where it came from.
        let stayed = followed.contains("more than 5 redirects") || followed.starts_with("302 ");
        assert!(followed.contains("HttpError::Denied") || stayed, "redirect to {url:?}: {followed}");

        if !url.is_empty() {
            let based = said(&sandbox, behaving("get", "/").set("sandbox_url", &url)).await;
            assert!(
                based.contains("HttpError::Denied") || based.contains("refused"),
                "base {url:?}: {based}"
            );
        }
        let host = url.trim_start_matches("https://").trim_end_matches('/');
        if !is_label(host) {
            let named = said(&sandbox, behaving("get", "/").set("shop", host)).await;
            assert!(
                named.contains("HttpError::Denied") || named.contains("refused"),
                "shop {host:?}: {named}"
            );
        }
    }
    let reached = canaries.reached();
    assert!(reached.is_empty(), "{reached:?}");
    say(&format!("{} spellings on port {port}, four ways each: nobody was reached", spellings.len()));
}

/// What the guest brought home, or why it was not even asked.
async fn said(sandbox: &Sandbox, connection: Connection) -> String {
    match sandbox.fetch(connection).await {
        Err(fault) => format!("refused: {fault:?}"),
        Ok(page) => match &page.chunks[0].payload {
            Payload::Inline(body) => String::from_utf8_lossy(body).into_owned(),
            Payload::Staged(id) => format!("staged {id}"),
        },
    }
}

/// The hostile guest does not undo JSON's escapes, so what needs one is tried as the URL parser takes it: a
/// backslash as a slash, a line break and a tab as nothing (`egress/tests.rs` tries them as they are).
fn unescaped(text: &str) -> String {
    text.replace('\\', "/").replace(['\n', '\t'], "")
}

/// A single label becomes part of the declared domain, and nothing else.
fn is_label(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[test]
fn no_answer_of_dns_leads_inside() {
    match own_network("egress::no_answer_of_dns_leads_inside") {
        Place::Inside => story(async {
            let canaries = Canaries::everywhere().await;
            let dns = DnsServer::start().await;
            let sandbox = asking(&dns).await;
            let ask = || behaving("get", "https://acme.shops.example/");
            for address in FORBIDDEN {
                dns.others(&[&[address]]);
                let told = sandbox.fetched_text(ask()).await;
                assert!(told.contains("Denied") && told.contains("private or reserved"), "{address}: {told}");
                // Among others it is passed over, wherever it stands, also when the others don't answer.
                for among in [[address, NOBODY], [NOBODY, address], [PUBLIC, address], [address, PUBLIC]] {
                    dns.others(&[&among]);
                    let told = sandbox.fetched_text(ask()).await;
                    assert!(told.contains("Network"), "{among:?}: {told}");
                }
            }
            assert!(canaries.reached_at(PUBLIC) > 0);
            assert_eq!(canaries.reached().len(), 1, "{:?}", canaries.reached());
        }),
        Place::Done | Place::Unavailable => {}
    }
}

#[test]
fn a_name_that_is_rebound_between_lookups_never_leads_inside() {
    match own_network("egress::a_name_that_is_rebound_between_lookups_never_leads_inside") {
        Place::Inside => story(async {
            let canaries = Canaries::everywhere().await;
            let dns = DnsServer::start().await;
            let name = "acme.shops.example";
            dns.name(
                name,
                &[&[PUBLIC], &["127.0.0.1"], &[PUBLIC, "::1"], &["169.254.169.254"], &["fd00:ec2::254"]],
            );
            let sandbox = asking(&dns).await;
            let mut denied = 0;
            for _ in 0..100 {
                let told = sandbox.fetched_text(behaving("get", &format!("https://{name}/"))).await;
                denied += usize::from(told.contains("private or reserved"));
            }
            let reached = canaries.reached();
            assert_eq!(reached.keys().map(ToString::to_string).collect::<Vec<_>>(), [PUBLIC], "{reached:?}");
            // Every lookup led to a connection or to a refusal: none was made for a check and again for a connect.
            assert_eq!(dns.asked(name), canaries.reached_at(PUBLIC) + denied);
            assert!(denied >= 20, "{denied} of 100 were rebound");
        }),
        Place::Done | Place::Unavailable => {}
    }
}

#[test]
fn a_granted_name_leads_to_private_networks_and_to_no_metadata() {
    match own_network("egress::a_granted_name_leads_to_private_networks_and_to_no_metadata") {
        Place::Inside => story(async {
            let canaries = Canaries::everywhere().await;
            let dns = DnsServer::start().await;
            let sandbox = asking(&dns).await;
            let granted =
                |host: &str| behaving("get", &format!("http://{host}:4010/")).granted("http", host, 4_010);
            for address in
                ["169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "::ffff:127.0.0.1"]
            {
                dns.others(&[&[address]]);
                let told = sandbox.fetched_text(granted("staging.example")).await;
                assert!(told.contains("Denied") && told.contains("does not cover"), "{address}: {told}");
            }
            assert!(canaries.reached().is_empty(), "{:?}", canaries.reached());
            for address in ["127.0.0.1", "10.0.0.5", "fd12:3456::1"] {
                dns.others(&[&[address]]);
                sandbox.fetched_text(granted("staging.example")).await;
                assert!(canaries.reached_at(address) > 0, "{address}");
            }
            // The grant of the very address is the operator's word for it.
            sandbox.fetched_text(granted("169.254.169.254")).await;
            assert!(canaries.reached_at("169.254.169.254") > 0);
        }),
        Place::Done | Place::Unavailable => {}
    }
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    const INSIDE: &str = "PORTOLAN_TEST_WITH_PROXY";
    if std::env::var_os(INSIDE).is_some() {
        return story(async {
            let upstream = Upstream::start(|_| ok("straight")).await;
            let sandbox = Sandbox::new().await;
            let told = sandbox.fetched_text(behaving("get", "/").at_sandbox(upstream.port)).await;
            assert!(told.starts_with("200 straight"), "{told}");
        });
    }
    let canary = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    canary.set_nonblocking(true).expect("a setting");
    let proxy = format!("http://{}", canary.local_addr().expect("an address"));
    let mut command = Command::new(std::env::current_exe().expect("this test's binary"));
    command
        .args(["--exact", "egress::proxies_of_the_environment_are_not_used", "--nocapture"])
        .env(INSIDE, "1");
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, &proxy);
    }
    let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().expect("the test runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(canary.accept().is_err(), "somebody asked the proxy");
}

/// Keeps its connections open, and counts them.
async fn keep_alive() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = opened.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        head.clear();
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhere";
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (port, opened)
}

#[tokio::test]
async fn an_open_connection_serves_nobody_but_who_opened_it() {
    let sandbox = Sandbox::new().await;
    let (port, opened) = keep_alive().await;
    let ask = |number: u32| behaving("get", "/").numbered(number).at_sandbox(port);
    let opened_after = async |connection: Connection| {
        assert!(sandbox.fetched_text(connection).await.starts_with("200 here"));
        opened.load(Ordering::SeqCst)
    };
    assert_eq!(opened_after(ask(1)).await, 1);
    assert_eq!(opened_after(ask(1)).await, 1, "the same connection goes on with it");
    assert_eq!(opened_after(ask(2)).await, 2, "another one opens its own");
    assert_eq!(opened_after(ask(1).granted("http", "elsewhere.example", 80)).await, 3, "so do other rules");
    assert_eq!(opened_after(ask(1)).await, 3);
    let without = behaving("get", &format!("http://127.0.0.1:{port}/"));
    assert!(sandbox.fetched_text(without).await.contains("Denied"), "an open connection is no permission");
}

#[tokio::test]
async fn an_echoed_secret_is_masked_in_every_encoding() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| {
        let bytes = STANDARD.encode(format!("user:{TOKEN}:more"));
        let hex: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
        let body = format!("literal {TOKEN} base64 {bytes} hex {hex}");
        let head = format!("x-echo: {}{TOKEN}\r\nx-{TOKEN}: name\r\n", "x".repeat(8_185));
        format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
            .into_bytes()
    })
    .await;
    let told = sandbox.fetched_text(behaving("get", "/").at_sandbox(upstream.port)).await;
    assert!(told.starts_with("200 literal *** base64 "), "{told}");
    let core = &STANDARD.encode(format!("user:{TOKEN}"))[8..24];
    for trace in [TOKEN, &TOKEN[..7], core, "63616e617279"] {
        assert!(!told.contains(trace), "{trace}: {told}");
    }
}

#[tokio::test]
async fn a_download_is_masked_across_its_pieces() {
    let sandbox = Sandbox::new().await;
    let body = format!("{}{TOKEN}", "x".repeat(1_000)).repeat(500);
    let expected = body.replace(TOKEN, "***");
    let upstream = Upstream::start(move |_| ok(&body)).await;
    let page =
        sandbox.fetch(behaving("download", "/big.csv").at_sandbox(upstream.port)).await.expect("a page");
    let file = page.downloads.first().expect("a file");
    let stored = std::fs::read_to_string(&file.path).expect("content");
    std::fs::remove_file(&file.path).expect("removed");
    assert_eq!((stored.len() as u64, stored == expected), (file.size_bytes, true));
}

#[tokio::test]
async fn a_redirect_does_not_carry_a_secret_or_a_signature_elsewhere() {
    let sandbox = Sandbox::new().await;
    let elsewhere = Upstream::start(|_| ok("elsewhere")).await;
    let port = elsewhere.port;
    let shop = Upstream::start(move |head| match head.split(' ').nth(1) {
        Some("/leak") => redirect(&format!("http://127.0.0.1:{port}/?key={TOKEN}")),
        Some("/leak-encoded") => redirect(&format!("http://127.0.0.1:{port}/{}", STANDARD.encode(TOKEN))),
        _ => redirect(&format!("http://127.0.0.1:{port}/landing")),
    })
    .await;
    let ask =
        |path: &str| behaving("get-signed", path).at_sandbox(shop.port).granted("http", "127.0.0.1", port);
    for path in ["/leak", "/leak-encoded"] {
        let told = sandbox.fetched_text(ask(path)).await;
        assert!(told.contains("carries a secret"), "{told}");
    }
    assert_eq!(elsewhere.heads(), Vec::<String>::new());
    assert!(sandbox.fetched_text(ask("/away")).await.starts_with("200 elsewhere"));
    let asked = shop.heads().pop().expect("a request");
    assert!(asked.contains("x-signature: signed") && asked.contains("accept: application/json"), "{asked}");
    let landed = elsewhere.heads().pop().expect("a request");
    assert!(!landed.contains("x-signature") && landed.contains("accept: application/json"), "{landed}");
}

#[tokio::test]
async fn a_head_of_ten_thousand_lines_or_without_end_is_refused() {
    let sandbox = Sandbox::new().await;
    let many: String = (0..10_000).map(|number| format!("x-{number}: {number}\r\n")).collect();
    let long = format!("x-long: {}\r\n", "x".repeat(4 << 20));
    let upstream = Upstream::start(move |head| {
        let lines = if head.contains("/many") { &many } else { &long };
        format!("HTTP/1.1 200 OK\r\n{lines}content-length: 0\r\n\r\n").into_bytes()
    })
    .await;
    for path in ["/many", "/long"] {
        let told = sandbox.fetched_text(behaving("get", path).at_sandbox(upstream.port)).await;
        assert!(told.contains("Network"), "{path}: {told}");
    }
}

#[tokio::test]
async fn a_compressed_bomb_ends_at_the_cap_of_a_download_too() {
    let mut options = options();
    options.http.download_bytes = 1 << 20;
    let sandbox = Sandbox::with(options).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 8 << 20]).expect("compressed");
    let bomb = encoder.finish().expect("compressed");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let answer = [head.into_bytes(), bomb].concat();
    let upstream = Upstream::start(move |_| answer.clone()).await;
    let told = sandbox.fetched_text(behaving("download", "/").at_sandbox(upstream.port)).await;
    assert!(told.contains("TooLarge"), "{told}");
}
