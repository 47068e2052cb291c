//! A product with a scripted channel: its own tenant, connection and clock on a fresh database.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portolan_access::audit::Who;
use portolan_access::oidc::Outside;
use portolan_access::oidc::fake::FakeOutside;
use portolan_access::{KeyRing, Sessions};
use portolan_analytics::{
    AnalyticsError, AnswerFacts, DateRange, Plan, Query, QueryEngine, Table, TenantContext, Visibility,
    answer,
};
use portolan_app::audit::jobs::AnchorAudit;
use portolan_app::company::domains::jobs::CheckDomains;
use portolan_app::company::domains::lookup::{NoAnswer, TxtLookup};
use portolan_app::connections::ops::{NewConnection, create_connection};
use portolan_app::live::LiveBus;
use portolan_app::mail::jobs::SendMail;
use portolan_app::people::{NewTenant, add_owner, find_member};
use portolan_app::privacy::jobs::{FORGET_EXPORT, ForgetExport, KeepRetention, RunRequest};
use portolan_app::replays::jobs::RunReplay;
use portolan_app::syncs::jobs::{FOLD_FACTS, RunSync, StartScheduledSync};
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::upgrades::jobs::RunShadow;
use portolan_app::web::limits::{Allowances, RequestLimits};
use portolan_app::web::proxies::TrustedProxies;
use portolan_app::{App, CHART_BUNDLE};
use portolan_charts::ChartRenderer;
use portolan_connector::fake::FakeRuntime;
use portolan_core::calendar::{StoreCalendar, TenantCalendar};
use portolan_core::{
    Clock, ConnectionId, Duration, Instant, Random, SyncId, SystemClock, SystemRandom, TenantId, UserId,
};
use portolan_db::TenantEntity;
use portolan_db::entity::job::{self, JobState};
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::entity::{connection, lane, sale_event, slice};
use portolan_jobs::{JobContext, JobError, JobHandler, Queue, Registry, Worker, WorkerOptions};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub use portolan_db::testing::{TestDatabase, on_both};
pub use portolan_migrations::migrate;

pub use super::support_documents::*;

/// 28 May 2026, 20:26:40 UTC.
pub const START: Instant = Instant::from_unix_ms(1_780_000_000_000);

/// Moves by a millisecond whenever it is read, so that later things have later ids, and by hand.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant(self.0.fetch_add(1_000, Ordering::SeqCst))
    }

    /// Leases are kept in real time: the worker is real.
    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }
}

/// Answers every question with an empty table of the right shape.
struct EmptyEngine;

#[async_trait]
impl QueryEngine for EmptyEngine {
    async fn run(&self, _: TenantId, seen: &Visibility, query: &Query) -> Result<Table, AnalyticsError> {
        let context = TenantContext {
            connections: Vec::new(),
            calendar: TenantCalendar::default(),
            zone: StoreCalendar::utc(),
        };
        let plan = Plan::new(query, seen, &context)?;
        let results = vec![Vec::new(); plan.statements.len()];
        let facts = AnswerFacts { data_version: 0, as_of: START, engine_ms: 0, rows_scanned: Some(0) };
        Ok(answer(&plan, &results)?.finish(&HashMap::new(), facts))
    }

    async fn days(&self, _: TenantId, _: &Visibility) -> Result<Option<DateRange>, AnalyticsError> {
        Ok(None)
    }

    async fn data_version(&self, _: TenantId) -> Result<i64, AnalyticsError> {
        Ok(0)
    }
}

/// Stands for the engine's job: counts how often it was asked to fold.
struct CountFolds(Arc<AtomicUsize>);

#[async_trait]
impl JobHandler for CountFolds {
    fn kind(&self) -> &'static str {
        FOLD_FACTS
    }

    async fn run(&self, _: &JobContext, _: Value) -> Result<(), JobError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// DNS as a test says it is: names that nobody said anything of don't exist.
#[derive(Clone, Default)]
pub struct ScriptedDns(Arc<Mutex<HashMap<String, DnsAnswer>>>);

/// Texts of a name, or why there are none.
type DnsAnswer = Result<Vec<String>, NoAnswer>;

impl ScriptedDns {
    pub fn say(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.0.lock().expect("a lock").insert(name.to_owned(), Ok(texts));
    }

    pub fn be_silent(&self, name: &str) {
        let silence = Err(NoAnswer("no server answered".to_owned()));
        self.0.lock().expect("a lock").insert(name.to_owned(), silence);
    }
}

#[async_trait]
impl TxtLookup for ScriptedDns {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        self.0.lock().expect("a lock").get(name).cloned().unwrap_or_else(|| Ok(Vec::new()))
    }
}

pub struct TestApp {
    pub app: Arc<App>,
    pub runtime: FakeRuntime,
    pub clock: TestClock,
    pub dns: ScriptedDns,
    pub tenant: TenantId,
    pub user: UserId,
    pub folds: Arc<AtomicUsize>,
    /// Identity providers, where a test has some.
    pub outside: FakeOutside,
    folder: TempDir,
}

impl TestApp {
    /// A product with a tenant of this name, its owner, and the scripted plugin installed.
    pub async fn new(test: &TestDatabase, name: &str) -> Self {
        let bare = Self::before_set_up(test);
        let new_tenant =
            NewTenant { slug: name.to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        let tenant = add_owner(&bare.app, name, None, new_tenant).await.expect("an owner");
        let (user, _) = find_member(&bare.app, name).await.expect("the owner");
        Self { tenant, user, ..bare }
    }

    /// A product without anybody in it.
    pub fn before_set_up(test: &TestDatabase) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = TestClock(Arc::new(AtomicI64::new(START.0)));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let runtime = FakeRuntime::new().plugin(manifest());
        let db = test.database.clone();
        let outside = FakeOutside::new(Arc::clone(&shared));
        let dns = ScriptedDns::default();
        let app = Arc::new(App {
            runtime: Arc::new(runtime.clone()),
            engine: Arc::new(EmptyEngine),
            key_ring: Arc::new(KeyRing::load_or_create(folder.path(), None, &*random).expect("a key")),
            charts: ChartRenderer::new(CHART_BUNDLE).expect("charts"),
            queue: Queue::new(db.clone(), Arc::clone(&shared), Arc::clone(&random)),
            sessions: Sessions::new(db.clone(), Arc::clone(&shared), Arc::clone(&random)),
            limits: RequestLimits::new(Arc::clone(&shared), Allowances::NONE),
            outside: Outside::new(Arc::new(outside.clone()), Arc::clone(&shared)),
            live: LiveBus::default(),
            stopping: CancellationToken::new(),
            public_address: None,
            trusted_proxies: TrustedProxies::default(),
            dns: Arc::new(dns.clone()),
            db,
            clock: shared,
            random,
            data_dir: folder.path().to_owned(),
            audit_anchors: None,
            mail: None,
        });
        let (tenant, user) = (TenantId(Uuid::nil()), UserId(Uuid::nil()));
        Self { app, runtime, clock, dns, tenant, user, folds: Arc::default(), outside, folder }
    }

    /// The owner, as verbs are told.
    pub fn who(&self) -> Who {
        Who::person(self.user)
    }

    pub async fn connect(&self) -> ConnectionId {
        self.connect_as("Harbour shop").await
    }

    pub async fn connect_as(&self, label: &str) -> ConnectionId {
        let new = NewConnection {
            plugin_id: "fake".to_owned(),
            label: label.to_owned(),
            time_zone: "UTC".to_owned(),
            day_cutover_minutes: 0,
            config: json!({ "shop": "harbour", "token": "open-sesame" }),
            consent: true,
        };
        create_connection(&self.app, self.tenant, self.who(), new).await.expect("a connection")
    }

    pub async fn start(&self, connection: ConnectionId) -> SyncId {
        start_sync(&self.app, self.tenant, self.who(), connection, Trigger::Manual).await.expect("a sync")
    }

    /// Starts a sync and works until nothing is due.
    pub async fn sync(&self, connection: ConnectionId) -> sync::Model {
        let id = self.start(connection).await;
        self.work().await;
        self.sync_row(id).await
    }

    /// Runs a worker until no job runs and none is due.
    pub async fn work(&self) {
        let stop = CancellationToken::new();
        let options = WorkerOptions {
            concurrency: 2,
            poll: Duration::from_ms(20),
            heartbeat: Duration::from_secs(5),
            drain: Duration::from_secs(5),
        };
        let registry = Registry::new()
            .with(RunSync { app: Arc::clone(&self.app) })
            .with(StartScheduledSync { app: Arc::clone(&self.app) })
            .with(RunReplay { app: Arc::clone(&self.app) })
            .with(RunShadow { app: Arc::clone(&self.app) })
            .with(AnchorAudit { app: Arc::clone(&self.app) })
            .with(SendMail { app: Arc::clone(&self.app) })
            .with(RunRequest { app: Arc::clone(&self.app) })
            .with(ForgetExport { app: Arc::clone(&self.app) })
            .with(KeepRetention { app: Arc::clone(&self.app) })
            .with(CheckDomains { app: Arc::clone(&self.app) })
            .with(CountFolds(Arc::clone(&self.folds)));
        let worker = tokio::spawn(Worker::new(self.app.queue.clone(), registry, options).run(stop.clone()));
        let idle = async {
            // Twice in a row: a schedule may fire in between.
            let mut quiet = 0;
            while quiet < 3 {
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
                quiet = if self.is_anything_due().await { 0 } else { quiet + 1 };
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), idle).await.expect("an idle queue");
        stop.cancel();
        worker.await.expect("a worker that ends well");
    }

    async fn is_anything_due(&self) -> bool {
        let now = self.app.clock.now().0;
        let tx = self.app.db.system_read().await.expect("read");
        let lanes = tx.find::<lane::Entity>().all(&tx).await.expect("lanes");
        let rests =
            |id: &str| lanes.iter().any(|lane| lane.id == id && lane.paused_until.is_some_and(|at| at > now));
        self.open_jobs()
            .await
            .iter()
            .any(|job| job.state == JobState::Running || (job.run_at <= now && !rests(&job.lane_id)))
    }

    /// Jobs that wait or run.
    pub async fn open_jobs(&self) -> Vec<job::Model> {
        let tx = self.app.db.system_read().await.expect("read");
        tx.find_across_tenants::<job::Entity>()
            .filter(job::Column::State.is_in([JobState::Ready, JobState::Running]))
            .all(&tx)
            .await
            .expect("jobs")
    }

    pub async fn assert_idle(&self) {
        // An export waits a week to be forgotten.
        let open = self.open_jobs().await.into_iter().filter(|job| job.kind != FORGET_EXPORT);
        let open: Vec<_> = open.map(|job| (job.kind, job.state)).collect();
        assert_eq!(open, [], "nothing waits and nothing runs");
    }

    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub async fn rows<E: TenantEntity>(&self) -> Vec<E::Model> {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        tx.find::<E>().all(&tx).await.expect("rows")
    }

    pub async fn sync_row(&self, id: SyncId) -> sync::Model {
        let syncs = self.rows::<sync::Entity>().await;
        syncs.into_iter().find(|sync| sync.id == id.0).expect("the sync")
    }

    pub async fn connection_row(&self, id: ConnectionId) -> connection::Model {
        let connections = self.rows::<connection::Entity>().await;
        connections.into_iter().find(|connection| connection.id == id.0).expect("the connection")
    }

    pub async fn slices_of(&self, sync: Uuid, stream: &str) -> Vec<slice::Model> {
        let tx = self.app.db.read(self.tenant).await.expect("read");
        tx.find::<slice::Entity>()
            .filter(slice::Column::SyncId.eq(sync))
            .filter(slice::Column::Stream.eq(stream))
            .order_by_asc(slice::Column::Position)
            .all(&tx)
            .await
            .expect("slices")
    }

    /// What the ledger says was earned with goods, of one order or of all.
    pub async fn net_minor(&self, order: Option<&str>) -> i64 {
        let events = self.rows::<sale_event::Entity>().await;
        let wanted = events.iter().filter(|event| order.is_none_or(|order| event.order_key == order));
        wanted.map(|event| event.gross_minor - event.discount_minor).sum()
    }

    /// What stands in the ledger: units and amounts by what, where and when; what was taken back is gone.
    pub async fn standing(&self) -> BTreeMap<(String, String, Option<String>, i64), (i64, i64)> {
        let mut standing = BTreeMap::new();
        for event in self.rows::<sale_event::Entity>().await {
            let key = (event.kind, event.order_key, event.line_key, event.event_at);
            let (units, amount): &mut (i64, i64) = standing.entry(key).or_default();
            *units += event.quantity_milli;
            *amount += event.gross_minor - event.discount_minor;
        }
        standing.retain(|_, amounts| *amounts != (0, 0));
        standing
    }

    /// How many times the channel was asked for a page of a stream.
    pub fn fetches_of(&self, stream: &str) -> usize {
        self.runtime.fetches().iter().filter(|request| request.slice.stream == stream).count()
    }

    /// A file on disk, as somebody would choose it.
    pub fn file(&self, name: &str, content: &[u8]) -> std::path::PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }
}

/// The sync ended well, and every record is accounted for.
#[track_caller]
pub fn assert_succeeded(sync: &sync::Model) {
    assert_eq!(sync.error_detail, None);
    assert_eq!(sync.state, SyncState::Succeeded);
    assert_eq!(sync.seen, sync.emitted + sync.skipped);
}

/// The sync failed with this code, and says what happened.
#[track_caller]
pub fn assert_failed<'a>(sync: &'a sync::Model, code: &str) -> &'a str {
    assert_eq!((sync.state, sync.error_code.as_deref()), (SyncState::Failed, Some(code)));
    sync.error_detail.as_deref().expect("a sentence")
}
