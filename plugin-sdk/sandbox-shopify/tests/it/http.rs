//! The same over a socket.

use portolan_sandbox_shopify::{Options, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn request(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-shopify-access-token: shpat_sandbox\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

#[tokio::test]
async fn the_server_answers_misbehaves_and_reports() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let handle = serve(listener, Options::tiny()).expect("a server");
    let address = handle.address;
    let query = json!({ "query": "{ shop { name currencyCode } }" }).to_string();

    let (status, body) = request(address, "POST", "/admin/api/2026-07/graphql.json", &query).await;
    assert_eq!((status, body.contains("INR")), (200, true), "{body}");
    let (status, body) =
        request(address, "POST", "/shops/demo-berlin/admin/api/2026-07/graphql.json", &query).await;
    assert_eq!((status, body.contains("EUR")), (200, true), "{body}");

    let fault = r#"[{"kind":"rate_limited","retry_after_s":1,"count":1}]"#;
    assert_eq!(request(address, "POST", "/_sandbox/faults", fault).await.0, 200);
    assert_eq!(request(address, "POST", "/admin/api/2026-07/graphql.json", &query).await.0, 429);
    assert_eq!(request(address, "POST", "/admin/api/2026-07/graphql.json", &query).await.0, 200);

    let (_, state) = request(address, "GET", "/_sandbox/state", "").await;
    let state = serde_json::from_str::<Value>(&state).expect("JSON");
    assert_eq!((state["requests"].as_u64(), state["faultsFired"].as_u64()), (Some(4), Some(1)));
    let (_, truth) = request(address, "GET", "/_sandbox/truth?shop=demo-tokyo", "").await;
    assert!(truth.contains(r#""currency":"JPY""#), "{truth}");
    let (_, csv) = request(address, "GET", "/_sandbox/orders.csv", "").await;
    assert!(
        csv.starts_with(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        )
    );
}
