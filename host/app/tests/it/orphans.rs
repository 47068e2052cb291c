//! A sync whose job is dead does not look as if somebody were at work on it.

use portolan_app::syncs::jobs::RUN_SYNC;
use portolan_app::syncs::orphans::settle_orphans;
use portolan_connector::{Continuation, Page, Payload, RawChunk};
use portolan_core::Duration;
use portolan_db::DbError;
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::sync::SyncState;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};

use crate::support::*;

impl TestApp {
    async fn sync_jobs(&self) -> Vec<job::Model> {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        tx.find::<job::Entity>().filter(job::Column::Kind.eq(RUN_SYNC)).all(&tx).await.expect("jobs")
    }

    /// Claims the next job as a worker that vanishes with it.
    async fn crash(&self) {
        let claimed = self.app.queue.claim(Uuid::from_u128(7), 1).await.expect("a claim");
        assert_eq!(claimed.len(), 1);
        self.advance(Duration::from_minutes(2));
        assert_eq!(self.app.queue.reap().await.expect("reaped"), 1);
        self.advance(Duration::from_minutes(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_whose_workers_vanish_again_and_again_fails_with_a_sentence() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let id = shop.start(connection).await;
        for _ in 0..3 {
            assert_eq!(settle_orphans(&shop.app, shop.tenant).await.expect("settled"), 0);
            shop.crash().await;
        }
        assert_eq!(shop.sync_jobs().await[0].state, JobState::Dead);
        // Starting another one settles it: nobody has to cancel what nobody works on.
        let next = shop.start(connection).await;
        let sync = shop.sync_row(id).await;
        let told = assert_failed(&sync, "worker_crashed");
        assert!(told.contains("again and again") && told.contains("sync again"), "{told}");
        assert!(sync.finished_at.is_some());
        shop.work().await;
        assert_succeeded(&shop.sync_row(next).await);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_dead_sync_settles_it_and_touches_no_living_one() {
    on_both(migrate, async |test| {
        let (dead, living) = (TestApp::new(test, "dead").await, TestApp::new(test, "living").await);
        let id = dead.start(dead.connect().await).await;
        for _ in 0..3 {
            dead.crash().await;
        }
        let waiting = living.start(living.connect().await).await;
        assert_eq!(settle_orphans(&living.app, living.tenant).await.expect("settled"), 0);
        assert_eq!(settle_orphans(&dead.app, dead.tenant).await.expect("settled"), 1);
        assert_eq!(settle_orphans(&dead.app, dead.tenant).await.expect("settled"), 0);
        assert_failed(&dead.sync_row(id).await, "worker_crashed");
        assert_eq!(living.sync_row(waiting).await.state, SyncState::Queued);
        living.work().await;
        assert_succeeded(&living.sync_row(waiting).await);
        living.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_whose_attempts_are_used_up_inside_portolan_fails_with_a_sentence() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|_| panic!("a bug of the house"));
        let id = shop.start(shop.connect().await).await;
        for _ in 0..8 {
            shop.work().await;
            shop.advance(Duration::from_hours(2));
        }
        assert_eq!(shop.sync_jobs().await[0].state, JobState::Dead);
        assert_eq!(settle_orphans(&shop.app, shop.tenant).await.expect("settled"), 1);
        let sync = shop.sync_row(id).await;
        let told = assert_failed(&sync, "internal");
        assert!(told.contains("log") && !told.contains("bug of the house"), "{told}");
        let slices = shop.slices_of(sync.id, "orders").await;
        assert!(slices.iter().all(|slice| slice.state == SliceState::Cancelled), "nothing looks at work");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_for_good_inside_portolan_ends_with_its_job() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let connection = shop.connect().await;
        assert_succeeded(&shop.sync(connection).await);
        // Somebody changed the table from outside: what is posted cannot be read back.
        let tenant = shop.tenant.0;
        let damage = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE document_version SET body = 'damaged' WHERE tenant_id = $1";
                tx.execute_raw(tx.statement(sql, [tenant.into()])).await?;
                Ok::<_, DbError>(())
            })
        });
        damage.await.expect("damaged");
        let sync = shop.sync(connection).await;
        assert_failed(&sync, "internal");
        assert_eq!(shop.net_minor(None).await, 1_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_names_a_file_which_is_not_there_fails_its_slice_alone() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]).on_fetch(|request| {
            (request.slice.stream == "stores").then(|| {
                let mut chunk: RawChunk = portolan_connector::fake::chunk_of("stores", &[]);
                chunk.payload = Payload::Staged(99);
                Ok(Page::new(vec![chunk], Continuation::Done))
            })
        });
        let sync = shop.sync(shop.connect().await).await;
        assert_failed(&sync, "plugin_bug");
        assert_eq!(shop.net_minor(None).await, 1_000);
        shop.assert_idle().await;
    })
    .await;
}
