//! Parts on disk: sorted, immutable Parquet files that appear whole or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::file::statistics::Statistics;
use datafusion::parquet::schema::types::ColumnPath;
use portolan_analytics::Fact;
use portolan_core::{LocalDate, PartId, TenantId};
use sha2::{Digest, Sha256};

use crate::{FactsError, schema};

/// Rows of a row group: large enough to scan quickly, small enough to skip by date.
const ROW_GROUP_ROWS: usize = 256 * 1024;

/// A written file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenPart {
    pub(crate) id: PartId,
    pub(crate) fact: Fact,
    /// Months since 1970-01.
    pub(crate) month: i32,
    /// Below the folder of parts.
    pub(crate) path: String,
    pub(crate) row_count: i64,
    pub(crate) size_bytes: i64,
    pub(crate) sha256: String,
}

/// Months since 1970-01 of a date.
pub(crate) fn month_of(date: LocalDate) -> i32 {
    (date.year() - 1970) * 12 + date.month() as i32 - 1
}

/// Where a tenant's parts of a ledger lie, below the folder of parts.
pub(crate) fn tenant_folder(tenant: TenantId, fact: Fact) -> String {
    format!("{tenant}/{}", fact.table())
}

/// Sorts the rows and writes them to a new file; it has its name only once it is whole and on disk.
pub(crate) fn write(
    folder: &Path,
    tenant: TenantId,
    fact: Fact,
    id: PartId,
    month: i32,
    rows: &RecordBatch,
) -> Result<WrittenPart, FactsError> {
    let sorted = sort(fact, rows)?;
    let name = format!("{:04}-{:02}-{id}.parquet", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
    let path = format!("{}/{name}", tenant_folder(tenant, fact));
    let target = folder.join(&path);
    let parent = target.parent().unwrap_or(folder).to_owned();
    fs::create_dir_all(&parent).map_err(FactsError::file(&parent))?;
    let unfinished = target.with_extension("writing");
    let (size_bytes, sha256) = write_whole(&unfinished, &sorted).inspect_err(|_| {
        // On a full disk the half that was written must not keep the room. Else `sweep` finds it.
        let _swept_later = fs::remove_file(&unfinished);
    })?;
    fs::rename(&unfinished, &target).map_err(FactsError::file(&target))?;
    // The rename itself must survive a power cut before a row in SQL speaks of the file.
    File::open(&parent).and_then(|folder| folder.sync_all()).map_err(FactsError::file(&parent))?;
    Ok(WrittenPart {
        id,
        fact,
        month,
        path,
        row_count: i64::try_from(sorted.num_rows()).unwrap_or(i64::MAX),
        size_bytes,
        sha256,
    })
}

/// Every row of some parts of one ledger.
pub(crate) fn read(folder: &Path, fact: Fact, paths: &[String]) -> Result<RecordBatch, FactsError> {
    let mut batches = Vec::new();
    for path in paths {
        let path: PathBuf = folder.join(path);
        let file = File::open(&path).map_err(FactsError::file(&path))?;
        for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(65_536).build()? {
            batches.push(batch?);
        }
    }
    Ok(concat_batches(schema::columns(fact), &batches)?)
}

/// The first and the last event date of each of some parts, from their footers.
pub(crate) fn days(folder: &Path, paths: &[String]) -> Result<Vec<(i32, i32)>, FactsError> {
    let mut days = Vec::new();
    for path in paths {
        let path: PathBuf = folder.join(path);
        let file = File::open(&path).map_err(FactsError::file(&path))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)?;
        let column = reader.schema().index_of("event_date")?;
        for group in reader.metadata().row_groups() {
            let Some(Statistics::Int32(dates)) = group.column(column).statistics() else {
                return Err(ParquetError::General("a part does not know its dates".to_owned()).into());
            };
            days.extend(dates.min_opt().copied().zip(dates.max_opt().copied()));
        }
    }
    Ok(days)
}

/// By date, connection and ledger key: ranges of dates lie together, and so do the lines of an order.
fn sort(fact: Fact, rows: &RecordBatch) -> Result<RecordBatch, FactsError> {
    let columns: Vec<SortColumn> = ["event_date", "connection_id", fact.ledger_key(), "id"]
        .into_iter()
        .filter_map(|name| rows.column_by_name(name))
        .map(|values| SortColumn { values: values.clone(), options: None })
        .collect();
    let order = lexsort_to_indices(&columns, None)?;
    Ok(take_record_batch(rows, &order)?)
}

/// Writes a file to its end; its size and digest.
fn write_whole(path: &Path, rows: &RecordBatch) -> Result<(i64, String), FactsError> {
    let size_bytes = write_file(path, rows)?;
    Ok((size_bytes, digest(path)?))
}

fn write_file(path: &Path, rows: &RecordBatch) -> Result<i64, FactsError> {
    let file = File::create(path).map_err(FactsError::file(path))?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties()))?;
    writer.write(rows)?;
    let file = writer.into_inner()?;
    file.sync_all().map_err(FactsError::file(path))?;
    let length = file.metadata().map_err(FactsError::file(path))?.len();
    Ok(i64::try_from(length).unwrap_or(i64::MAX))
}

/// LZ4: the engine reads these files more often than they are moved.
pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(ColumnPath::from("id"), false)
        .set_column_statistics_enabled(ColumnPath::from("id"), EnabledStatistics::None)
        .build()
}

fn digest(path: &Path) -> Result<String, FactsError> {
    let mut file = File::open(path).map_err(FactsError::file(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 16];
    loop {
        let length = std::io::Read::read(&mut file, &mut buffer).map_err(FactsError::file(path))?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
