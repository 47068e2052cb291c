//! A connection moves to another build of its plugin when a person says so, knows before what would change, and
//! can go back.

use bytes::Bytes;
use portolan_access::audit::Who;
use portolan_app::plugins::ops::install_plugin;
use portolan_app::syncs::jobs::STREAM_GONE;
use portolan_app::upgrades::ops::{ShadowAim, start_shadow};
use portolan_app::upgrades::report::ShadowReport;
use portolan_app::upgrades::switch::{roll_back, switch_build};
use portolan_app::web::error::AppError;
use portolan_commerce::document::Document;
use portolan_connector::{Fault, Manifest};
use portolan_core::{ConnectionId, Duration, Instant};
use portolan_db::entity::connection::ConnectionState;
use portolan_db::entity::replay::{self, ReplayState};
use portolan_db::entity::{cash_event, document, sale_event, shadow_replay, stream};
use serde_json::{Value, json};

use crate::support::*;

/// Another version of the scripted plugin, with these members of its manifest in place of the first one's.
pub async fn install(shop: &TestApp, version: &str, members: Value) -> String {
    let mut text = serde_json::to_value(manifest()).expect("json");
    text["version"] = json!(version);
    for (name, value) in members.as_object().expect("members") {
        text[name] = value.clone();
    }
    let component = Bytes::from(text.to_string());
    install_plugin(&shop.app, component).await.expect("installed").plugin.sha256
}

/// The second version says that every order sold twice as much, and knows nothing of "B".
fn differ(shop: &TestApp) {
    shop.runtime.clone().on_normalize(|plugin, normalized| {
        if plugin.version == "1.0.0" {
            return;
        }
        for document in &mut normalized.documents {
            if let Document::Order(order) = document {
                order.gross_minor *= 2;
                order.total_minor *= 2;
                order.lines[0].gross_minor *= 2;
            }
        }
        let before = normalized.documents.len();
        normalized
            .documents
            .retain(|document| !matches!(document, Document::Order(order) if order.key == "B"));
        let gone = (before - normalized.documents.len()) as u32;
        normalized.emitted -= gone;
        for src in 0..gone {
            normalized.skipped.push(portolan_commerce::document::Skipped {
                src: src + 1,
                path: None,
                reason: "B is no order".to_owned(),
            });
        }
    });
}

/// A shop with two orders, on the first version, and the second installed beside it.
pub async fn a_shop_with_a_newer_version(test: &TestDatabase) -> (TestApp, ConnectionId, String) {
    let shop = TestApp::new(test, "shop").await;
    install(&shop, "1.0.0", json!({})).await;
    let connection = shop.connect().await;
    shop.runtime.clone().page("orders", &[order("A", 2, 60), order("B", 1, 60)]);
    assert_succeeded(&shop.sync(connection).await);
    let newer = install(&shop, "2.0.0", json!({})).await;
    differ(&shop);
    (shop, connection, newer)
}

pub async fn compare(shop: &TestApp, connection: ConnectionId) -> shadow_replay::Model {
    let id = start_shadow(&shop.app, shop.tenant, shop.who(), connection, ShadowAim::default())
        .await
        .expect("a comparison");
    shop.work().await;
    let rows = shop.rows::<shadow_replay::Entity>().await;
    rows.into_iter().find(|row| row.id == id).expect("the comparison")
}

async fn switch(
    shop: &TestApp,
    connection: ConnectionId,
    shadow: Uuid,
    consent: bool,
) -> Result<Uuid, AppError> {
    switch_build(&shop.app, shop.tenant, shop.who(), connection, shadow, consent).await
}

/// What was earned with goods as far as it had been recorded at a moment.
async fn net_recorded_before(shop: &TestApp, moment: Instant) -> i64 {
    let events = shop.rows::<sale_event::Entity>().await;
    let recorded = events.iter().filter(|event| event.recorded_at < moment.0);
    recorded.map(|event| event.gross_minor - event.discount_minor).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_a_newer_version_changes_no_connection() {
    on_both(migrate, async |test| {
        let (shop, connection, newer) = a_shop_with_a_newer_version(test).await;
        assert_ne!(shop.connection_row(connection).await.plugin_sha256, Some(newer));
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.net_minor(None).await, 3_000, "syncs go on with the version it is on");
        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}")).await.body;
        assert!(page.contains("2.0.0 is installed. Nothing changes before you switch."), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_tells_what_would_change_and_changes_nothing() {
    on_both(migrate, async |test| {
        let (shop, connection, newer) = a_shop_with_a_newer_version(test).await;
        let events = shop.rows::<sale_event::Entity>().await;
        let heads = shop.rows::<document::Entity>().await;
        let row = compare(&shop, connection).await;
        assert_eq!((row.state, &row.error_detail, &row.to_sha256), (ReplayState::Succeeded, &None, &newer));
        let report: ShadowReport =
            serde_json::from_str(row.report.as_deref().expect("a report")).expect("json");
        let money = &report.money[0];
        assert_eq!((money.currency.as_str(), money.kind.as_str()), ("EUR", "sale"));
        assert_eq!((money.net_minor_before, money.net_minor_after), (3_000, 4_000));
        assert_eq!((money.events_before, money.events_after), (2, 1));
        let orders = &report.documents[0];
        assert_eq!((orders.changed, orders.removed, orders.added), (1, 1, 0));
        let fields: Vec<&str> = report.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(fields, ["gross_minor", "lines[].gross_minor", "total_minor"]);
        let example = &report.fields[0].examples[0];
        assert_eq!(
            (example.key.as_str(), example.before.as_str(), example.after.as_str()),
            ("A", "2000", "4000")
        );
        let stream = &report.streams[0];
        assert_eq!((stream.before.skipped, stream.after.skipped), (0, 1));
        assert_eq!(stream.after.reasons, ["B is no order"]);
        assert_eq!(shop.rows::<sale_event::Entity>().await, events);
        assert_eq!(shop.rows::<document::Entity>().await, heads);
        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}/upgrade")).await.body;
        assert!(page.contains("2 of 2 documents would change.") && page.contains("30.00 → 40.00"), "{page}");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_is_one_step_and_what_was_reported_before_stays_answerable() {
    on_both(migrate, async |test| {
        let (shop, connection, newer) = a_shop_with_a_newer_version(test).await;
        let at_first = shop.standing().await;
        let trial = compare(&shop, connection).await;
        let before_the_switch = shop.app.clock.now();
        shop.advance(Duration::from_hours(1));
        switch(&shop, connection, trial.id, false).await.expect("switched");
        assert_eq!(shop.connection_row(connection).await.plugin_sha256, Some(newer.clone()));
        shop.work().await;
        let replays = shop.rows::<replay::Entity>().await;
        assert_eq!((replays[0].state, replays[0].reason.as_str()), (ReplayState::Succeeded, "upgrade"));
        assert_eq!(replays[0].plugin_sha256.as_deref(), Some(newer.as_str()));
        let report: ShadowReport =
            serde_json::from_str(trial.report.as_deref().expect("a report")).expect("json");
        assert_eq!(shop.net_minor(None).await, report.money[0].net_minor_after, "as it was told");
        assert_eq!(net_recorded_before(&shop, before_the_switch).await, 3_000, "what was reported then");
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(shop.net_minor(None).await, 4_000, "syncs go on with the other version");

        // The lineage of what stands now leads to the other version.
        let heads = shop.rows::<document::Entity>().await;
        let session = shop.session().await;
        let answer = shop.get(&session, &format!("/api/v1/orders/{}/lineage", heads[0].id)).await;
        let lineage: Value = serde_json::from_str(&answer.body).expect("json");
        let postings = lineage["postings"].as_array().expect("postings");
        let versions: Vec<&Value> = postings.iter().map(|posting| &posting["plugin"]["version"]).collect();
        assert_eq!(versions, [&json!("1.0.0"), &json!("2.0.0")]);
        assert_eq!(postings[0]["chunk_id"], postings[1]["chunk_id"], "of the same stored page");
        let counts: Vec<&Value> = lineage["versions"]
            .as_array()
            .expect("versions")
            .iter()
            .map(|version| &version["counts"])
            .collect();
        assert!(counts.contains(&&json!(true)) && counts.contains(&&json!(false)));

        roll_back(&shop.app, shop.tenant, shop.who(), connection).await.expect("gone back");
        shop.work().await;
        assert_eq!(shop.standing().await, at_first, "what stands is what stood");
        assert_eq!(shop.rows::<document::Entity>().await.len(), 2);
        assert_eq!(net_recorded_before(&shop, before_the_switch).await, 3_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_asks_for_more_needs_new_consent() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        install(&shop, "1.0.0", json!({})).await;
        let connection = shop.connect().await;
        let mut streams = serde_json::to_value(&manifest().streams).expect("json");
        streams[1]["personal_data"] = json!(["/customer/email"]);
        let streams = json!([streams[1], {
            "name": "products", "entity": "product", "mode": "snapshot", "framing": "json"
        }]);
        let hosts = json!(["{{shop}}.shops.example", "files.shops.example"]);
        install(&shop, "2.0.0", json!({ "hosts": hosts, "streams": streams, "files": [] })).await;
        let trial = compare(&shop, connection).await;
        assert_eq!(trial.state, ReplayState::Succeeded, "also where nothing is stored");
        let session = shop.session().await;
        let told = shop.get(&session, &format!("/api/v1/connections/{connection}/upgrades")).await;
        let told: Value = serde_json::from_str(&told.body).expect("json");
        assert_eq!(told["new_asks"]["hosts"], json!(["files.shops.example"]));
        assert_eq!(told["new_asks"]["personal_data"], json!(["orders /customer/email"]));
        assert_eq!(told["new_asks"]["secrets"], json!([]));

        let refused = switch(&shop, connection, trial.id, false).await.expect_err("no consent");
        assert_eq!((refused.code, refused.fields[0].path.as_str()), ("invalid_input", "consent"));
        switch(&shop, connection, trial.id, true).await.expect("switched");
        let row = shop.connection_row(connection).await;
        assert!(row.consent.contains("files.shops.example") && row.state == ConnectionState::Active);
        let streams = shop.rows::<stream::Entity>().await;
        let state = |name: &str| {
            streams
                .iter()
                .find(|stream| stream.name == name)
                .map(|stream| stream.state.clone())
                .unwrap_or_default()
        };
        assert_eq!((state("products").as_str(), state("stores").as_str()), ("active", STREAM_GONE));
        shop.work().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_settings_are_missing_waits_for_them() {
    on_both(migrate, async |test| {
        let (shop, connection, _) = a_shop_with_a_newer_version(test).await;
        let mut config = manifest().config;
        config["properties"]["second_token"] =
            json!({ "type": "string", "format": "secret", "title": "Second" });
        config["required"] = json!(["shop", "token", "second_token"]);
        let mut auth = serde_json::to_value(manifest().auth).expect("json");
        let mut second = auth[0].clone();
        second["id"] = json!("second");
        second["value"] = json!("{{second_token}}");
        auth.as_array_mut().expect("schemes").push(second);
        install(&shop, "3.0.0", json!({ "config": config, "auth": auth })).await;
        let trial = compare(&shop, connection).await;
        switch(&shop, connection, trial.id, true).await.expect("switched");
        assert_eq!(shop.connection_row(connection).await.state, ConnectionState::NeedsAuth);
        shop.work().await;
        assert_eq!(shop.net_minor(None).await, 4_000, "what is stored is read anew all the same");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_switched_unseen_or_under_a_running_sync() {
    on_both(migrate, async |test| {
        let (shop, connection, _) = a_shop_with_a_newer_version(test).await;
        let nothing = roll_back(&shop.app, shop.tenant, Who::operator(), connection).await;
        assert_eq!(nothing.expect_err("never switched").code, "conflict");
        let waiting = start_shadow(&shop.app, shop.tenant, Who::operator(), connection, ShadowAim::default())
            .await
            .expect("queued");
        assert_eq!(switch(&shop, connection, waiting, false).await.expect_err("not yet").code, "conflict");
        shop.work().await;
        let unknown = ShadowAim { sha256: Some("ab".repeat(32)), chunks_per_stream: None };
        let refused = start_shadow(&shop.app, shop.tenant, Who::operator(), connection, unknown).await;
        assert_eq!(refused.expect_err("no such version").code, "invalid_input");

        // The channel is busy: the sync is at work, and waits for its next attempt.
        let busy = Fault::Transient { after_ms: None, detail: "busy".to_owned() };
        shop.runtime.clone().fetch_fault("orders", 0, busy);
        shop.start(connection).await;
        shop.work().await;
        let refused = switch(&shop, connection, waiting, false).await.expect_err("a sync runs");
        assert!(refused.detail.contains("/syncs/"), "{}", refused.detail);
        shop.advance(Duration::from_hours(1));
        shop.work().await;
        switch(&shop, connection, waiting, false).await.expect("switched");
        let again = switch(&shop, connection, waiting, false).await.expect_err("it is on it");
        assert!(again.detail.contains("Compare anew"), "{}", again.detail);
        shop.work().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_sees_nothing_of_an_upgrade() {
    on_both(migrate, async |test| {
        let (shop, connection, _) = a_shop_with_a_newer_version(test).await;
        let trial = compare(&shop, connection).await;
        let other = TestApp::new(test, "other").await;
        let session = other.session().await;
        let path = format!("/api/v1/connections/{connection}/upgrades");
        assert_eq!(other.get(&session, &path).await.status, 404);
        assert_eq!(other.get(&session, &format!("{path}/{}", trial.id)).await.status, 404);
        assert_eq!(other.post_json(&session, &path, "{}").await.status, 404);
        for action in ["switch", "cancel"] {
            let path = format!("{path}/{}/{action}", trial.id);
            assert_eq!(other.post_json(&session, &path, "{}").await.status, 404, "{action}");
        }
        let path = format!("/api/v1/connections/{connection}/rollback");
        assert_eq!(other.post_json(&session, &path, "{}").await.status, 404);
        assert_eq!(other.get(&session, &format!("/connections/{connection}/upgrade")).await.status, 404);
        // A manifest that is read again is the same manifest.
        let text = serde_json::to_string(&manifest()).expect("json");
        assert_eq!(Manifest::parse(text.as_bytes()).expect("a manifest"), manifest());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_at_the_provider_is_compared_before_the_switch_and_stands_after_it() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        install(&shop, "1.0.0", json!({})).await;
        let connection = shop.connect().await;
        let told = [
            balance_entry("t-1", Some("ch_1"), "sale", (1_000, 30), 60),
            balance_entry("t-2", Some("ch_1"), "refund", (-400, 0), 60),
        ];
        shop.runtime.clone().page("orders", &told);
        assert_succeeded(&shop.sync(connection).await);
        install(&shop, "2.0.0", json!({})).await;
        // The second version has found a fee that the first one overlooked.
        shop.runtime.clone().on_normalize(|plugin, normalized| {
            for document in &mut normalized.documents {
                if let Document::BalanceEntry(entry) = document
                    && plugin.version != "1.0.0"
                    && entry.category == "sale"
                {
                    entry.fee_minor += 15;
                    entry.net_minor -= 15;
                }
            }
        });
        let trial = compare(&shop, connection).await;
        let report = trial.report.as_deref().expect("a report");
        let report: ShadowReport = serde_json::from_str(report).expect("json");
        let all = &report.cash[0];
        assert_eq!((all.currency.as_str(), all.category.as_deref()), ("EUR", None));
        assert_eq!((all.gross_minor_before, all.gross_minor_after), (600, 600));
        assert_eq!((all.fee_minor_before, all.fee_minor_after), (30, 45));
        assert_eq!((all.net_minor_before, all.net_minor_after), (570, 555));

        let session = shop.session().await;
        let page = shop.get(&session, &format!("/connections/{connection}/upgrade")).await.body;
        for text in ["Money at the provider", "all movements, EUR", "0.30 → 0.45", "5.70 → 5.55"] {
            assert!(page.contains(text), "{text} in {page}");
        }
        let path = format!("/api/v1/connections/{connection}/upgrades/{}", trial.id);
        let answer: Value = serde_json::from_str(&shop.get(&session, &path).await.body).expect("json");
        assert_eq!(answer["report"]["cash"][0]["fee_minor_after"], 45);

        switch_build(&shop.app, shop.tenant, shop.who(), connection, trial.id, false)
            .await
            .expect("switched");
        shop.work().await;
        let events = shop.rows::<cash_event::Entity>().await;
        let net: i64 = events.iter().map(|event| event.net_minor).sum();
        assert_eq!(net, all.net_minor_after, "as it was told");
    })
    .await;
}
