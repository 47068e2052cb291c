//! The second wall: PostgreSQL keeps tenants apart when our own filter is gone.
//!
//! The saboteur is a database handle whose tenant transactions neither filter nor refuse. What it reaches is
//! measured on every table that has a tenant, whoever added it.

use portolan_core::TenantId;
use portolan_db::entity::{job, quarantine};
use portolan_db::sea_orm::{ConnectionTrait, DbBackend, Statement};
use portolan_db::testing::say_skipped;
use portolan_db::{Database, DatabaseConfig, DbError};

use crate::support::{TestDatabase, migrate, new_id, note, on_both, write_note};

/// Where work over all tenants may go, and nowhere else: a table added here is a decision (0004).
const HOUSE_TABLES: [&str; 10] = [
    "api_key",
    "api_token",
    "job",
    "lane",
    "membership",
    "pending_sign_in",
    "schedule",
    "session",
    "sign_in_link",
    "tenant_domain",
];

fn two_tenants() -> (TenantId, TenantId) {
    (TenantId(new_id()), TenantId(new_id()))
}

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = database.migration_connection().query_all_raw(statement).await.expect(sql);
    rows.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
}

async fn tables_of_tenants(database: &Database) -> Vec<String> {
    let sql = "SELECT table_name::text FROM information_schema.columns \
               WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY table_name";
    texts(database, sql).await
}

/// An insert of any row at all that belongs to this tenant.
async fn any_row(database: &Database, table: &str, tenant: TenantId) -> String {
    let sql = format!(
        "SELECT column_name || '=' || data_type FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
    );
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for column in texts(database, &sql).await {
        let (name, kind) = column.split_once('=').expect("name and type");
        columns.push(format!("\"{name}\""));
        values.push(match (name, kind) {
            ("tenant_id", _) => format!("'{}'::uuid", tenant.0),
            (_, "uuid") => "gen_random_uuid()".to_owned(),
            (_, "text" | "character varying") => "gen_random_uuid()::text".to_owned(),
            (_, "bigint" | "integer" | "smallint" | "double precision" | "numeric") => {
                "(random() * 30000)::int".to_owned()
            }
            (_, "boolean") => "false".to_owned(),
            (_, "bytea") => "'\\x00'::bytea".to_owned(),
            other => panic!("{table} has a column of a kind that no test knows: {other:?}"),
        });
    }
    format!("INSERT INTO \"{table}\" ({}) VALUES ({})", columns.join(", "), values.join(", "))
}

/// One row of ours, one of theirs and one of a third in every table, without the rows that they refer to.
async fn fill(database: &Database, tables: &[String], ours: TenantId, theirs: TenantId) {
    let third = TenantId(new_id());
    let mut sql = "SET session_replication_role = replica;".to_owned();
    for table in tables {
        for tenant in [ours, theirs, third] {
            sql.push_str(&any_row(database, table, tenant).await);
            sql.push(';');
        }
    }
    sql.push_str("SET session_replication_role = DEFAULT");
    database.migration_connection().execute_unprepared(&sql).await.expect("fill");
}

async fn affected(database: &Database, tenant: TenantId, sql: String) -> Result<u64, DbError> {
    let run = database.write(tenant, move |tx| {
        Box::pin(async move {
            let done = tx.execute_raw(tx.statement(sql, [])).await?;
            // Counted, then taken back.
            Err::<(), _>(DbError::Unsafe(done.rows_affected().to_string()))
        })
    });
    match run.await.expect_err("taken back") {
        DbError::Unsafe(count) => Ok(count.parse().expect("count")),
        error => Err(error),
    }
}

fn is_refused(error: &DbError) -> bool {
    error.to_string().contains("row-level security policy")
}

#[tokio::test]
async fn without_the_first_wall_every_table_still_shows_its_own_tenant_alone() {
    let Some(test) = TestDatabase::postgres(migrate).await else { return say_skipped() };
    let (ours, theirs) = two_tenants();
    let tables = tables_of_tenants(&test.database).await;
    assert!(tables.len() >= 20, "{tables:?}");
    fill(&test.database, &tables, ours, theirs).await;
    let saboteur = test.database.without_tenant_filter();

    let mut foreign_rows = 0;
    for table in &tables {
        let tx = saboteur.read(ours).await.expect("read");
        let count =
            tx.statement(format!("SELECT count(*) FROM \"{table}\" WHERE tenant_id <> $1"), [ours.0.into()]);
        let count: i64 =
            tx.query_one_raw(count).await.expect("count").expect("row").try_get_by_index(0).expect("i64");
        foreign_rows += count;
        let all = tx.statement(format!("SELECT count(*) FROM \"{table}\""), []);
        let all: i64 =
            tx.query_one_raw(all).await.expect("count").expect("row").try_get_by_index(0).expect("i64");
        assert_eq!(all, 1, "{table}: exactly our own row");
        drop(tx);

        let update = format!("UPDATE \"{table}\" SET tenant_id = tenant_id");
        assert_eq!(affected(&saboteur, ours, update).await.expect("update"), 1, "{table}");
        let delete = format!("DELETE FROM \"{table}\"");
        assert_eq!(affected(&saboteur, ours, delete).await.expect("delete"), 1, "{table}");
        let insert = any_row(&test.database, table, theirs).await;
        let refused = affected(&saboteur, ours, insert).await.expect_err("a foreign row");
        assert!(is_refused(&refused), "{table}: {refused}");
        let give_away = format!("UPDATE \"{table}\" SET tenant_id = '{}'", theirs.0);
        let refused = affected(&saboteur, ours, give_away).await.expect_err("a row given away");
        assert!(is_refused(&refused), "{table}: {refused}");
        let empty =
            affected(&saboteur, ours, format!("TRUNCATE \"{table}\" CASCADE")).await.expect_err("emptied");
        assert!(empty.to_string().contains("permission denied"), "{table}: {empty}");
    }
    assert_eq!(foreign_rows, 0);
    test.discard().await;
}

#[tokio::test]
async fn the_saboteur_reaches_everything_where_there_is_no_second_wall() {
    on_both(migrate, async |test| {
        let (ours, theirs) = two_tenants();
        write_note(&test.database, note(ours, "ours")).await.expect("write ours");
        write_note(&test.database, note(theirs, "theirs")).await.expect("write theirs");
        let saboteur = test.database.without_tenant_filter();
        let tx = saboteur.read(ours).await.expect("read");
        let found = tx.find::<quarantine::Entity>().all(&tx).await.expect("find").len();
        drop(tx);
        let foreign = saboteur.write(ours, move |tx| {
            Box::pin(async move {
                tx.insert(quarantine::ActiveModel::from(note(theirs, "planted"))).await.map(|_| ())
            })
        });
        let planted = foreign.await;
        match test.dialect() {
            // SQLite has no policies: the first wall is its only one, and the saboteur is no paper tiger.
            portolan_db::Dialect::Sqlite => {
                assert_eq!(found, 2);
                planted.expect("nothing holds it");
            }
            portolan_db::Dialect::Postgres => {
                assert_eq!(found, 1);
                assert!(is_refused(&planted.expect_err("refused")));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn work_for_all_tenants_reaches_its_own_tables_alone() {
    let Some(test) = TestDatabase::postgres(migrate).await else { return say_skipped() };
    let (ours, theirs) = two_tenants();
    let tables = tables_of_tenants(&test.database).await;
    fill(&test.database, &tables, ours, theirs).await;
    for table in &tables {
        let expected = if HOUSE_TABLES.contains(&table.as_str()) { 3 } else { 0 };
        let tx = test.database.system_read().await.expect("read");
        let all = tx.statement(format!("SELECT count(*) FROM \"{table}\""), []);
        let all: i64 =
            tx.query_one_raw(all).await.expect("count").expect("row").try_get_by_index(0).expect("i64");
        assert_eq!(all, expected, "{table}");
        drop(tx);
        if expected == 0 {
            let insert = any_row(&test.database, table, ours).await;
            let refused = test.database.system_write(move |tx| {
                Box::pin(async move { Ok::<_, DbError>(tx.execute_raw(tx.statement(insert, [])).await?) })
            });
            assert!(is_refused(&refused.await.expect_err("a row of a tenant")), "{table}");
        }
    }
    // Outside any transaction there is no tenant, and nothing to see.
    let tx = test.database.read(TenantId(new_id())).await.expect("read");
    assert!(tx.find::<job::Entity>().all(&tx).await.expect("find").is_empty());
    drop(tx);
    test.discard().await;
}

#[tokio::test]
async fn a_wall_with_a_hole_is_refused_until_migrating_mends_it() {
    let Some(test) = TestDatabase::postgres(migrate).await else { return say_skipped() };
    let raw = test.database.migration_connection();
    for hole in [
        "ALTER TABLE quarantine NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE quarantine DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_wall ON quarantine",
        "CREATE POLICY wide ON quarantine USING (true)",
        "CREATE TABLE another (tenant_id uuid, secret text)",
    ] {
        raw.execute_unprepared(hole).await.expect(hole);
        let database = Database::connect(&test.config).await.expect("open");
        let refused = database.check_row_security().await.expect_err(hole);
        let words = refused.to_string();
        assert!(matches!(refused, DbError::Unsafe(_)), "{words}");
        assert!(
            words.contains("portolan migrate") && words.contains("--accept-missing-row-security"),
            "{words}"
        );
        let refused =
            write_note(&database, note(TenantId(new_id()), "never")).await.expect_err("no transaction");
        assert!(matches!(refused, DbError::Unsafe(_)), "{refused}");
        database.close().await.expect("close");

        let trial = DatabaseConfig { accept_missing_row_security: true, ..test.config.clone() };
        let trial = Database::connect(&trial).await.expect("open");
        write_note(&trial, note(TenantId(new_id()), "on trial")).await.expect("as the operator asks");
        trial.close().await.expect("close");

        migrate(raw).await.expect("migrate");
        let database = Database::connect(&test.config).await.expect("open");
        database.check_row_security().await.expect(hole);
        database.close().await.expect("close");
    }
    test.discard().await;
}

/// The test database as another role sees it. The role is gone with [`Other::leave`].
struct Other {
    role: String,
    config: DatabaseConfig,
}

impl Other {
    async fn enter(test: &TestDatabase, attributes: &str) -> Self {
        let role = format!("portolan_test_{}", new_id().simple());
        let raw = test.database.migration_connection();
        raw.execute_unprepared(&format!("CREATE ROLE {role} LOGIN {attributes}")).await.expect("role");
        let (scheme, rest) = test.config.url.split_once("://").expect("address");
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        let config = DatabaseConfig { url: format!("{scheme}://{role}@{host}"), ..test.config.clone() };
        Self { role, config }
    }

    async fn leave(self, test: &TestDatabase) {
        let raw = test.database.migration_connection();
        let sql =
            format!("REASSIGN OWNED BY {0} TO CURRENT_USER; DROP OWNED BY {0}; DROP ROLE {0}", self.role);
        raw.execute_unprepared(&sql).await.expect("leave");
    }
}

#[tokio::test]
async fn a_role_of_the_application_works_without_owning_anything() {
    let Some(test) = TestDatabase::postgres(migrate).await else { return say_skipped() };
    let (ours, theirs) = two_tenants();
    write_note(&test.database, note(theirs, "theirs")).await.expect("write theirs");
    let other = Other::enter(&test, "NOBYPASSRLS IN ROLE portolan_app").await;
    let database = Database::connect(&other.config).await.expect("open");
    database.check_row_security().await.expect("it is held");
    migrate(database.migration_connection()).await.expect("nothing is to be done");
    write_note(&database, note(ours, "ours")).await.expect("write ours");
    let tx = database.without_tenant_filter().read(ours).await.expect("read");
    assert_eq!(tx.find::<quarantine::Entity>().all(&tx).await.expect("find").len(), 1);
    drop(tx);
    let raw = database.migration_connection();
    for forbidden in [
        "ALTER TABLE quarantine DISABLE ROW LEVEL SECURITY",
        "DROP TABLE quarantine",
        "DELETE FROM seaql_migrations",
        "CREATE TABLE mine (a int)",
    ] {
        raw.execute_unprepared(forbidden).await.expect_err(forbidden);
    }
    // Nobody said whose rows: there are none.
    let bare = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM quarantine");
    let bare: i64 =
        raw.query_one_raw(bare).await.expect("count").expect("row").try_get_by_index(0).expect("i64");
    assert_eq!(bare, 0);
    database.close().await.expect("close");
    other.leave(&test).await;
    test.discard().await;
}

#[tokio::test]
async fn an_owner_that_may_make_no_role_is_held_by_the_forced_policies() {
    let Some(test) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let other = Other::enter(&test, "NOCREATEROLE NOBYPASSRLS").await;
    let raw = test.database.migration_connection();
    raw.execute_unprepared(&format!("GRANT ALL ON SCHEMA public TO {}", other.role)).await.expect("grant");
    let database = Database::connect(&other.config).await.expect("open");
    migrate(database.migration_connection()).await.expect("migrate as the owner");
    database.check_row_security().await.expect("it is held");
    let (ours, theirs) = two_tenants();
    write_note(&database, note(ours, "ours")).await.expect("write ours");
    write_note(&database, note(theirs, "theirs")).await.expect("write theirs");
    let tx = database.without_tenant_filter().read(ours).await.expect("read");
    assert_eq!(tx.find::<quarantine::Entity>().all(&tx).await.expect("find").len(), 1);
    drop(tx);
    database.close().await.expect("close");
    other.leave(&test).await;
    test.discard().await;
}

#[tokio::test]
async fn a_role_that_no_policy_holds_is_refused_with_the_way_out() {
    let Some(test) = TestDatabase::postgres(migrate).await else { return say_skipped() };
    let other = Other::enter(&test, "BYPASSRLS").await;
    let database = Database::connect(&other.config).await.expect("open");
    let refused = database.check_row_security().await.expect_err("nothing holds it").to_string();
    assert!(refused.contains(&format!("GRANT portolan_app TO \"{}\"", other.role)), "{refused}");
    let raw = test.database.migration_connection();
    raw.execute_unprepared(&format!("GRANT portolan_app TO {}", other.role)).await.expect("grant");
    database.check_row_security().await.expect("it takes on the role that is held");
    database.close().await.expect("close");
    other.leave(&test).await;
    test.discard().await;
}
