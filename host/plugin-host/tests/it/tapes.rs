//! Recordings of a connection: what is secret or personal is in no cassette, and a replay opens no connection.

use portolan_connector::cassette::Cassette;
use portolan_connector::{PluginRuntime, SliceMode, SliceSpec};
use portolan_plugin_host::{Ask, Outcome, TapeError};

use crate::support::{Connection, NOW, Sandbox, TOKEN, behaving};
use crate::upstream::{Upstream, ok};

fn ask() -> Ask {
    let slice = SliceSpec {
        stream: "orders".to_owned(),
        partition: None,
        since: None,
        until: None,
        mode: SliceMode::Snapshot,
    };
    Ask { slices: vec![slice], pages: 3, now: NOW }
}

async fn record(sandbox: &Sandbox, connection: Connection) -> Result<(Cassette, Vec<Outcome>), TapeError> {
    let installed = sandbox.runtime.build(&sandbox.plugin.sha256).expect("installed");
    sandbox.runtime.record(&installed, &connection.context(), &ask()).await
}

/// Text in other clothes: none of them may be in a cassette.
fn spellings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let standard = base64::engine::general_purpose::STANDARD.encode(secret);
    vec![secret.to_owned(), hex.to_uppercase(), hex, standard.trim_end_matches('=').to_owned()]
}

#[tokio::test]
async fn no_secret_and_nobody_is_in_a_cassette() {
    let sandbox = Sandbox::new().await;
    // A channel that says again what it was sent, in every spelling, and speaks of people.
    let upstream = Upstream::start(|_| {
        let echoes = spellings(TOKEN).join(" ");
        ok(&serde_json::json!({
            "echo": echoes, "email": "ada@mail.example", "customer": { "name": "Ada Lovelace" },
            "shipping_address": { "address1": "12 St James's Square", "phone": "+44 20 7946 0958" },
            "text": "Ada Lovelace called from +442079460958", "id": 1, "total": 19.90
        })
        .to_string())
    })
    .await;
    let asking = behaving("get", "/orders?email=ada%40mail.example").at_sandbox(upstream.port);
    let (cassette, outcomes) = record(&sandbox, asking).await.expect("a recording");
    assert_eq!((outcomes[0].pages, outcomes[0].exchanges), (1, 1));
    let written = cassette.write().expect("written");
    for canary in spellings(TOKEN) {
        assert!(!written.contains(&canary), "{canary} in {written}");
    }
    for canary in ["ada@", "ada%40", "Ada", "Lovelace", "James", "7946", "442079460958", "canary-signing-key"]
    {
        assert!(!written.contains(canary), "{canary} in {written}");
    }
    assert!(written.contains("19.9") && written.contains("person1%40example.com"), "{written}");
    assert!(!written.contains("x-test-token"), "what the host adds is not recorded: {written}");
}

#[tokio::test]
async fn a_replay_opens_no_connection_and_needs_no_secret() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok(r#"{"orders": [{"id": 7}]}"#)).await;
    let asking = behaving("get-all", "/1 /2 /1").at_sandbox(upstream.port);
    let (cassette, _) = record(&sandbox, asking).await.expect("a recording");
    assert_eq!(upstream.heads().len(), 3);
    let urls: Vec<&str> = cassette.takes[0].exchanges.iter().map(|each| each.request.url.as_str()).collect();
    assert_eq!(urls, ["/1", "/2", "/1"], "in the order in which they were asked");
    let replayed = sandbox.runtime.replay(&sandbox.plugin, &cassette).await.expect("a replay");
    assert_eq!((replayed[0].pages, replayed[0].exchanges), (1, 3));
    assert_eq!(upstream.heads().len(), 3, "nobody was asked again");
}

#[tokio::test]
async fn what_was_not_recorded_is_not_answered() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("{}")).await;
    let asking = behaving("get-few", "/1").at_sandbox(upstream.port);
    let (mut cassette, _) = record(&sandbox, asking).await.expect("a recording");
    cassette.takes[0].exchanges[0].request.url = "/other".to_owned();
    let error = sandbox.runtime.replay(&sandbox.plugin, &cassette).await.expect_err("no answer");
    assert!(error.to_string().contains("asks otherwise than when it was recorded"), "{error}");
    assert_eq!(upstream.heads().len(), 1);
}

/// A guest that goes on without an answer does not hide that there was none.
#[tokio::test]
async fn a_plugin_cannot_pass_over_what_was_not_recorded() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("{}")).await;
    let asking = behaving("get-all", "/1 /2").at_sandbox(upstream.port);
    let (mut cassette, _) = record(&sandbox, asking).await.expect("a recording");
    cassette.takes[0].exchanges[1].request.url = "/other".to_owned();
    let error = sandbox.runtime.replay(&sandbox.plugin, &cassette).await.expect_err("no answer");
    assert!(error.to_string().contains("no answer to this GET /2"), "{error}");
}

#[tokio::test]
async fn a_body_that_nobody_can_read_makes_no_cassette() {
    let sandbox = Sandbox::new().await;
    let upstream = Upstream::start(|_| ok("name;mail\nAda;ada@mail.example\n")).await;
    let error = record(&sandbox, behaving("get", "/orders.csv").at_sandbox(upstream.port)).await;
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("GET /orders.csv cannot be recorded: it is neither JSON"), "{error}");
}

/// A download is recorded as any other answer, and its file is given back.
#[tokio::test]
async fn a_download_is_recorded_and_played() {
    let sandbox = Sandbox::new().await;
    let upstream =
        Upstream::start(|_| ok("{\"email\": \"ada@mail.example\"}\n{\"email\": \"bob@mail.example\"}\n"))
            .await;
    let asking = behaving("download", "/bulk.jsonl").at_sandbox(upstream.port);
    let (cassette, _) = record(&sandbox, asking).await.expect("a recording");
    let written = cassette.write().expect("written");
    assert!(written.contains("person2@example.com") && !written.contains("mail.example"), "{written}");
    let replayed = sandbox.runtime.replay(&sandbox.plugin, &cassette).await.expect("a replay");
    assert_eq!(replayed[0].pages, 1);
    assert_eq!(upstream.heads().len(), 1);
}
