//! Two servers on one PostgreSQL: they share the work, and they share what a channel lets one account spend.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use portolan_app::channels::budgets::SharedBudgets;
use portolan_app::channels::seats::SharedSeats;
use portolan_connector::{Fault, PluginRuntime as _};
use portolan_core::{Clock, SystemClock, SystemRandom};
use portolan_db::entity::job_attempt;
use portolan_db::testing::{TestDatabase, on_both, say_skipped};
use portolan_db::{Database, DatabaseConfig};
use portolan_migrations::migrate;
use portolan_plugin_host::{CacheKey, Options as SandboxOptions, SandboxRuntime};
use portolan_sandbox_shopify::{Options, ThrottlePlan, serve};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::cassettes::connection;
use crate::support::{Portolan, Server, plugins_dir};
use crate::visitor::Visitor;

/// What the connector's manifest says of the quota.
const CAPACITY: u64 = 2_000;
const REFILL_PER_SECOND: u64 = 100;
const TILL: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
    1,A,Lamp,2,2026-03-01 10:00:00,1.50,7,United Kingdom\n";

/// The shop holds both servers to exactly what the connector's manifest allows one account, and refuses what is
/// beyond it. Two servers with a budget each would be refused every second time.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_stay_within_one_accounts_quota() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let throttle = ThrottlePlan { maximum_available: CAPACITY, restore_rate: REFILL_PER_SECOND };
    let shop = serve(listener, Options { throttle, ..Options::tiny() }).expect("serve");
    let (url, database_url) = (shop.url(), database.config.url.clone());
    let portolan = tokio::task::spawn_blocking(move || {
        let portolan = Portolan::on_postgres(database_url);
        sync_one_account_four_times(&portolan, &url);
        portolan
    });
    let portolan = portolan.await.expect("story");

    assert_eq!(workers_of(&portolan.database()).await, 2, "both servers have worked");
    let report = shop.sandbox.report();
    let (requests, refused) = (report["requests"].as_u64(), report["refused"].as_u64());
    let (requests, refused) = requests.zip(refused).expect("counters");
    println!("{refused} of {requests} requests were refused");
    // What one server is told of the budget is a moment old when the other one asks.
    assert!(refused * 20 <= requests, "the shop refused {refused} of {requests} requests");
    drop(shop);
    database.discard().await;
}

/// The demo's shop and three further connections with the same shop and token: one account.
fn sync_one_account_four_times(portolan: &Portolan, url: &str) {
    let csv = portolan.folder.path().join("till.csv");
    std::fs::write(&csv, TILL).expect("write till export");
    portolan.set_up_demo(url, &csv);
    let servers: Vec<Server> = (0..2).map(|_| portolan.serve_with(&["--workers", "1"])).collect();
    servers.iter().for_each(Server::wait_until_up);
    let visitor = Visitor::sign_in(portolan, servers[0].port);
    for number in 1..=3 {
        let label = format!("Same shop {number}");
        let config = json!({ "shop": "demo-kolkata.myshopify.com", "access_token": "shpat_sandbox",
            "base_url": format!("{url}/shops/demo-kolkata") });
        let made = visitor.post_json(
            "/api/v1/connections",
            &json!({ "plugin_id": "shopify", "label": label, "time_zone": "Asia/Kolkata", "consent": true, "config": config }),
        );
        assert_eq!(made.status, 201, "{made:?}");
        portolan.run(&["connection", "grant-egress", &label, url]);
        let started = visitor.post_json("/api/v1/syncs", &json!({ "connection_id": made.json()["id"] }));
        assert!(started.status < 300, "{started:?}");
    }
    for sync in portolan.wait_for_syncs() {
        assert_eq!(sync["state"], "succeeded", "{sync:#}");
    }
}

/// How many workers had a job at all.
async fn workers_of(database: &DatabaseConfig) -> usize {
    let db = Database::connect(database).await.expect("open database");
    let tx = db.system_read().await.expect("read");
    let attempts = tx.find::<job_attempt::Entity>().all(&tx).await.expect("attempts");
    attempts.iter().map(|attempt| attempt.worker_id).collect::<BTreeSet<_>>().len()
}

/// Requests that the manifest of the payment provider's connector lets be in flight.
const SEATS: usize = 8;

/// A payment provider that counts how many requests it serves at the same moment.
#[derive(Default)]
struct Crowd {
    here: AtomicUsize,
    most: AtomicUsize,
    served: AtomicUsize,
}

impl Crowd {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let crowd = self.clone();
            tokio::spawn(async move {
                let mut head = [0; 8_192];
                let _ = stream.read(&mut head).await;
                crowd.most.fetch_max(crowd.here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100)).await;
                crowd.here.fetch_sub(1, Ordering::SeqCst);
                crowd.served.fetch_add(1, Ordering::SeqCst);
                let answer =
                    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    }
}

/// The sandboxes of two processes; each would let as many requests in flight by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_seats_of_one_account() {
    on_both(migrate, async |test| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let port = listener.local_addr().expect("an address").port();
        let crowd = Arc::new(Crowd::default());
        let serving = tokio::spawn(crowd.clone().serve(listener));
        let config = json!({ "base_url": format!("http://127.0.0.1:{port}") });
        let connection = connection(&config, ("api_key", "rk_test_sandbox"), port);
        let folder = TempDir::new().expect("a folder");
        let mut calls = Vec::new();
        for _ in 0..2 {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let mut options = SandboxOptions::new(folder.path(), CacheKey::new([7; 32]));
            options.budgets = Some(Arc::new(SharedBudgets::new(test.database.clone(), clock.clone())));
            options.seats =
                Some(Arc::new(SharedSeats::new(test.database.clone(), clock, Arc::new(SystemRandom))));
            options.http.bucket_wait_ms = 15_000;
            let sandbox = SandboxRuntime::new(options).expect("a sandbox");
            let component = std::fs::read(plugins_dir().join("stripe.wasm")).expect("a component");
            let installed = sandbox.install(Bytes::from(component)).await.expect("it installs");
            for _ in 0..12 {
                let (sandbox, plugin, connection) =
                    (sandbox.clone(), installed.plugin.clone(), connection.clone());
                calls.push(tokio::spawn(async move {
                    sandbox.check(&plugin, connection, SystemClock.now()).await
                }));
            }
        }
        for call in calls {
            let answer = call.await.expect("no panic");
            assert!(matches!(answer, Err(Fault::Transient { .. })), "it was asked and refused: {answer:?}");
        }
        assert!(crowd.served.load(Ordering::SeqCst) >= 24, "every call has asked");
        let most = crowd.most.load(Ordering::SeqCst);
        assert!((2..=SEATS).contains(&most), "{most} requests were in flight at once");
        serving.abort();
    })
    .await;
}
