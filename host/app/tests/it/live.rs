//! What an open page hears, and when it hears nothing any more.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use futures::StreamExt as _;
use portolan_app::live::LiveMessage;
use portolan_app::router::router;
use portolan_core::{ConnectionId, SyncId, TenantId};
use portolan_db::DbError;
use portolan_db::entity::session;
use sea_orm::{ColumnTrait, QueryFilter};
use tower::ServiceExt as _;

use crate::support::*;

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

async fn listen(shop: &TestApp, session: &str) -> BodyDataStream {
    let request = Request::get("/events").header(header::COOKIE, session).body(Body::empty());
    let answer = router(Arc::clone(&shop.app)).oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.into_body().into_data_stream()
}

/// What the stream says next; `None` at its end.
async fn next(events: &mut BodyDataStream) -> Option<String> {
    let piece = tokio::time::timeout(SOON, events.next()).await.expect("something within the patience");
    piece.map(|piece| String::from_utf8_lossy(&piece.expect("a piece")).into_owned())
}

fn sync_moved(tenant: TenantId) -> LiveMessage {
    LiveMessage::Sync { tenant, sync: SyncId(Uuid::nil()), connection: ConnectionId(Uuid::nil()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_hears_of_its_own_tenant_until_its_session_is_signed_out() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let (leaving, staying) = (shop.session().await, shop.session().await);
        let (mut gone, mut open) = (listen(&shop, &leaving).await, listen(&shop, &staying).await);
        shop.app.live.publish(LiveMessage::Data { tenant: TenantId(Uuid::max()), data_version: 7 });
        shop.app.live.publish(sync_moved(shop.tenant));
        for events in [&mut gone, &mut open] {
            assert!(next(events).await.expect("an event").starts_with("event: sync"));
        }

        let out = Request::post("/sign-out").header(header::COOKIE, &leaving);
        let out = out.header("sec-fetch-site", "same-origin").body(Body::empty());
        shop.ask(out.expect("a request")).await;
        assert_eq!(next(&mut gone).await, None, "signed out hears nothing any more");
        shop.app.live.publish(sync_moved(shop.tenant));
        assert!(next(&mut open).await.expect("an event").starts_with("event: sync"), "others go on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_another_process_ended_is_noticed_before_long() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        assert!(shop.app.live.look_again <= Duration::from_secs(60), "at least every minute");
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
        app.live.look_again = Duration::from_millis(100);
        let mut events = listen(&shop, &shop.session().await).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        shop.app.live.publish(sync_moved(shop.tenant));
        assert!(next(&mut events).await.is_some(), "a session that stands is let be");

        let user = shop.user;
        let ended = shop.app.db.system_write(move |tx| {
            Box::pin(async move {
                let own = session::Column::UserId.eq(user.0);
                Ok::<_, DbError>(tx.delete_many::<session::Entity>().filter(own).exec(tx).await?)
            })
        });
        ended.await.expect("ended");
        assert_eq!(next(&mut events).await, None);
    })
    .await;
}
