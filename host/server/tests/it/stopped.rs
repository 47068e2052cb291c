//! A server that is told to stop in the middle of a sync ends in time and gives its work back at once; the next one
//! goes on, and the ledger ends like that of a server that nobody stopped.

use std::time::Duration;

use portolan_core::{Clock as _, SystemClock, TenantId};
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::entity::{connection, job_attempt, tenant};
use portolan_db::sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use portolan_db::testing::{TestDatabase, say_skipped};
use portolan_db::{Database, DatabaseConfig};

use crate::support::{Portolan, wait_until};
use crate::till::{TILL, import, ledger_of};
use crate::visitor::Visitor;

/// More than are posted between two stops.
const ORDERS: usize = 40_000;
/// How long whoever stops a server waits before killing it, as compose.yaml says.
const GRACE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_told_to_stop_gives_its_sync_back_and_the_next_one_ends_it() {
    let undisturbed = blocking(Portolan::embedded(), |portolan| {
        import(portolan, ORDERS);
        let server = portolan.serve();
        assert_eq!(portolan.wait_for_sync_of(TILL)["state"], "succeeded");
        drop(server);
    });
    let expected = ledger_of(&undisturbed.await.database()).await;
    ends_like(&expected, Portolan::embedded()).await;
    let Some(database) = TestDatabase::postgres(async |_| Ok(())).await else { return say_skipped() };
    ends_like(&expected, Portolan::on_postgres(database.config.url.clone())).await;
    database.discard().await;
}

async fn ends_like(expected: &[String], portolan: Portolan) {
    let mut portolan = blocking(portolan, |portolan| import(portolan, ORDERS)).await;
    let mut documents = 0;
    for _ in 0..2 {
        portolan = blocking(portolan, move |portolan| stop_beyond(portolan, documents)).await;
        documents = expect_given_back(&portolan.database()).await;
    }
    let portolan = blocking(portolan, |portolan| {
        let server = portolan.serve();
        let sync = portolan.wait_for_sync_of(TILL);
        assert_eq!(sync["state"], "succeeded", "{sync:#}");
        assert_eq!(sync["documents"], ORDERS);
        assert!(!server.log().contains("vanished worker"), "nothing had to be taken back: {}", server.log());
        let (status, _) = server.stop();
        assert!(status.success(), "a server without work stops, too: {status}");
    });
    // Its folder goes with it.
    let portolan = portolan.await;
    let database = portolan.database();
    let Found { outcomes, .. } = look(&database).await;
    assert_eq!(outcomes, ["snooze", "snooze", "done"], "each start took the sync up once");
    let found = ledger_of(&database).await;
    assert_eq!(expected.len(), found.len(), "as many events");
    assert!(expected == found, "the same events");
}

/// Stops a server once its sync has brought more than so many documents.
fn stop_beyond(portolan: &Portolan, documents: i64) {
    let server = portolan.serve();
    server.wait_until_up();
    let visitor = Visitor::sign_in(portolan, server.port);
    wait_until("the sync gets on", || visitor.documents() > documents);
    let (status, took) = server.stop();
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "it took {took:?}");
}

/// Nobody holds anything, and the sync can be taken up by anybody, from where it stands. Gives its documents.
async fn expect_given_back(database: &DatabaseConfig) -> i64 {
    let Found { jobs, job, outcomes, sync, slices } = look(database).await;
    assert!(jobs.iter().all(|job| job.state != JobState::Running), "{jobs:#?}");
    assert_eq!((job.state, job.lease_until, job.worker_id), (JobState::Ready, None, None));
    assert!(job.run_at <= SystemClock.now().0, "at once: {job:?}");
    assert_eq!((job.attempt, job.crash_count), (0, 0), "a stop is no failure");
    assert_eq!(outcomes.last().map(String::as_str), Some("snooze"));
    assert_eq!(sync.state, SyncState::Running);
    assert!(slices.iter().any(|slice| slice.state == SliceState::Running), "{slices:#?}");
    let documents = sync.documents;
    assert!((1..ORDERS as i64).contains(&documents), "in the middle: {documents}");
    documents
}

/// What the database says of the till's sync.
struct Found {
    jobs: Vec<job::Model>,
    /// The sync's own.
    job: job::Model,
    /// Of each time that it was taken up.
    outcomes: Vec<String>,
    sync: sync::Model,
    slices: Vec<slice::Model>,
}

async fn look(database: &DatabaseConfig) -> Found {
    let db = Database::connect(database).await.expect("open database");
    let house = db.system_read().await.expect("read");
    let tenant = house.find::<tenant::Entity>().one(&house).await.expect("query").expect("tenant");
    let tx = db.read(TenantId(tenant.id)).await.expect("read");
    let till = tx.find::<connection::Entity>().filter(connection::Column::Label.eq(TILL));
    let till = till.one(&tx).await.expect("query").expect("the till");
    let sync = tx.find::<sync::Entity>().filter(sync::Column::ConnectionId.eq(till.id));
    let sync = sync.one(&tx).await.expect("query").expect("its sync");
    let slices = tx.find::<slice::Entity>().filter(slice::Column::SyncId.eq(sync.id));
    let slices = slices.all(&tx).await.expect("slices");
    let jobs = house.find_across_tenants::<job::Entity>().all(&house).await.expect("jobs");
    let job = jobs.iter().find(|job| job.payload.contains(&sync.id.to_string())).expect("its job").clone();
    let attempts = house
        .find::<job_attempt::Entity>()
        .filter(job_attempt::Column::JobId.eq(job.id))
        .order_by_asc(job_attempt::Column::LeaseToken);
    let attempts = attempts.all(&house).await.expect("attempts");
    let outcomes = attempts.into_iter().map(|attempt| attempt.outcome.unwrap_or_default()).collect();
    drop((tx, house));
    db.close().await.expect("close database");
    Found { jobs, job, outcomes, sync, slices }
}

/// Does something that waits for processes, and gives the Portolan back.
async fn blocking(portolan: Portolan, work: impl FnOnce(&Portolan) + Send + 'static) -> Portolan {
    let done = tokio::task::spawn_blocking(move || {
        work(&portolan);
        portolan
    });
    done.await.expect("story")
}
