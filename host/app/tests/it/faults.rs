//! What a sync does when the channel fails.

use portolan_app::connections::ops::set_secret;
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_connector::fake::{chunk_of, record_of};
use portolan_connector::fault::AuthKind;
use portolan_connector::{Continuation, Fault, Page};
use portolan_core::Duration;
use portolan_db::entity::connection::ConnectionState;
use portolan_db::entity::slice::SliceState;
use portolan_db::entity::stream;
use portolan_db::entity::sync::SyncState;

use crate::support::*;

fn expired() -> Fault {
    Fault::CursorExpired { detail: "too old".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_fault_is_retried_and_the_sync_finishes() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let fault = Fault::Transient { after_ms: None, detail: "busy".to_owned() };
        shop.runtime
            .clone()
            .page("orders", &[order("A", 1, 60)])
            .page("orders", &[order("B", 1, 60)])
            .fetch_fault("orders", 1, fault);
        let waiting = shop.sync(shop.connect().await).await;
        assert_eq!((waiting.state, waiting.error_code.as_deref()), (SyncState::Running, Some("retrying")));
        assert_eq!(shop.net_minor(None).await, 1_000, "what came before the fault stays");
        shop.advance(Duration::from_minutes(1));
        shop.work().await;
        let sync = shop.sync_row(portolan_core::SyncId(waiting.id)).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, shop.fetches_of("orders")), (2, 3));
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_stays_ends_the_sync_with_a_sentence() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|_| {
            Some(Err(Fault::Transient { after_ms: None, detail: "the gateway is away".to_owned() }))
        });
        let id = shop.start(shop.connect().await).await;
        for _ in 0..8 {
            shop.work().await;
            shop.advance(Duration::from_hours(2));
        }
        let sync = shop.sync_row(id).await;
        let told = assert_failed(&sync, "channel_failed");
        assert!(told.contains("the gateway is away") && told.contains("8 times"), "{told}");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_parks_the_sync_without_burning_attempts() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let mut runtime = shop.runtime.clone().page("orders", &[order("A", 1, 60)]);
        // More often than a job has attempts.
        for _ in 0..10 {
            let limited =
                Fault::RateLimited { after_ms: Some(90_000), bucket: None, detail: "slow down".to_owned() };
            runtime = runtime.fetch_fault("orders", 0, limited);
        }
        let id = shop.start(shop.connect().await).await;
        for round in 1..=10 {
            shop.work().await;
            assert_eq!(shop.fetches_of("orders"), round);
            shop.advance(Duration::from_secs(60));
            shop.work().await;
            assert_eq!(shop.fetches_of("orders"), round, "the channel is left alone for as long as it asked");
            assert_eq!(shop.open_jobs().await[0].attempt, 0);
            shop.advance(Duration::from_secs(40));
        }
        shop.work().await;
        assert_succeeded(&shop.sync_row(id).await);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_pause_the_connection_and_say_what_to_do() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let refused =
            Fault::Auth { kind: AuthKind::Revoked, missing: Vec::new(), detail: "token revoked".to_owned() };
        shop.runtime.clone().page("orders", &[order("A", 1, 60)]).fetch_fault("orders", 0, refused);
        let connection = shop.connect().await;
        let sync = shop.sync(connection).await;
        let told = assert_failed(&sync, "needs_auth");
        assert!(told.contains("token revoked") && told.contains("Enter the credentials again"), "{told}");
        assert_eq!(shop.connection_row(connection).await.state, ConnectionState::NeedsAuth);
        assert!(start_sync(&shop.app, shop.tenant, shop.who(), connection, Trigger::Manual).await.is_err());
        shop.assert_idle().await;

        let (field, value) = ("token".to_owned(), "open-again".to_owned());
        set_secret(&shop.app, shop.tenant, shop.who(), connection, field, value).await.expect("a new secret");
        assert_succeeded(&shop.sync(connection).await);
        let last = shop.runtime.fetches().pop().expect("a fetch");
        assert_eq!(last.connection.secrets[0].1.expose(), "open-again");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_cursor_restarts_its_slice_once() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let pages = |runtime: portolan_connector::fake::FakeRuntime| {
            runtime.page("orders", &[order("A", 1, 60)]).page("orders", &[order("B", 1, 60)])
        };
        pages(shop.runtime.clone()).fetch_fault("orders", 1, expired());
        let connection = shop.connect().await;
        let sync = shop.sync(connection).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, shop.fetches_of("orders")), (2, 4), "records are counted once");
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;

        shop.runtime.clone().fetch_fault("orders", 1, expired()).fetch_fault("orders", 1, expired());
        let twice = shop.sync(connection).await;
        let told = assert_failed(&twice, "cursor_expired");
        assert!(told.contains("twice"), "{told}");
        assert_eq!(shop.net_minor(None).await, 2_000);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_page_token_fails_the_slice_loudly() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|request| {
            let records = [record_of(&order("A", 1, 60))];
            (request.slice.stream == "orders").then(|| {
                Ok(Page::new(vec![chunk_of("orders", &records)], Continuation::More("again".into())))
            })
        });
        let sync = shop.sync(shop.connect().await).await;
        let told = assert_failed(&sync, "repeated_token");
        assert!(told.contains("the same page token twice"), "{told}");
        assert_eq!(shop.fetches_of("orders"), 2);
        assert_eq!(shop.slices_of(sync.id, "orders").await[0].state, SliceState::Failed);
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_sent_fewer_records_than_it_announced_fails_the_slice() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        shop.runtime.clone().on_fetch(|request| {
            let records = [record_of(&order("A", 1, 60)), record_of(&order("B", 1, 60))];
            (request.slice.stream == "orders").then(|| {
                let mut page = Page::new(vec![chunk_of("orders", &records)], Continuation::Done);
                page.expected = Some(5);
                Ok(page)
            })
        });
        let sync = shop.sync(shop.connect().await).await;
        let told = assert_failed(&sync, "records_lost");
        assert!(told.contains("announced 5 records but sent 2"), "{told}");
        let streams = shop.rows::<stream::Entity>().await;
        let orders = streams.iter().find(|stream| stream.name == "orders").expect("the stream");
        assert_eq!(orders.watermark_at, None, "the next sync asks for the same again");
        assert_eq!(shop.net_minor(None).await, 2_000, "what came stays");
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_sync_outlives_more_faults_than_a_job_has_attempts() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let mut runtime = shop.runtime.clone();
        for page in 0..20 {
            let busy = Fault::Transient { after_ms: None, detail: "busy".to_owned() };
            let key = format!("A{page}");
            runtime = runtime.page("orders", &[order(&key, 1, 60)]).fetch_fault("orders", page, busy);
        }
        let id = shop.start(shop.connect().await).await;
        for _ in 0..20 {
            shop.work().await;
            assert_eq!(shop.sync_row(id).await.state, SyncState::Running);
            shop.advance(Duration::from_secs(30));
        }
        shop.work().await;
        let sync = shop.sync_row(id).await;
        assert_succeeded(&sync);
        assert_eq!((sync.seen, shop.net_minor(None).await), (20, 20_000));
        shop.assert_idle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_fault_rests_as_long_as_the_channel_says_and_a_day_at_most() {
    on_both(migrate, async |test| {
        for (asked_hours, granted_hours) in [(2, 2), (9_000, 24)] {
            let shop = TestApp::new(test, &format!("shop-{asked_hours}")).await;
            let busy = Fault::Transient {
                after_ms: Some(asked_hours * 3_600_000),
                detail: "maintenance".to_owned(),
            };
            shop.runtime.clone().page("orders", &[order("A", 1, 60)]).fetch_fault("orders", 0, busy);
            let sync = shop.sync(shop.connect().await).await;
            let told = sync.error_detail.expect("a sentence");
            assert!(told.contains("maintenance. The channel wants to be left alone for"), "{told}");
            assert_eq!(told.contains("asked again after"), asked_hours > granted_hours, "{told}");
            shop.advance(Duration::from_minutes(granted_hours as i64 * 60 - 1));
            shop.work().await;
            assert_eq!(shop.fetches_of("orders"), 1);
            shop.advance(Duration::from_hours(granted_hours as i64 / 10 + 1));
            shop.work().await;
            assert_succeeded(&shop.sync_row(portolan_core::SyncId(sync.id)).await);
        }
    })
    .await;
}
