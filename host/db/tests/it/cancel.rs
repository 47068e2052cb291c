//! R3: callers who go away at any moment lose no acknowledged write.
//!
//! sqlx-postgres 0.9.0 returns a connection inside an open transaction when a future is dropped while
//! `BEGIN` is in flight; writes acknowledged later on it vanish. This stays until sqlx is newer.

use std::collections::BTreeSet;
use std::time::Duration;

use portolan_core::{Random, SeededRandom, TenantId};
use portolan_db::entity::quarantine;
use portolan_db::sea_orm::{ActiveModelTrait, EntityTrait, TransactionTrait};
use uuid::Uuid;

use crate::support::{TestDatabase, migrate, new_id, note, on_both, write_note};

const ROUNDS: usize = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acknowledged_writes_survive_callers_who_go_away() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let random = SeededRandom::new(7);
        let mut acknowledged = BTreeSet::new();
        for _ in 0..ROUNDS {
            let impatience = Duration::from_micros(random.next_u64() % 1_500);
            let cancelled_read = tokio::time::timeout(impatience, test.database.read(tenant));
            let cancelled_write =
                tokio::time::timeout(impatience, write_note(&test.database, note(tenant, "dropped")));
            let (_, _) = tokio::join!(cancelled_read, cancelled_write);

            let row = note(tenant, "acknowledged");
            let id = row.id;
            write_note(&test.database, row).await.expect("write");
            acknowledged.insert(id);
        }
        // A second handle sees only what is committed, whatever the first one's connections hold.
        let reopened = portolan_db::Database::connect(&test.config).await.expect("open again");
        test.database.close().await.expect("close");
        let tx = reopened.read(tenant).await.expect("read");
        let stored = tx.find::<quarantine::Entity>().all(&tx).await.expect("find");
        let stored: BTreeSet<Uuid> = stored.into_iter().map(|row| row.id).collect();
        let lost: Vec<&Uuid> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged writes are lost", lost.len(), acknowledged.len());
        drop(tx);
        reopened.close().await.expect("close");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_ends_though_its_caller_went_away() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let (entered, was_entered) = tokio::sync::oneshot::channel();
        let row = note(tenant, "kept");
        let database = test.database.clone();
        let caller = tokio::spawn(async move {
            database
                .write(tenant, move |tx| {
                    Box::pin(async move {
                        entered.send(()).expect("somebody listens");
                        tokio::time::sleep(Duration::from_millis(30)).await;
                        tx.insert(quarantine::ActiveModel::from(row)).await.map(|_| ())
                    })
                })
                .await
        });
        was_entered.await.expect("the write began");
        caller.abort();
        assert!(caller.await.expect_err("aborted").is_cancelled());
        let mut found = 0;
        for _ in 0..100 {
            let tx = test.database.read(tenant).await.expect("read");
            found = tx.find::<quarantine::Entity>().all(&tx).await.expect("find").len();
            if found > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(found, 1);
    })
    .await;
}

/// The pool's own guard, without the tasks in front of it: this is how writes were lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_comes_back_outside_any_transaction() {
    let Some(test) = TestDatabase::postgres(migrate).await else {
        return portolan_db::testing::say_skipped();
    };
    let raw = test.database.migration_connection();
    let random = SeededRandom::new(11);
    let tenant = TenantId(new_id());
    for _ in 0..200 {
        let impatience = Duration::from_micros(random.next_u64() % 400);
        drop(tokio::time::timeout(impatience, raw.begin()).await);
        quarantine::ActiveModel::from(note(tenant, "autocommit")).insert(raw).await.expect("acknowledged");
    }
    let reopened = portolan_db::Database::connect(&test.config).await.expect("open again");
    test.database.close().await.expect("close");
    let stored = quarantine::Entity::find().all(reopened.migration_connection()).await.expect("find").len();
    assert_eq!(stored, 200, "acknowledged writes are lost");
    reopened.close().await.expect("close");
    test.discard().await;
}
