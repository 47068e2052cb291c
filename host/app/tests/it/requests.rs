//! What people ask of a sync while it is at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portolan_access::audit::Who;
use portolan_app::syncs::ops::{request_action, resume_sync};
use portolan_connector::Fault;
use portolan_core::SyncId;
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::sync::{RequestedAction, SyncState};
use portolan_jobs::RetryPolicy;

use crate::support::*;

/// Three pages of one order each; a person acts while the second one is on its way.
async fn act_at_second_page(test: &TestDatabase, action: RequestedAction) -> (TestApp, SyncId) {
    let shop = TestApp::new(test, "shop").await;
    let sync = shop.start(shop.connect().await).await;
    let (app, tenant, asked) = (Arc::clone(&shop.app), shop.tenant, AtomicBool::new(false));
    let runtime = ["A", "B", "C"]
        .iter()
        .fold(shop.runtime.clone(), |runtime, key| runtime.page("orders", &[order(key, 1, 60)]));
    runtime.on_fetch(move |request| {
        if request.token.is_some() && !asked.swap(true, Ordering::SeqCst) {
            let asking = request_action(&app, tenant, Who::operator(), sync, action);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asking))
                .expect("asked");
        }
        None
    });
    shop.work().await;
    (shop, sync)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_after_the_page_and_resuming_goes_on() {
    on_both(migrate, async |test| {
        let (shop, sync) = act_at_second_page(test, RequestedAction::Pause).await;
        let paused = shop.sync_row(sync).await;
        assert_eq!((paused.state, paused.finished_at), (SyncState::Paused, None));
        assert_eq!(shop.fetches_of("orders"), 2);
        shop.assert_idle().await;

        resume_sync(&shop.app, shop.tenant, shop.who(), sync).await.expect("resumed");
        shop.work().await;
        let ended = shop.sync_row(sync).await;
        assert_succeeded(&ended);
        assert_eq!((ended.seen, shop.fetches_of("orders")), (3, 3), "no page is fetched twice");
        assert_eq!(shop.net_minor(None).await, 3_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_sync_keeps_what_was_imported() {
    on_both(migrate, async |test| {
        let (shop, sync) = act_at_second_page(test, RequestedAction::Cancel).await;
        let cancelled = shop.sync_row(sync).await;
        assert_eq!(cancelled.state, SyncState::Cancelled);
        assert!(cancelled.finished_at.is_some());
        assert_eq!(shop.net_minor(None).await, 1_000);
        assert_eq!(shop.slices_of(cancelled.id, "orders").await[0].state, SliceState::Cancelled);
        assert!(resume_sync(&shop.app, shop.tenant, shop.who(), sync).await.is_err());
        shop.assert_idle().await;

        // The next sync brings what is missing.
        assert_succeeded(&shop.sync(portolan_core::ConnectionId(cancelled.connection_id)).await);
        assert_eq!(shop.net_minor(None).await, 3_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waits_for_its_channel_is_cancelled_at_once() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let patience =
            Fault::RateLimited { after_ms: Some(3_600_000), bucket: None, detail: "slow down".to_owned() };
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]).fetch_fault("orders", 0, patience);
        let sync = shop.start(shop.connect().await).await;
        shop.work().await;
        assert_eq!(shop.sync_row(sync).await.state, SyncState::Running);
        request_action(&shop.app, shop.tenant, shop.who(), sync, RequestedAction::Cancel)
            .await
            .expect("cancelled");
        let cancelled = shop.sync_row(sync).await;
        assert_eq!((cancelled.state, cancelled.requested_action), (SyncState::Cancelled, None));
        assert!(cancelled.finished_at.is_some());
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_cancelled_at_once_while_it_waits() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let sync = shop.start(shop.connect().await).await;
        request_action(&shop.app, shop.tenant, shop.who(), sync, RequestedAction::Cancel)
            .await
            .expect("cancelled");
        shop.work().await;
        assert_eq!(shop.sync_row(sync).await.state, SyncState::Cancelled);
        assert_eq!(shop.fetches_of("orders"), 0);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_resumed_while_its_job_is_ending_goes_on() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        let sync = shop.start(shop.connect().await).await;
        let worker = Uuid::from_u128(7);
        let claimed = shop.app.queue.claim(worker, 1).await.expect("a claim").remove(0);
        request_action(&shop.app, shop.tenant, shop.who(), sync, RequestedAction::Pause)
            .await
            .expect("paused");
        resume_sync(&shop.app, shop.tenant, shop.who(), sync).await.expect("resumed");
        let policy = RetryPolicy::default();
        shop.app.queue.settle(&claimed, Ok(()), policy).await.expect("written").expect("still held");
        shop.work().await;
        assert_succeeded(&shop.sync_row(sync).await);
        shop.assert_idle().await;
    })
    .await;
}
