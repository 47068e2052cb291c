//! Slices that wait for their channel, and slices that are replaced by smaller ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portolan_app::syncs::api::progress_of;
use portolan_app::syncs::ops::{request_action, resume_sync};
use portolan_connector::fake::{chunk_of, record_of};
use portolan_connector::{Continuation, Fault, FetchRequest, Page, SliceSpec, WaitFor};
use portolan_core::{Duration, Instant, SyncId};
use portolan_db::entity::job::JobState;
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::sync::{RequestedAction, SyncState};
use portolan_db::entity::{chunk, lane, stream};

use crate::support::*;

const NINETY_SECONDS_MS: u64 = 90_000;

fn wait(token: &'static str) -> Page {
    let wait = WaitFor {
        token: token.into(),
        wait_ms: NINETY_SECONDS_MS,
        why: "the shop makes the report".to_owned(),
    };
    Page::new(Vec::new(), Continuation::Wait(wait))
}

fn page_of(keys: &[&str], next: Continuation) -> Page {
    let records: Vec<_> = keys.iter().map(|key| record_of(&order(key, 1, 60))).collect();
    Page::new(vec![chunk_of("orders", &records)], next)
}

/// Orders are a report: it is asked for, looked after twice, then there.
fn report(request: &FetchRequest) -> Option<Result<Page, Fault>> {
    let answer = match (request.slice.stream.as_str(), request.token.as_deref()) {
        ("orders", None) => wait("made"),
        ("orders", Some(b"made")) => wait("made again"),
        ("orders", Some(_)) => page_of(&["A", "B"], Continuation::Done),
        _ => return None,
    };
    Some(Ok(answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_that_waits_holds_nothing_and_the_others_go_on() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        // Sheets come after the orders in the plan, stores before them.
        shop.runtime.clone().page("stores", &[store("north")]).on_fetch(|request| {
            match request.slice.stream.as_str() {
                "orders" => report(request),
                _ => None,
            }
        });
        let connection = shop.connect().await;
        let sync = shop.sync(connection).await;
        assert_eq!((sync.state, sync.error_code.as_deref()), (SyncState::Running, Some("waiting")));
        let told = sync.error_detail.clone().expect("a sentence");
        assert!(told.contains("orders: the shop makes the report. It is asked again in"), "{told}");
        let waiting = &shop.slices_of(sync.id, "orders").await[0];
        assert_eq!(
            (waiting.state, waiting.token.as_deref()),
            (SliceState::Running, Some(b"made".as_slice()))
        );
        assert_eq!(waiting.waiting_why.as_deref(), Some("the shop makes the report"));
        assert_eq!(shop.slices_of(sync.id, "stores").await[0].state, SliceState::Done);

        // No worker, no attempt, and no pause of the lane: an upload could be read meanwhile.
        let jobs = shop.open_jobs().await;
        let job = jobs.iter().find(|job| job.kind == "sync.run").expect("the sync's job");
        assert_eq!((job.state, job.attempt), (JobState::Ready, 0));
        let tx = test.database.system_read().await.expect("read");
        let lanes = tx.find::<lane::Entity>().all(&tx).await.expect("lanes");
        assert!(lanes.iter().all(|lane| lane.paused_until.is_none() && lane.running == 0), "{lanes:?}");
        drop(tx);
        let tx = shop.app.db.read(shop.tenant).await.expect("read");
        let progress = progress_of(&shop.app, &tx, &sync).await.expect("progress").expect("an open sync");
        drop(tx);
        assert_eq!((progress.waiting.len(), progress.waiting[0].stream.as_str()), (1, "orders"));

        shop.advance(Duration::from_secs(60));
        shop.work().await;
        assert_eq!(shop.fetches_of("orders"), 1, "the channel is left alone for as long as it asked");
        shop.advance(Duration::from_secs(31));
        shop.work().await;
        assert_eq!(shop.fetches_of("orders"), 2);
        shop.advance(Duration::from_secs(91));
        shop.work().await;
        let sync = shop.sync_row(SyncId(sync.id)).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, shop.fetches_of("orders"), shop.net_minor(None).await), (3, 3, 2_000));
        assert_eq!(shop.slices_of(sync.id, "orders").await[0].waiting_until, None);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_more_often_than_a_job_has_attempts_is_no_failure() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let asked = Arc::new(AtomicUsize::new(0));
        shop.runtime.clone().on_fetch(move |request| {
            (request.slice.stream == "orders").then(|| match asked.fetch_add(1, Ordering::SeqCst) {
                0..20 => Ok(wait("the same token")),
                _ => Ok(page_of(&["A"], Continuation::Done)),
            })
        });
        let id = shop.start(shop.connect().await).await;
        for _ in 0..20 {
            shop.work().await;
            assert_eq!(shop.sync_row(id).await.state, SyncState::Running);
            shop.advance(Duration::from_secs(91));
        }
        shop.work().await;
        assert_succeeded(&shop.sync_row(id).await);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_sync_is_paused_and_cancelled_at_once() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(report);
        let id = SyncId(shop.sync(shop.connect().await).await.id);
        request_action(&shop.app, shop.tenant, shop.who(), id, RequestedAction::Pause).await.expect("paused");
        assert_eq!(shop.sync_row(id).await.state, SyncState::Paused);
        shop.assert_idle().await;
        resume_sync(&shop.app, shop.tenant, shop.who(), id).await.expect("resumed");
        shop.work().await;
        assert_eq!(shop.fetches_of("orders"), 1, "it waits on");
        request_action(&shop.app, shop.tenant, shop.who(), id, RequestedAction::Cancel)
            .await
            .expect("cancelled");
        assert_eq!(shop.sync_row(id).await.state, SyncState::Cancelled);
        assert_eq!(shop.slices_of(id.0, "orders").await[0].state, SliceState::Cancelled);
        shop.assert_idle().await;
    })
    .await;
}

fn halves(slice: &SliceSpec) -> Vec<SliceSpec> {
    let (since, until) = (slice.since.expect("a window"), slice.until.expect("a window"));
    // To whole seconds, as a channel's filter would have it.
    let middle = Instant((since.0 + until.0) / 2 / 1_000_000 * 1_000_000);
    vec![
        SliceSpec { until: Some(middle), ..slice.clone() },
        SliceSpec { since: Some(middle), ..slice.clone() },
    ]
}

fn width(slice: &SliceSpec) -> Duration {
    slice.until.expect("a window").since(slice.since.expect("a window"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_is_replaced_by_its_halves_until_the_channel_can_page_them() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        // A channel that pages through ten days at most; in each such window lies one order.
        shop.runtime.clone().on_fetch(|request| {
            let slice = &request.slice;
            (slice.stream == "orders").then(|| {
                if width(slice) > Duration::from_days(10) {
                    // What comes along is dropped: the halves bring it again.
                    return Ok(page_of(&["dropped"], Continuation::Split(halves(slice))));
                }
                let key = slice.since.expect("a window").to_rfc3339();
                let mut page = page_of(&[&key], Continuation::Done);
                page.expected = Some(1);
                Ok(page)
            })
        });
        let sync = shop.sync(shop.connect().await).await;
        assert_succeeded(&sync);
        let slices = shop.slices_of(sync.id, "orders").await;
        let split = slices.iter().filter(|slice| slice.state == SliceState::Split).count();
        let mut done: Vec<_> = slices.iter().filter(|slice| slice.state == SliceState::Done).collect();
        assert_eq!((split, done.len(), slices.len()), (3, 4, 7), "thirty days are cut twice");
        assert_eq!((sync.seen, sync.emitted, shop.rows::<chunk::Entity>().await.len()), (4, 4, 4));
        done.sort_by_key(|slice| slice.since);
        assert!(done.windows(2).all(|pair| pair[0].until == pair[1].since), "no gap and no overlap");
        let fetched: Vec<_> = shop
            .runtime
            .fetches()
            .iter()
            .filter(|request| request.slice.stream == "orders")
            .map(|request| request.slice.since)
            .collect();
        assert!(fetched[fetched.len() - 1] < fetched[2], "newest first: {fetched:?}");
        let streams = shop.rows::<stream::Entity>().await;
        let orders = streams.iter().find(|stream| stream.name == "orders").expect("the stream");
        assert_eq!(orders.watermark_at, done.last().expect("a slice").until);
        assert_eq!(shop.net_minor(None).await, 4_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slice_brought_before_it_was_split_is_counted_once() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|request| {
            let slice = &request.slice;
            (slice.stream == "orders").then(|| {
                match (request.token.is_some(), width(slice) > Duration::from_days(20)) {
                    (false, true) => Ok(page_of(&["A"], Continuation::More("page 2".into()))),
                    (true, true) => Ok(Page::new(Vec::new(), Continuation::Split(halves(slice)))),
                    // The older half is empty, the newer one has them all.
                    (_, false) if slice.until < Some(START - Duration::from_days(5)) => {
                        Ok(Page::new(Vec::new(), Continuation::Done))
                    }
                    (_, false) => Ok(page_of(&["A", "B"], Continuation::Done)),
                }
            })
        });
        let sync = shop.sync(shop.connect().await).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, sync.emitted, shop.net_minor(None).await), (2, 2, 2_000));
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_leaves_a_gap_or_gets_too_small_fails_its_slice_and_keeps_the_watermark() {
    on_both(migrate, async |test| {
        for (name, code) in [("gap", "bad_split"), ("small", "split_too_small")] {
            let shop = TestApp::new(test, name).await;
            shop.runtime.clone().page("stores", &[store("north")]).on_fetch(move |request| {
                (request.slice.stream == "orders").then(|| {
                    // Only the newest is too large, however small it gets.
                    if request.slice.until <= Some(START) {
                        return Ok(Page::new(Vec::new(), Continuation::Done));
                    }
                    let mut parts = halves(&request.slice);
                    if code == "bad_split" {
                        parts.pop();
                    }
                    Ok(Page::new(Vec::new(), Continuation::Split(parts)))
                })
            });
            let sync = shop.sync(shop.connect().await).await;
            let told = assert_failed(&sync, code);
            assert!(told.contains("report it to the plugin's publisher"), "{told}");
            assert_eq!(
                shop.slices_of(sync.id, "stores").await[0].state,
                SliceState::Done,
                "the others go on"
            );
            let streams = shop.rows::<stream::Entity>().await;
            let orders = streams.iter().find(|stream| stream.name == "orders").expect("the stream");
            assert_eq!(orders.watermark_at, None);
            shop.assert_idle().await;
        }
    })
    .await;
}
