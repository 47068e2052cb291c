//! A PostgreSQL that goes away in the middle of a sync: said to everybody, waited for, and nothing lost.

use std::time::Duration;

use portolan_db::testing::{TestDatabase, say_skipped};
use serde_json::json;

use crate::support::{Portolan, wait_until};
use crate::till::{TILL, import, ledger_of};
use crate::visitor::Visitor;

const ORDERS: usize = 8_000;
/// How long the database stays away.
const AWAY: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_waits_for_its_database_and_ends_with_the_ledger_of_an_undisturbed_one() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let url = database.config.url.clone();
    let started = tokio::task::spawn_blocking(move || {
        let undisturbed = Portolan::embedded();
        import(&undisturbed, ORDERS);
        let server = undisturbed.serve();
        assert_eq!(undisturbed.wait_for_sync_of(TILL)["state"], "succeeded");
        drop(server);

        let disturbed = Portolan::on_postgres(url);
        import(&disturbed, ORDERS);
        let server = disturbed.serve();
        server.wait_until_up();
        let visitor = Visitor::sign_in(&disturbed, server.port);
        wait_until("the sync is under way", || visitor.documents() > 0);
        (undisturbed, disturbed, server, visitor)
    });
    let (undisturbed, disturbed, server, visitor) = started.await.expect("both runs");

    database.cut_off().await;
    let told = tokio::task::spawn_blocking(move || {
        for path in ["/pulse", "/syncs"] {
            let page = visitor.get(path);
            assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{page:?}");
            assert!(page.body.contains("The database does not answer. Nothing was lost"), "{page:?}");
        }
        let refused = visitor.post_json("/api/v1/syncs", &json!({}));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{refused:?}");
        assert_eq!(refused.problem()["code"], "unavailable");
        assert_eq!(visitor.get("/api/v1/health/live").status, 200);
        assert_eq!(visitor.get("/api/v1/health/ready").status, 503);
        std::thread::sleep(AWAY);
        visitor
    });
    let visitor = told.await.expect("everybody is told");
    database.let_in().await;

    let disturbed = tokio::task::spawn_blocking(move || {
        // The first to ask may meet connections that died meanwhile; nobody notices.
        assert_eq!(visitor.get("/syncs").status, 200);
        let sync = disturbed.wait_for_sync_of(TILL);
        assert_eq!(sync["state"], "succeeded", "{sync:#}");
        assert_eq!(sync["documents"], ORDERS);
        drop(server);
        disturbed.run(&["doctor"]);
        disturbed
    });
    let disturbed = disturbed.await.expect("disturbed run");
    let expected = ledger_of(&undisturbed.database()).await;
    let found = ledger_of(&disturbed.database()).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
    database.discard().await;
}
