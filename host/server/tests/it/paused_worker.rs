//! A worker that sleeps longer than its lease has lost its job: when it wakes, it writes nothing any more.

use portolan_db::testing::{TestDatabase, say_skipped};

use crate::support::{Portolan, wait_until};
use crate::till::{TILL, import, ledger_of};
use crate::visitor::Visitor;

const ORDERS: usize = 8_000;

/// On PostgreSQL: there a worker that was stopped inside a transaction does not block its successor for ever,
/// the server ends the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_slept_beyond_its_lease_writes_nothing_when_it_wakes() {
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    let url = database.config.url.clone();
    let runs = tokio::task::spawn_blocking(move || {
        let undisturbed = Portolan::embedded();
        import(&undisturbed, ORDERS);
        let server = undisturbed.serve();
        assert_eq!(undisturbed.wait_for_sync_of(TILL)["state"], "succeeded");
        drop(server);

        let disturbed = Portolan::on_postgres(url);
        import(&disturbed, ORDERS);
        let sleeper = disturbed.serve();
        sleeper.wait_until_up();
        let visitor = Visitor::sign_in(&disturbed, sleeper.port);
        wait_until("the sync is under way", || visitor.documents() > 0);
        sleeper.signal("STOP");

        let successor = disturbed.serve();
        let sync = disturbed.wait_for_sync_of(TILL);
        assert_eq!(sync["state"], "succeeded", "{sync:#}");
        assert_eq!(sync["documents"], ORDERS);

        sleeper.signal("CONT");
        sleeper.wait_for_log("the job's result is discarded");
        let after = disturbed.wait_for_sync_of(TILL);
        assert_eq!((&after["documents"], &after["state"]), (&sync["documents"], &sync["state"]));
        drop((sleeper, successor));
        (undisturbed, disturbed)
    });
    let (undisturbed, disturbed) = runs.await.expect("both runs");
    let expected = ledger_of(&undisturbed.database()).await;
    let found = ledger_of(&disturbed.database()).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
    database.discard().await;
}
