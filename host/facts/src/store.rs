//! The store: answers questions over one snapshot, from memory where the answer is known.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use moka::future::Cache;
use portolan_analytics::{
    AnalyticsError, AnswerFacts, Fact, Plan, Query, QueryEngine, Table, Visibility, answer,
};
use portolan_core::calendar::DateRange;
use portolan_core::{Clock, Random, RateTable, TenantId};
use portolan_db::entity::ledger_head;
use portolan_db::{Database, TenantTx};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::compact::SMALL_PART_ROWS;
use crate::engine::{Answered, Engine, Source};
use crate::fold::EVENTS_PER_STEP;
use crate::rates::KnownRates;
use crate::sweep::Readers;
use crate::{FactsError, snapshot, tail};

/// A longer tail is folded before it is asked: it would not fit well into memory.
const MAX_TAIL_EVENTS: u64 = 100_000;
/// Labels of connections and titles of products may lag behind by this.
const ANSWER_LIFETIME: Duration = Duration::from_secs(300);

/// How much the engine may use.
#[derive(Debug, Clone)]
pub struct FactStoreConfig {
    /// Of one question.
    pub memory_bytes: usize,
    /// Of all questions together, on disk, when memory is not enough.
    pub spill_bytes: u64,
    /// Threads of the engine, and partitions of one question.
    pub partitions: usize,
    /// Rows of remembered answers.
    pub cached_rows: u64,
    /// Events of a step of a fold: bounds its memory, which two steps share.
    pub events_per_step: i64,
    /// Parts with fewer rows are merged as soon as a month has some of them.
    pub small_part_rows: i64,
}

impl Default for FactStoreConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            spill_bytes: 4 << 30,
            partitions: 2,
            cached_rows: 500_000,
            events_per_step: EVENTS_PER_STEP,
            small_part_rows: SMALL_PART_ROWS,
        }
    }
}

/// Parts, tail and answers of all tenants. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct FactStore {
    pub(crate) database: Database,
    pub(crate) folder: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) readers: Arc<Readers>,
    /// One fold at a time in this process: a second one would write files in vain.
    pub(crate) folding: Arc<tokio::sync::Mutex<()>>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) events_per_step: i64,
    pub(crate) small_part_rows: i64,
    threads: Arc<Threads>,
    answers: Cache<AnswerKey, Table>,
    tails: Cache<TailKey, RecordBatch>,
    rates: KnownRates,
}

/// What somebody sees is part of the question: nobody is answered what another was.
type AnswerKey = (TenantId, i64, Visibility, Query);
/// Tenant, ledger, folded version, posting version: what a tail holds never changes.
type TailKey = (TenantId, Fact, i64, i64);

/// The engine's own threads: a heavy question must not keep pages waiting.
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for threads is not allowed where a store may be dropped.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl FactStore {
    /// A store whose parts lie below `folder`, which is created when the first part is written.
    pub fn new(
        database: Database,
        folder: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, FactsError> {
        Self::with_config(database, folder, clock, random, &FactStoreConfig::default())
    }

    pub fn with_config(
        database: Database,
        folder: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        config: &FactStoreConfig,
    ) -> Result<Self, FactsError> {
        // The engine takes addresses of files, which must not depend on the working directory.
        let folder = std::path::absolute(folder).map_err(FactsError::file(folder))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(config.partitions.max(1))
            .thread_name("facts")
            .enable_all()
            .build()
            .map_err(FactsError::file(&folder))?;
        Ok(Self {
            engine: Arc::new(Engine::new(&folder, config)?),
            events_per_step: config.events_per_step.max(1),
            small_part_rows: config.small_part_rows.max(1),
            threads: Arc::new(Threads(Some(runtime))),
            readers: Arc::default(),
            answers: Cache::builder()
                .weigher(|_, table: &Table| u32::try_from(table.rows.len() + 1).unwrap_or(u32::MAX))
                .max_capacity(config.cached_rows)
                .time_to_live(ANSWER_LIFETIME)
                .build(),
            tails: Cache::builder()
                .weigher(|_, tail: &RecordBatch| u32::try_from(tail.num_rows() + 1).unwrap_or(u32::MAX))
                .max_capacity(2 * MAX_TAIL_EVENTS)
                .time_to_idle(ANSWER_LIFETIME)
                .build(),
            rates: KnownRates::new(),
            folding: Arc::default(),
            database,
            folder,
            clock,
            random,
        })
    }

    /// The answer without looking into or adding to the remembered ones: for measuring.
    pub async fn run_uncached(
        &self,
        tenant: TenantId,
        seen: &Visibility,
        query: &Query,
    ) -> Result<Table, AnalyticsError> {
        let tx = self.database.read(tenant).await.map_err(FactsError::from)?;
        let head = tx.ledger_head().await.map_err(FactsError::from)?;
        self.ask(tenant, seen, query, tx, &head).await
    }

    async fn ask(
        &self,
        tenant: TenantId,
        seen: &Visibility,
        query: &Query,
        mut tx: TenantTx,
        head: &ledger_head::Model,
    ) -> Result<Table, AnalyticsError> {
        let started = self.clock.monotonic();
        let mut head = head.clone();
        if tail::length(&tx, &head).await.map_err(FactsError::from)? > MAX_TAIL_EVENTS {
            drop(tx);
            self.fold(tenant).await?;
            tx = self.database.read(tenant).await.map_err(FactsError::from)?;
            head = tx.ledger_head().await.map_err(FactsError::from)?;
        }
        let context = snapshot::context(&tx, tenant).await.map_err(FactsError::from)?;
        let context = context.ok_or(AnalyticsError::UnknownTenant)?;
        let mut plan = Plan::new(query, seen, &context)?;
        let rates = match query.display_currency {
            Some(_) => self.rates.of(&tx, plan.recorded_until()).await?,
            None => Arc::default(),
        };
        if cannot_be_converted(query, &rates) {
            plan = Plan::new(&Query { display_currency: None, ..query.clone() }, seen, &context)?;
        }
        let facts: BTreeSet<Fact> = plan.statements.iter().map(|statement| statement.fact).collect();
        let facts: Vec<Fact> = facts.into_iter().collect();
        let parts = snapshot::parts(&tx, &facts).await.map_err(FactsError::from)?;
        let paths: Vec<String> = parts.iter().map(|part| part.path.clone()).collect();
        let _open = self.readers.open(&paths);
        let mut tails = BTreeMap::new();
        for fact in facts {
            tails.insert(fact, self.tail(tenant, fact, &tx, &head).await?);
        }
        let source = Source { parts: parts.into(), tails, rates };
        let as_of = plan.as_of(self.clock.now());
        drop(tx);

        let (results, rows_scanned) = self.compute(&plan, source).await?;
        let draft = answer(&plan, &results)?;
        let products = draft.products();
        let titles = if products.is_empty() {
            HashMap::new()
        } else {
            let tx = self.database.read(tenant).await.map_err(FactsError::from)?;
            snapshot::titles(&tx, products).await.map_err(FactsError::from)?
        };
        let engine_ms = u64::try_from(self.clock.monotonic().0 - started.0).unwrap_or_default() / 1_000;
        let facts = AnswerFacts {
            data_version: head.data_version,
            as_of,
            engine_ms,
            // How much lies there is not told to whoever sees a part of it.
            rows_scanned: seen.sees_all_rows().then_some(rows_scanned),
        };
        Ok(draft.finish(&titles, facts))
    }

    async fn tail(
        &self,
        tenant: TenantId,
        fact: Fact,
        tx: &TenantTx,
        head: &ledger_head::Model,
    ) -> Result<RecordBatch, FactsError> {
        let key = (tenant, fact, head.folded_version, head.posting_version);
        if let Some(tail) = self.tails.get(&key).await {
            return Ok(tail);
        }
        let (folded, posted) = (head.folded_version, head.posting_version);
        let postings = tail::sizes(tx, folded, posted, i64::MAX).await?;
        let tail = tail::events(tx, fact, &postings).await?;
        self.tails.insert(key, tail.clone()).await;
        Ok(tail)
    }

    /// Runs the statements on the engine's threads; they stop when the caller goes away.
    async fn compute(
        &self,
        plan: &Plan,
        source: Source,
    ) -> Result<(Vec<Vec<Vec<portolan_analytics::Value>>>, u64), FactsError> {
        let engine = self.engine.clone();
        let statements = plan.statements.clone();
        let work = async move {
            let memory = engine.question()?;
            let mut results = Vec::with_capacity(statements.len());
            let mut rows_scanned = 0;
            // The rows of all statements are held until the last has run, so their memory is, too.
            let mut held = Vec::with_capacity(statements.len());
            for statement in &statements {
                let answered: Answered = engine.run(memory.clone(), &source, statement).await?;
                rows_scanned += answered.rows_scanned;
                results.push(answered.rows);
                held.push(answered.memory);
            }
            Ok((results, rows_scanned))
        };
        AbortOnDropHandle::new(self.engine_threads()?.spawn(work)).await.map_err(|_| FactsError::Stopped)?
    }

    pub(crate) fn engine_threads(&self) -> Result<Handle, FactsError> {
        Ok(self.threads.0.as_ref().ok_or(FactsError::Stopped)?.handle().clone())
    }

    /// What questions have written to disk since the store was opened, because their memory was not enough.
    pub fn spilled_bytes(&self) -> u64 {
        self.engine.spilled_bytes()
    }
}

/// Whether a display currency is asked for and no rate is known at all: what can't be converted need not be tried row
/// by row. Exchange itself can be asked for with a display currency alone.
fn cannot_be_converted(query: &Query, rates: &RateTable) -> bool {
    let about_exchange = query.metrics.iter().any(|metric| metric == "fx_gain_loss");
    query.display_currency.is_some() && rates.is_empty() && !about_exchange
}

#[async_trait]
impl QueryEngine for FactStore {
    async fn run(&self, tenant: TenantId, seen: &Visibility, query: &Query) -> Result<Table, AnalyticsError> {
        let tx = self.database.read(tenant).await.map_err(FactsError::from)?;
        let head = tx.ledger_head().await.map_err(FactsError::from)?;
        let key = (tenant, head.data_version, seen.clone(), query.clone());
        if let Some(known) = self.answers.get(&key).await {
            return Ok(known);
        }
        let table = self.ask(tenant, seen, query, tx, &head).await?;
        // A fold in between leaves numbers and version as they are; a posting moves both.
        let key = (tenant, table.data_version, seen.clone(), query.clone());
        self.answers.insert(key, table.clone()).await;
        Ok(table)
    }

    async fn days(&self, tenant: TenantId, seen: &Visibility) -> Result<Option<DateRange>, AnalyticsError> {
        match seen.sees_all_rows() {
            true => Ok(self.ledger_days(tenant).await?),
            false => self.seen_days(tenant, seen).await,
        }
    }

    async fn data_version(&self, tenant: TenantId) -> Result<i64, AnalyticsError> {
        let tx = self.database.read(tenant).await.map_err(FactsError::from)?;
        Ok(tx.ledger_head().await.map_err(FactsError::from)?.data_version)
    }
}
