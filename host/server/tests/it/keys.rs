//! The operator's commands over keys and walls, beside a running server.

use portolan_db::sea_orm::{ConnectionTrait, DbBackend, Statement};
use portolan_db::testing::{TestDatabase, say_skipped};

use crate::support::Portolan;
use crate::till::import;
use crate::visitor::Visitor;

/// The ids of the master keys that `portolan secrets status` names.
fn master_keys(portolan: &Portolan) -> Vec<String> {
    let status = portolan.run(&["secrets", "status"]);
    let lines = status.lines().filter_map(|line| line.strip_prefix("master key "));
    lines.map(|line| line.split(':').next().expect("an id").to_owned()).collect()
}

fn keys_change_beside_a_running_server(portolan: &Portolan) {
    import(portolan, 20);
    let server = portolan.serve();
    server.wait_until_up();
    let visitor = Visitor::sign_in(portolan, server.port);
    let first = master_keys(portolan);
    assert_eq!(first.len(), 1);

    let rotated = portolan.run(&["secrets", "rotate"]);
    assert!(rotated.contains("connection_secret.sealed: 1 sealed anew, 0 do not open, 0 left"), "{rotated}");
    let both = master_keys(portolan);
    assert_eq!(both.len(), 2);
    let refused = portolan.output(&["secrets", "remove-key", &both[0]]);
    assert!(!refused.status.success(), "the active key stays");
    portolan.run(&["secrets", "remove-key", &first[0]]);
    assert_eq!(master_keys(portolan), [both[0].clone()]);

    // The server has never been told, and opens the shop's token all the same: the shop is away, no more.
    let syncs = visitor.get("/api/v1/connections");
    assert_eq!(syncs.status, 200, "{syncs:?}");
    let doctor = portolan.run(&["doctor"]);
    assert!(doctor.contains("sealed connection_secret.sealed: 1 (1 readable; data key 2: 1)"), "{doctor}");
    assert!(!server.log().contains("master key"), "{}", server.log());
    drop(server);

    let key_file = portolan.folder.path().join("master.key");
    let keys = std::fs::read_to_string(&key_file).expect("keys");
    std::fs::remove_file(&key_file).expect("lose the keys");
    let doctor = portolan.output(&["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        !doctor.status.success() && told.contains("BROKEN") && told.contains("restore the key file"),
        "{told}"
    );
    assert!(told.contains("0 of 1 open"), "{told}");
    std::fs::write(&key_file, keys).expect("found again");
    portolan.run(&["doctor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_beside_a_running_server_on_sqlite() {
    let told = tokio::task::spawn_blocking(|| keys_change_beside_a_running_server(&Portolan::embedded()));
    told.await.expect("the story");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_beside_a_running_server_on_postgres() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let url = database.config.url.clone();
    let story = move || keys_change_beside_a_running_server(&Portolan::on_postgres(url));
    tokio::task::spawn_blocking(story).await.expect("the story");
    database.discard().await;
}

async fn run_sql(database: &TestDatabase, sql: &str) {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    database.database.migration_connection().execute_raw(statement).await.expect(sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_tenants_postgres_does_not_keep_apart_does_not_start() {
    let Some(database) = TestDatabase::postgres(portolan_migrations::migrate).await else {
        return say_skipped();
    };
    // Somebody means well and opens a table for everybody.
    let wide = "CREATE POLICY wide ON sale_event USING (true)";
    run_sql(&database, wide).await;
    let role = format!("portolan_test_{}", std::process::id());
    let make = format!("CREATE ROLE {role} LOGIN IN ROLE portolan_app");
    run_sql(&database, &make).await;
    let host = database.config.url.split_once('@').expect("a role in the address").1.to_owned();
    let owners = database.config.url.clone();
    let told = tokio::task::spawn_blocking(move || {
        let server = Portolan::on_postgres(format!("postgres://{role}@{host}"));
        let refused = server.output(&["serve", "--listen", "127.0.0.1:0"]);
        let log = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{log}");
        assert!(log.contains("portolan migrate --database-url"), "{log}");
        // What it says to do mends it.
        Portolan::on_postgres(owners).run(&["migrate"]);
        server.run(&["doctor"]);
        role
    });
    let role = told.await.expect("the story");
    let leave = format!("DROP ROLE {role}");
    run_sql(&database, &leave).await;
    database.discard().await;
}
