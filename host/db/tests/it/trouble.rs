//! A full disk and a database that goes away: named as what they are, nothing kept by halves, and the
//! next write goes on.

use portolan_core::TenantId;
use portolan_db::entity::quarantine;
use portolan_db::sea_orm::{ConnectionTrait, PaginatorTrait};
use portolan_db::{Database, DbError};

use crate::support::{TestDatabase, migrate, new_id, note, on_both, write_note};

async fn count(database: &Database, tenant: TenantId) -> u64 {
    let tx = database.read(tenant).await.expect("read");
    tx.find::<quarantine::Entity>().count(&tx).await.expect("count")
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_next_write_goes_on() {
    let test = TestDatabase::sqlite(migrate).await;
    let tenant = TenantId(new_id());
    write_note(&test.database, note(tenant, "before")).await.expect("write");
    fill(&test.database).await;
    let full = write_note(&test.database, note(tenant, &"x".repeat(200_000))).await.expect_err("full");
    assert!(matches!(full, DbError::Full(_)), "{full:?}");
    assert!(full.to_string().contains("free some space"), "{full}");

    let raw = test.database.migration_connection();
    raw.execute_unprepared("PRAGMA max_page_count = 1000000").await.expect("room");
    write_note(&test.database, note(tenant, &"x".repeat(200_000))).await.expect("room again");
    assert_eq!(count(&test.database, tenant).await, 2);
    test.discard().await;
}

/// SQLite ends a transaction by itself where the disk is full. A writer that has not noticed opens savepoints
/// from there on, and what it acknowledges is never committed.
#[tokio::test]
async fn what_is_acknowledged_after_a_full_disk_is_on_disk() {
    let test = TestDatabase::sqlite(migrate).await;
    let tenant = TenantId(new_id());
    write_note(&test.database, note(tenant, "before")).await.expect("write");
    fill(&test.database).await;
    let full = write_note(&test.database, note(tenant, &"x".repeat(200_000))).await.expect_err("full");
    assert!(matches!(full, DbError::Full(_)), "{full:?}");
    assert!(test.database.disk_is_full());

    let raw = test.database.migration_connection();
    raw.execute_unprepared("PRAGMA max_page_count = 1000000").await.expect("room");
    let row = note(tenant, "taken back");
    let taken_back = test.database.write(tenant, move |tx| {
        Box::pin(async move {
            tx.insert(quarantine::ActiveModel::from(row)).await?;
            Err::<(), _>(DbError::Unsafe("changed its mind".to_owned()))
        })
    });
    taken_back.await.expect_err("taken back");
    write_note(&test.database, note(tenant, "after")).await.expect("acknowledged");
    assert!(!test.database.disk_is_full(), "a write that is kept says that there is room");

    // Another's eyes see what is committed and nothing else.
    let other = Database::connect(&test.config).await.expect("open");
    assert_eq!(count(&other, tenant).await, 2);
    other.close().await.expect("close");
    test.discard().await;
}

#[tokio::test]
async fn a_failure_that_is_overlooked_is_not_committed() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let row = note(tenant, "twice");
        let overlooked = test
            .database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    tx.insert(quarantine::ActiveModel::from(row.clone())).await?;
                    drop(tx.insert(quarantine::ActiveModel::from(row)).await);
                    drop(tx.insert(quarantine::ActiveModel::from(note(tx.tenant(), "after"))).await);
                    Ok::<(), DbError>(())
                })
            })
            .await;
        let error = overlooked.expect_err("not acknowledged");
        assert!(error.is_unique_violation(), "the first failure is told: {error:?}");
        assert_eq!(count(&test.database, tenant).await, 0, "nothing is kept by halves");
    })
    .await;
}

/// Leaves the writer room for two pages.
async fn fill(database: &Database) {
    let raw = database.migration_connection();
    let pages = raw.query_one_raw(statement("PRAGMA page_count")).await.expect("count").expect("row");
    let pages: i64 = pages.try_get_by_index(0).expect("number");
    raw.execute_unprepared(&format!("PRAGMA max_page_count = {}", pages + 2)).await.expect("limit");
}

fn statement(sql: &str) -> portolan_db::sea_orm::Statement {
    portolan_db::sea_orm::Statement::from_string(portolan_db::sea_orm::DbBackend::Sqlite, sql)
}

#[tokio::test]
async fn a_database_that_goes_away_in_the_middle_keeps_nothing_and_comes_back() {
    let Some(test) = TestDatabase::postgres(migrate).await else {
        return portolan_db::testing::say_skipped();
    };
    let tenant = TenantId(new_id());
    let row = note(tenant, "lost");
    let server = test.database.clone();
    let killed = test
        .database
        .write(tenant, move |tx| {
            Box::pin(async move {
                tx.insert(quarantine::ActiveModel::from(row)).await?;
                let own = tx.host_wide().statement("SELECT pg_backend_pid()", []);
                let own = tx.host_wide().query_one_raw(own).await?.expect("row");
                let own: i32 = own.try_get_by_index(0)?;
                let end = format!("SELECT pg_terminate_backend({own}, 5000)");
                server.migration_connection().execute_unprepared(&end).await?;
                Ok::<(), DbError>(())
            })
        })
        .await;
    let error = killed.expect_err("no commit without a connection");
    assert!(error.is_transient(), "{error:?}");
    write_note(&test.database, note(tenant, "after")).await.expect("a new connection");
    assert_eq!(count(&test.database, tenant).await, 1);
    test.discard().await;
}

#[tokio::test]
async fn a_closed_database_is_unavailable() {
    on_both(migrate, async |test| {
        let closed = Database::connect(&test.config).await.expect("open");
        closed.close().await.expect("close");
        let error = write_note(&closed, note(TenantId(new_id()), "never")).await.expect_err("closed");
        assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    })
    .await;
}
