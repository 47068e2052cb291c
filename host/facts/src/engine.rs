//! DataFusion over parts and tail: one session per statement, a bounded memory for each question.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, UInt64Type};
use datafusion::catalog::MemTable;
use datafusion::config::Dialect;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::SortExpr;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext, ident};
use datafusion::scalar::ScalarValue;
use portolan_analytics::{Fact, Parameter, Statement, Value};
use portolan_core::RateTable;
use portolan_db::entity::fact_part;
use uuid::Uuid;

use crate::convert;
use crate::exact_sum::exact_sum;
use crate::pack::Packer;
use crate::part::{month_of, order};
use crate::period::period_start;
use crate::run_sum::run_sum;
use crate::standing::standing;
use crate::{FactStoreConfig, FactsError, schema};

/// More groups than this are not an answer that anybody reads.
const MAX_GROUPS: usize = 2_000_000;

/// Read from the end of a part at once: more than a footer takes.
const FOOTER_BYTES: usize = 64 << 10;

/// What the statements of one question read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) parts: Arc<[fact_part::Model]>,
    /// Of every ledger that the question is about.
    pub(crate) tails: BTreeMap<Fact, RecordBatch>,
    /// Empty where nothing is converted.
    pub(crate) rates: Arc<RateTable>,
}

/// The rows of one statement.
pub(crate) struct Answered {
    pub(crate) rows: Vec<Vec<Value>>,
    pub(crate) rows_scanned: u64,
    /// Of the rows; given back when it is dropped.
    pub(crate) memory: MemoryReservation,
}

/// Runs statements. Footers of parts stay in a cache that all questions share.
pub(crate) struct Engine {
    folder: PathBuf,
    runtime: Arc<RuntimeEnv>,
    memory_bytes: usize,
    partitions: usize,
    spilled_bytes: AtomicU64,
}

impl Engine {
    pub(crate) fn new(folder: &Path, config: &FactStoreConfig) -> Result<Self, FactsError> {
        let spill = DiskManagerBuilder::default().with_max_temp_directory_size(config.spill_bytes);
        let runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(spill).build_arc()?;
        Ok(Self {
            folder: folder.to_owned(),
            runtime,
            memory_bytes: config.memory_bytes,
            partitions: config.partitions,
            spilled_bytes: AtomicU64::new(0),
        })
    }

    /// A memory of its own for one question.
    pub(crate) fn question(&self) -> Result<Arc<RuntimeEnv>, FactsError> {
        let pool = Arc::new(FairSpillPool::new(self.memory_bytes));
        Ok(RuntimeEnvBuilder::from_runtime_env(&self.runtime).with_memory_pool(pool).build_arc()?)
    }

    pub(crate) async fn run(
        &self,
        runtime: Arc<RuntimeEnv>,
        source: &Source,
        statement: &Statement,
    ) -> Result<Answered, FactsError> {
        let memory = MemoryConsumer::new("answer").register(&runtime.memory_pool);
        let packer = Packer::new(&runtime.memory_pool);
        let session = self.session(runtime);
        self.register(&session, source, statement).await?;
        session.register_udaf(exact_sum());
        session.register_udaf(standing());
        session.register_udf(run_sum());
        session.register_udf(packer.function());
        let starts = statement.period_start();
        if !starts.is_empty() {
            session.register_udf(period_start(starts));
        }
        if let Some(target) = statement.display_currency {
            for function in convert::functions(&source.rates, target) {
                session.register_udf(function);
            }
        }
        let parameters: Vec<ScalarValue> = statement.parameters.iter().map(scalar).collect();
        let frame = session.sql(&statement.sql).await?.with_param_values(parameters)?;
        let plan = frame.create_physical_plan().await?;
        let collected = collect(plan.clone(), session.task_ctx()).await;
        self.spilled_bytes.fetch_add(spilled(plan.as_ref()), Ordering::Relaxed);
        let batches = collected?;
        tracing::trace!(plan = %DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(true), "statement ran");
        if batches.iter().map(RecordBatch::num_rows).sum::<usize>() > MAX_GROUPS {
            return Err(DataFusionError::ResourcesExhausted("too many groups".to_owned()).into());
        }
        let mut rows = Vec::new();
        for batch in &batches {
            let cells = batch.num_rows() * (batch.num_columns() + statement.packed_keys);
            memory.try_grow(held_bytes(batch) + cells * size_of::<Value>())?;
            append_rows(batch, &packer, statement.packed_keys, &mut rows)?;
        }
        Ok(Answered { rows, rows_scanned: scanned(plan.as_ref()), memory })
    }

    /// What statements have written to disk so far.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes.load(Ordering::Relaxed)
    }

    fn session(&self, runtime: Arc<RuntimeEnv>) -> SessionContext {
        let mut config =
            SessionConfig::new().with_target_partitions(self.partitions).with_information_schema(false);
        config.options_mut().sql_parser.dialect = Dialect::PostgreSQL;
        SessionContext::new_with_config_rt(config, runtime)
    }

    /// A ledger = its parts that may matter ∪ its tail.
    async fn register(
        &self,
        session: &SessionContext,
        source: &Source,
        statement: &Statement,
    ) -> Result<(), FactsError> {
        let fact = statement.fact;
        let (table, columns) = (fact.table(), schema::columns(fact));
        let unposted = || RecordBatch::new_empty(columns.clone());
        let rows = source.tails.get(&fact).cloned().unwrap_or_else(unposted);
        let tail_rows = rows.num_rows();
        let tail = MemTable::try_new(columns.clone(), vec![vec![rows]])?;
        let files = self.relevant_files(source, statement)?;
        if files.is_empty() {
            session.register_table(table, Arc::new(tail))?;
            return Ok(());
        }
        let format = ParquetFormat::default().with_metadata_size_hint(Some(FOOTER_BYTES));
        let options = ListingOptions::new(Arc::new(format)).with_file_extension(".parquet");
        let listing = ListingTableConfig::new_with_multi_paths(files)
            .with_listing_options(options)
            .with_schema(columns.clone());
        let parts = ListingTable::try_new(listing)?
            .with_cache(session.runtime_env().cache_manager.get_file_statistic_cache());
        let parts = session.read_table(Arc::new(parts))?;
        let all = match tail_rows {
            0 => parts,
            _ => parts.union(session.read_table(Arc::new(tail))?)?,
        };
        session.register_table(table, all.into_view())?;
        Ok(())
    }

    /// Every row of some parts of a ledger in the order of parts, a batch at a time.
    pub(crate) async fn sorted_rows(
        &self,
        fact: Fact,
        parts: &[fact_part::Model],
    ) -> Result<SortedRows, FactsError> {
        let order: Vec<SortExpr> =
            order::columns(fact).into_iter().map(|name| ident(name).sort(true, false)).collect();
        // Each part is read as a whole by a partition of its own: so its order is known, and they are only merged.
        let mut config = SessionConfig::new().with_target_partitions(parts.len().max(1));
        config.options_mut().optimizer.repartition_file_scans = false;
        let session = SessionContext::new_with_config_rt(config, self.question()?);
        let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
            .with_file_extension(".parquet")
            .with_file_sort_order(vec![order.clone()]);
        let files = parts.iter().map(|part| self.file(part)).collect::<Result<_, _>>()?;
        let listing = ListingTableConfig::new_with_multi_paths(files)
            .with_listing_options(options)
            .with_schema(schema::columns(fact).clone());
        let parts = session.read_table(Arc::new(ListingTable::try_new(listing)?))?;
        Ok(SortedRows(parts.sort(order)?.execute_stream().await?))
    }

    /// Parts are cut by month of the event: those outside of the asked dates are not even opened.
    fn relevant_files(
        &self,
        source: &Source,
        statement: &Statement,
    ) -> Result<Vec<ListingTableUrl>, FactsError> {
        let months = statement
            .event_dates
            .and_then(|range| Some((month_of(range.from), month_of(range.last()?))))
            .unwrap_or((i32::MIN, i32::MAX));
        let relevant = |part: &&fact_part::Model| {
            part.fact == statement.fact.table() && (months.0..=months.1).contains(&part.month)
        };
        source.parts.iter().filter(relevant).map(|part| self.file(part)).collect()
    }

    /// Where a part lies. The engine passes over files that are not there, and an answer without their rows would look
    /// like any other.
    fn file(&self, part: &fact_part::Model) -> Result<ListingTableUrl, FactsError> {
        let path = self.folder.join(&part.path);
        let size_bytes = std::fs::metadata(&path).map(|file| file.len()).ok();
        if size_bytes.and_then(|size| i64::try_from(size).ok()) == Some(part.size_bytes) {
            return Ok(ListingTableUrl::parse(path.to_string_lossy())?);
        }
        let message = format!("the part {} is missing or damaged: restore it from a backup", path.display());
        Err(FactsError::Damaged(message))
    }
}

/// Rows that come batch by batch.
pub(crate) struct SortedRows(SendableRecordBatchStream);

impl SortedRows {
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>, FactsError> {
        // A stream is asked by polling it, and no crate of streams is needed for that alone.
        let next = std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await;
        Ok(next.transpose()?)
    }
}

fn scalar(parameter: &Parameter) -> ScalarValue {
    match parameter {
        Parameter::Text(text) => ScalarValue::Utf8View(Some(text.clone())),
        Parameter::Integer(integer) => ScalarValue::Int64(Some(*integer)),
        Parameter::Date(days) => ScalarValue::Int32(Some(*days)),
        Parameter::Boolean(flag) => ScalarValue::Boolean(Some(*flag)),
        Parameter::Uuid(id) => ScalarValue::FixedSizeBinary(16, Some(id.as_bytes().to_vec())),
    }
}

/// Adds a batch's rows; with packed keys, their values stand in place of the first column.
fn append_rows(
    batch: &RecordBatch,
    packer: &Packer,
    packed_keys: usize,
    rows: &mut Vec<Vec<Value>>,
) -> Result<(), FactsError> {
    let first = rows.len();
    let plain = match batch.columns() {
        [packed, plain @ ..] if packed_keys > 0 => {
            let numbers = packed.as_primitive::<Int64Type>().values();
            rows.extend(packer.unpack(numbers, packed_keys, plain.len())?);
            plain
        }
        columns => {
            rows.resize_with(first + batch.num_rows(), || Vec::with_capacity(columns.len()));
            columns
        }
    };
    for column in plain {
        for (index, row) in rows[first..].iter_mut().enumerate() {
            row.push(value(column.as_ref(), index)?);
        }
    }
    Ok(())
}

fn value(column: &dyn Array, index: usize) -> Result<Value, FactsError> {
    if column.is_null(index) {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Null => Value::Null,
        DataType::Int32 => Value::Integer(column.as_primitive::<Int32Type>().value(index).into()),
        DataType::Int64 => Value::Integer(column.as_primitive::<Int64Type>().value(index).into()),
        DataType::UInt64 => Value::Integer(column.as_primitive::<UInt64Type>().value(index).into()),
        DataType::Decimal128(_, 0) => Value::Integer(column.as_primitive::<Decimal128Type>().value(index)),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(index).into()),
        DataType::Utf8View => Value::Text(column.as_string_view().value(index).into()),
        DataType::FixedSizeBinary(16) => {
            let bytes = column.as_fixed_size_binary().value(index);
            Value::Uuid(Uuid::from_slice(bytes).unwrap_or_default())
        }
        other => {
            let message = format!("statement brought a column of type {other}");
            return Err(DataFusionError::Internal(message).into());
        }
    })
}

/// Rows that the leaves of a plan brought, after skipping.
fn scanned(plan: &dyn ExecutionPlan) -> u64 {
    let children = plan.children();
    if children.is_empty() {
        return plan.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or_default() as u64;
    }
    children.into_iter().map(|child| scanned(child.as_ref())).sum()
}

/// What the operators of a plan wrote to disk.
fn spilled(plan: &dyn ExecutionPlan) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or_default() as u64;
    own + plan.children().into_iter().map(|child| spilled(child.as_ref())).sum::<u64>()
}

/// What the batch itself holds. The engine hands one result out in slices of shared buffers, and Arrow's own figure
/// counts the whole of them for each slice.
fn held_bytes(batch: &RecordBatch) -> usize {
    let held = |column: &ArrayRef| {
        let texts = column.as_string_view_opt().map_or(0, StringViewArray::total_buffer_bytes_used);
        column.to_data().get_slice_memory_size().unwrap_or_default() + texts
    };
    batch.columns().iter().map(held).sum()
}
