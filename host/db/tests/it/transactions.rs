//! Commit on success, nothing otherwise; bulk writes; people first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portolan_core::TenantId;
use portolan_db::entity::{document_version, quarantine};
use portolan_db::sea_orm::{EntityTrait, PaginatorTrait};
use portolan_db::{Database, DbError, WriteClass};

use crate::support::{TestDatabase, migrate, new_id, note, on_both, write_note};

async fn count(database: &Database, tenant: TenantId) -> u64 {
    let tx = database.read(tenant).await.expect("read");
    tx.find::<quarantine::Entity>().count(&tx).await.expect("count")
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_writes_nothing() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        write_note(&test.database, note(tenant, "before")).await.expect("write");
        let tx = test.database.read(tenant).await.expect("read");
        let seen = async || tx.find::<quarantine::Entity>().count(&tx).await.expect("count");
        assert_eq!(seen().await, 1);
        write_note(&test.database, note(tenant, "after")).await.expect("write");
        assert_eq!(seen().await, 1, "the moment that the first read saw");
        let row = quarantine::ActiveModel::from(note(tenant, "by a reader"));
        tx.insert(row).await.expect_err("it only reads");
        drop(tx);
        assert_eq!(count(&test.database, tenant).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_failed_write_keeps_nothing() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let row = note(tenant, "first");
        let twice = [row.clone(), row.clone()];
        let error = test
            .database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    for row in twice {
                        tx.insert(quarantine::ActiveModel::from(row)).await?;
                    }
                    Ok::<_, DbError>(())
                })
            })
            .await
            .expect_err("the same key twice");
        assert!(error.is_unique_violation(), "{error}");
        assert_eq!(count(&test.database, tenant).await, 0);
        write_note(&test.database, row).await.expect("the connection is well");
    })
    .await;
}

#[tokio::test]
async fn a_panic_rolls_back_and_reaches_the_caller() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let database = test.database.clone();
        let row = note(tenant, "lost");
        let panicked = tokio::spawn(async move {
            database
                .write(tenant, move |tx| {
                    Box::pin(async move {
                        tx.insert(quarantine::ActiveModel::from(row)).await?;
                        panic!("in the middle");
                        #[expect(unreachable_code, reason = "tells the closure its type")]
                        Ok::<(), DbError>(())
                    })
                })
                .await
        })
        .await;
        assert!(panicked.expect_err("panic").is_panic());
        write_note(&test.database, note(tenant, "after")).await.expect("write goes on");
        assert_eq!(count(&test.database, tenant).await, 1);
    })
    .await;
}

#[tokio::test]
async fn many_rows_fit_whatever_a_statement_can_bind_and_known_ones_are_passed_over() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let rows: Vec<document_version::Model> = (0..3_210)
            .map(|number| document_version::Model {
                tenant_id: tenant.0,
                id: new_id(),
                connection_id: tenant.0,
                entity: "order".to_owned(),
                key: number.to_string(),
                hash: "same".to_owned(),
                updated_at: 0,
                received_at: 0,
                chunk_id: tenant.0,
                src: number,
                body: "{}".to_owned(),
                source_chunk_id: Some(tenant.0),
                plugin_build: None,
            })
            .collect();
        let insert = |rows: Vec<document_version::Model>| {
            let rows: Vec<document_version::ActiveModel> = rows.into_iter().map(Into::into).collect();
            test.database.write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move { tx.insert_many_on_conflict_do_nothing(rows).await })
            })
        };
        assert_eq!(insert(rows[..2_000].to_vec()).await.expect("insert"), 2_000);
        assert_eq!(insert(rows.clone()).await.expect("insert"), 1_210);
        assert_eq!(insert(rows).await.expect("insert"), 0);
        assert_eq!(insert(Vec::new()).await.expect("nothing"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_person_overtakes_waiting_background_writes() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let finished = Arc::new(AtomicU32::new(0));
        let slow = |database: Database, finished: Arc<AtomicU32>| async move {
            database
                .write_as(WriteClass::Background, tenant, move |_| {
                    Box::pin(async move {
                        tokio::time::sleep(Duration::from_millis(40)).await;
                        finished.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, DbError>(())
                    })
                })
                .await
        };
        let waiting: Vec<_> =
            (0..20).map(|_| tokio::spawn(slow(test.database.clone(), finished.clone()))).collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        write_note(&test.database, note(tenant, "a person")).await.expect("write");
        assert!(finished.load(Ordering::SeqCst) < 10, "the person waited for the queue");
        for task in waiting {
            task.await.expect("task").expect("background write");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_write_learns_that_a_person_waits_for_it() {
    let test = TestDatabase::sqlite(migrate).await;
    let (tenant, database) = (TenantId(new_id()), test.database.clone());
    assert!(!test.database.people_wait());
    let in_background = test.database.write_as(WriteClass::Background, tenant, move |_| {
        Box::pin(async move {
            let person = tokio::spawn({
                let database = database.clone();
                async move { write_note(&database, note(tenant, "a person")).await }
            });
            let another = tokio::spawn({
                let database = database.clone();
                async move {
                    let nothing = database.write_as(WriteClass::Background, tenant, |_| {
                        Box::pin(async { Ok::<_, DbError>(()) })
                    });
                    nothing.await
                }
            });
            while !database.people_wait() {
                tokio::task::yield_now().await;
            }
            Ok::<_, DbError>((person, another))
        })
    });
    let (person, another) = in_background.await.expect("background write");
    person.await.expect("task").expect("write");
    assert!(!test.database.people_wait());
    another.await.expect("task").expect("another background write");
    assert!(!test.database.people_wait());
    test.discard().await;
}

#[tokio::test]
async fn the_house_is_written_without_a_tenant() {
    on_both(migrate, async |test| {
        let tenant = crate::support::new_tenant(&test.database, "acme").await;
        let tx = test.database.system_read().await.expect("read");
        let found = tx.find::<portolan_db::entity::tenant::Entity>().all(&tx).await.expect("tenants");
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [tenant.0]);
        let own = test.database.read(tenant).await.expect("read");
        let row = portolan_db::entity::tenant::Entity::find_by_id(tenant.0).one(own.host_wide()).await;
        assert_eq!(row.expect("query").expect("tenant").slug, "acme");
    })
    .await;
}
