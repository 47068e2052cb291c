//! Planted secrets are looked for wherever bytes come to rest or leave: the database's files and its write-ahead
//! log, the log, and every answer of a story in which much goes wrong.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portolan_access::Secrets;
use portolan_app::connections::ops::set_state;
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::system::doctor;
use portolan_connector::{AuthKind, Fault};
use portolan_db::Dialect;
use portolan_db::entity::connection::ConnectionState;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::*;

mod door;

/// Secrets that are planted at least.
const LEAST: usize = 50;

/// Stands in the clear, and has to be found: what finds nothing proves nothing.
const CONTROL: &str = "Harbour shop 7f3c51e0d2";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is planted, by what it is.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn plant(&mut self, what: &'static str) -> String {
        let text = format!(
            "canary-{}",
            Uuid::from_u128(0x1903_77aa_0001 + self.0.len() as u128 * 0x0001_019b_3d77).simple()
        );
        self.0.push((what, text.clone()));
        text
    }

    /// The first that some bytes hold, in the clear or in a usual disguise.
    fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(bytes);
        let holds = |needle: &str| text.contains(needle);
        let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
        let planted = self.0.iter().find(|(_, text)| {
            holds(text)
                || holds(&hex(text))
                || holds(STANDARD.encode(text).trim_end_matches('='))
                || holds(&URL_SAFE_NO_PAD.encode(text))
        });
        planted.map(|(what, _)| *what)
    }
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(needle)
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_rest_nowhere_in_the_clear_and_leave_through_no_answer() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only log of this process");
    on_both(migrate, async |test| {
        let mut canaries = Canaries(Vec::new());
        let from = written_so_far(test).await;
        let answers = story(test, &mut canaries).await;
        assert!(canaries.0.len() >= LEAST, "{} are planted", canaries.0.len());
        for answer in &answers {
            assert_eq!(canaries.found_in(answer.as_bytes()), None, "in an answer: {answer}");
        }
        assert!(answers.iter().any(|answer| answer.contains(CONTROL)), "the control is answered");
        match test.dialect() {
            Dialect::Sqlite => {
                back_up(test).await;
                look_into_files(test, &canaries);
            }
            Dialect::Postgres => look_into_postgres(test, &canaries, &from).await,
        }
        let logged = log.0.lock().expect("log").clone();
        assert_eq!(canaries.found_in(&logged), None, "in the log");
        assert!(contains(&logged, "connection created"), "the log is kept");
    })
    .await;
}

/// Signing in, connecting, syncing, changing keys; right and wrong. Gives every answer.
async fn story(test: &TestDatabase, canaries: &mut Canaries) -> Vec<String> {
    let shop = TestApp::new(test, "shop").await;
    let mut answers = Vec::new();

    let password = canaries.plant("a password");
    let owner =
        NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
    add_owner(&shop.app, "mara", Some(&password), owner).await.expect("an owner");
    let wrong = canaries.plant("a mistyped password");
    for attempt in [&wrong, &password] {
        let form = format!("name=mara&password={attempt}");
        let request = Request::post("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let answer = shop.ask(request.body(Body::from(form)).expect("a request")).await;
        answers.push(answer.body);
        if let Some(cookie) = answer.cookie {
            let token = cookie.split(['=', ';']).nth(1).expect("a token").to_owned();
            canaries.0.push(("a session", token));
        }
    }
    let link = shop.app.sessions.create_link(shop.tenant, shop.user).await.expect("a link");
    canaries.0.push(("a sign-in link", link));
    let session = shop.session().await;
    canaries.0.push(("another session", session.trim_start_matches("ptl_session=").to_owned()));

    let token = canaries.plant("a channel's token");
    let connect = json!({ "plugin_id": "fake", "label": CONTROL, "time_zone": "UTC",
        "config": { "shop": "harbour", "token": token }, "consent": true });
    let mut without_consent = connect.clone();
    without_consent["consent"] = json!(false);
    let mut number = connect.clone();
    number["config"]["token"] = json!({ "value": token });
    for body in [without_consent, number] {
        answers.push(shop.post_json(&session, "/api/v1/connections", &body.to_string()).await.body);
    }
    answers.push(
        shop.post_json(&session, "/api/v1/connections", &format!("{{\"config\": \"{token}")).await.body,
    );
    let made = shop.post_json(&session, "/api/v1/connections", &connect.to_string()).await;
    assert!(made.status.is_success(), "{}", made.body);
    let id: Value = serde_json::from_str(&made.body).expect("json");
    let id = portolan_core::ConnectionId(id["id"].as_str().expect("an id").parse().expect("a uuid"));
    answers.push(made.body);

    let replaced = canaries.plant("a replaced token");
    let path = format!("/api/v1/connections/{id}/secret");
    for body in [
        json!({ "field": "token", "value": replaced }),
        json!({ "field": "shop", "value": replaced }),
        json!({ "field": "token", "value": [replaced] }),
    ] {
        let request = Request::put(&path)
            .header(header::COOKIE, &session)
            .header(header::CONTENT_TYPE, "application/json")
            .header("sec-fetch-site", "same-origin");
        answers.push(shop.ask(request.body(Body::from(body.to_string())).expect("a request")).await.body);
    }

    let refused = Fault::Auth { kind: AuthKind::Invalid, missing: Vec::new(), detail: "401".to_owned() };
    let customers =
        [canaries.plant("a customer's id"), canaries.plant("a customer's id after keys were changed")];
    let runtime = shop.runtime.clone().page("orders", &[order_of("A", 1, 60, &customers[0])]);
    drop(runtime.fetch_fault("stores", 0, refused));
    shop.sync(id).await;
    set_state(&shop.app, shop.tenant, shop.who(), id, ConnectionState::Active).await.expect("resumed");
    shop.sync(id).await;
    Secrets::new(
        shop.app.db.clone(),
        Arc::clone(&shop.app.key_ring),
        Arc::clone(&shop.app.clock),
        Arc::clone(&shop.app.random),
    )
    .rotate()
    .await
    .expect("rotate");
    assert_secret_opens(&shop, id, &replaced).await;
    shop.runtime.clear_pages("orders");
    drop(shop.runtime.clone().page("orders", &[order_of("B", 2, 50, &customers[1])]));
    shop.sync(id).await;
    assert_eq!(shop.rows::<portolan_db::entity::person::Entity>().await.len(), 2, "both are known");
    answers.extend(
        doctor::examine(&shop.app).await.expect("the doctor").iter().map(|finding| format!("{finding:?}")),
    );
    for page in [
        "/connections",
        "/syncs",
        "/orders",
        &format!("/connections/{id}"),
        "/api/v1/connections",
        "/api/v1/syncs",
    ] {
        let answer = shop.get(&session, page).await;
        assert_eq!(answer.status, 200, "{page}");
        answers.push(answer.body);
    }
    door::many_connections(&shop, &session, canaries, &mut answers).await;
    door::keys(&shop, &session, canaries, &mut answers).await;
    door::second_factor(&shop, canaries, &mut answers, &password).await;
    door::strangers(&shop, &session, canaries, &mut answers).await;
    answers
}

/// The canary did get to where it belongs.
async fn assert_secret_opens(shop: &TestApp, id: portolan_core::ConnectionId, plain: &str) {
    let row = shop.connection_row(id).await;
    let tx = shop.app.db.read(shop.tenant).await.expect("read");
    let context =
        portolan_app::channels::context::load_context(&shop.app, &tx, &row).await.expect("a context");
    assert!(context.secrets.iter().any(|(field, value)| field == "token" && value.expose() == plain));
}

/// The ending of a copy's name.
const BACKUP: &str = ".backup";

/// A copy as an operator makes one of a database in use.
async fn back_up(test: &TestDatabase) {
    let file = test.database.file().expect("a file").display().to_string();
    let sql = format!("VACUUM INTO '{file}{BACKUP}'");
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    test.database.migration_connection().execute_raw(statement).await.expect("a copy");
}

fn look_into_files(test: &TestDatabase, canaries: &Canaries) {
    let file = test.database.file().expect("a file").to_owned();
    let mut control = false;
    for ending in ["", "-wal", "-shm", BACKUP] {
        let mut path = file.clone().into_os_string();
        path.push(ending);
        let bytes = std::fs::read(&path).expect("the file");
        assert_eq!(canaries.found_in(&bytes), None, "in {}", path.display());
        control |= contains(&bytes, CONTROL);
    }
    assert!(control, "the control is in the files");
}

/// The file of PostgreSQL's write-ahead log that is being written; it is kept, and all that follow.
async fn written_so_far(test: &TestDatabase) -> String {
    if test.dialect() == Dialect::Sqlite {
        return String::new();
    }
    test.keep_write_ahead_log().await;
    log_file(test).await
}

async fn log_file(test: &TestDatabase) -> String {
    let sql = "SELECT pg_walfile_name(pg_current_wal_lsn())";
    let row =
        test.database.migration_connection().query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
    row.await.expect("query").expect("row").try_get_by_index(0).expect("name")
}

/// The server reads its own files: those of this database, and what of the log is new.
async fn look_into_postgres(test: &TestDatabase, canaries: &Canaries, from: &str) {
    let connection = test.database.migration_connection();
    let rows = async |sql: &str| {
        connection.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("files")
    };
    rows("CHECKPOINT").await;
    let files = rows(
        "SELECT 'base/' || d.oid || '/' || f AS name FROM pg_database AS d, pg_ls_dir('base/' || d.oid) AS f \
         WHERE d.datname = current_database() AND f ~ '^[0-9]+$'",
    )
    .await;
    let until = log_file(test).await;
    let log =
        format!("SELECT 'pg_wal/' || name FROM pg_ls_waldir() WHERE name >= '{from}' AND name <= '{until}'");
    let log = rows(&log).await;
    let (mut in_files, mut in_log) = (false, false);
    for row in files.iter().chain(&log) {
        let name: String = row.try_get_by_index(0).expect("name");
        let read = rows(&format!("SELECT pg_read_binary_file('{name}', 0, 67108864, true)")).await;
        let bytes: Option<Vec<u8>> = read[0].try_get_by_index(0).expect("bytes");
        let bytes = bytes.unwrap_or_default();
        assert_eq!(canaries.found_in(&bytes), None, "in {name}");
        let control = contains(&bytes, CONTROL);
        in_files |= control && name.starts_with("base/");
        in_log |= control && name.starts_with("pg_wal/");
    }
    assert!(in_files && in_log, "the control is in the files ({in_files}) and in the log ({in_log})");
}
