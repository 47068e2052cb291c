//! What a connector and its channel said to each other is recorded and said again without the channel: by the
//! library for both connectors, and by the commands of an operator.

use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use portolan_connector::cassette::Cassette;
use portolan_connector::manifest::StreamMode;
use portolan_connector::{
    ConnectionContext, EgressGrant, PluginRuntime as _, SecretValue, SliceMode, SliceSpec,
};
use portolan_core::Instant;
use portolan_plugin_host::{Ask, CacheKey, Options, SandboxRuntime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{Portolan, plugins_dir};

/// The end of the sandboxes' worlds: 2026-07-01.
const NOW: Instant = Instant(1_782_864_000_000_000);
const SHOP_TOKEN: &str = "shpat_sandbox";
const PAYMENT_KEY: &str = "rk_test_sandbox";

/// A connection to a sandbox that listens on this port.
pub fn connection(config: &Value, secret: (&str, &str), port: u16) -> ConnectionContext {
    ConnectionContext {
        tenant: "01890a5d-ac96-774b-bcce-b302099a8056".parse().expect("an id"),
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"),
        config: Arc::from(config.to_string()),
        secrets: vec![(secret.0.to_owned(), SecretValue::new(secret.1))],
        egress_grants: vec![EgressGrant { scheme: "http".to_owned(), host: "127.0.0.1".to_owned(), port }],
        time_zone: "Asia/Kolkata".to_owned(),
        files: Vec::new(),
    }
}

/// Records every stream of a connector, ends its channel, and replays what was recorded.
async fn comes_back<C>(plugin: &str, connection: ConnectionContext, channel: C) {
    let folder = TempDir::new().expect("a folder");
    let sandbox =
        SandboxRuntime::new(Options::new(folder.path(), CacheKey::new([7; 32]))).expect("a sandbox");
    let component = std::fs::read(plugins_dir().join(format!("{plugin}.wasm"))).expect("a component");
    let installed = sandbox.install(Bytes::from(component)).await.expect("it installs");
    let streams = installed.manifest.streams.iter().filter(|stream| !stream.partitioned);
    let slices: Vec<SliceSpec> = streams
        .map(|stream| SliceSpec {
            stream: stream.name.clone(),
            partition: None,
            since: None,
            until: (stream.mode == StreamMode::Incremental).then_some(NOW),
            mode: SliceMode::Backfill,
        })
        .collect();
    assert!(slices.len() >= 3, "{plugin} has its streams");
    let ask = Ask { slices, pages: 2, now: NOW };
    let (cassette, recorded) = sandbox.record(&installed, &connection, &ask).await.expect("a recording");
    drop(channel);

    let text = cassette.write().expect("text");
    let secrets = connection.secrets.iter().map(|(_, value)| value.expose());
    for secret in secrets {
        assert!(!text.contains(secret), "the secret is in the cassette");
    }
    let again = Cassette::read(&text).expect("it is read");
    let replayed = sandbox.replay(&installed.plugin, &again).await.expect("a replay");
    assert_eq!(recorded.len(), replayed.len());
    for (before, after) in recorded.iter().zip(&replayed) {
        let counts = |outcome: &portolan_plugin_host::Outcome| {
            (outcome.stream.clone(), outcome.pages, outcome.exchanges, outcome.seen, outcome.skipped)
        };
        assert_eq!(counts(before), counts(after));
        assert_eq!(before.documents, after.documents, "{plugin} {}", before.stream);
    }
    let documents: usize = recorded.iter().map(|outcome| outcome.documents.len()).sum();
    assert!(documents > 50, "{plugin} told of {documents} documents");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_cassette_says_what_the_shop_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let shop =
        portolan_sandbox_shopify::serve(listener, portolan_sandbox_shopify::Options::tiny()).expect("serve");
    let config = json!({ "shop": "demo-kolkata.myshopify.com", "base_url": format!("{}/shops/demo-kolkata", shop.url()) });
    let connection = connection(&config, ("access_token", SHOP_TOKEN), shop.address.port());
    comes_back("shopify", connection, shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_providers_cassette_says_what_the_provider_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let provider =
        portolan_sandbox_stripe::serve(listener, portolan_sandbox_stripe::Options::tiny()).expect("serve");
    let config = json!({ "base_url": format!("{}/accounts/demo-kolkata", provider.url()) });
    let connection = connection(&config, ("api_key", PAYMENT_KEY), provider.address.port());
    comes_back("stripe", connection, provider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_records_a_connection_and_anybody_replays_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let shop =
        portolan_sandbox_shopify::serve(listener, portolan_sandbox_shopify::Options::tiny()).expect("serve");
    let url = shop.url();
    tokio::task::spawn_blocking(move || {
        let portolan = Portolan::embedded();
        let csv = portolan.folder.path().join("till.csv");
        std::fs::write(&csv, "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n1,A,Lamp,2,2026-03-01 10:00:00,1.50,7,United Kingdom\n")
            .expect("write till export");
        portolan.set_up_demo(&url, &csv);
        let file = portolan.folder.path().join("products.json");
        let name = file.to_str().expect("a path").to_owned();
        let label = "Lotus & Lamp";
        let since = ["--since", "2020-01-01"];
        let words = ["connection", "record", label, "--output", &name, "--stream", "products", "--pages", "1"];
        let words = [&words[..], &since].concat();
        let told = portolan.run(&words);
        assert!(told.contains("products: 1 pages") && told.contains("Read it before you hand it on"), "{told}");
        let cassette = std::fs::read_to_string(&file).expect("a cassette");
        assert!(cassette.contains("portolan-cassette 1") && !cassette.contains(SHOP_TOKEN));

        let again = portolan.output(&words);
        assert!(!again.status.success(), "nothing is overwritten");
        assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
        let unknown = portolan.output(&["connection", "record", label, "--output", "x.json", "--stream", "nonsense"]);
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("no stream called nonsense"));

        drop(shop);
        let component = plugins_dir().join("shopify.wasm");
        let replayed = Command::new(env!("CARGO_BIN_EXE_portolan"))
            .args(["plugin", "replay", &name, component.to_str().expect("a path"), "--json"])
            .output()
            .expect("run portolan");
        assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
        let outcome: Value = serde_json::from_slice(&replayed.stdout).expect("a line of JSON");
        assert!(outcome["documents"].as_array().is_some_and(|documents| !documents.is_empty()), "{outcome}");
    })
    .await
    .expect("story");
}
