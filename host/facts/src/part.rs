//! Parts on disk: sorted, immutable Parquet files that appear whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::file::statistics::Statistics;
use datafusion::parquet::schema::types::ColumnPath;
use portolan_analytics::Fact;
use portolan_core::{LocalDate, PartId, TenantId, hex};
use sha2::{Digest, Sha256};

use crate::{FactsError, schema};

pub(crate) mod order;

/// Rows of a row group: large enough to scan quickly, small enough to skip by date.
pub(crate) const ROW_GROUP_ROWS: usize = 256 * 1024;

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

/// Writes rows that are in the order of parts to a new file; it has its name only once it is whole and on disk. Before a
/// row in SQL speaks of it, [`settle`] it.
pub(crate) fn write(
    folder: &Path,
    tenant: TenantId,
    fact: Fact,
    id: PartId,
    month: i32,
    rows: &RecordBatch,
) -> Result<WrittenPart, FactsError> {
    let mut file = Unfinished::create(folder, tenant, fact, id, month)?;
    file.append(rows)?;
    file.finish()
}

/// Makes the names of new files survive a power cut, and those of the folders on the way to them.
pub(crate) fn settle<'p>(
    folder: &Path,
    parts: impl Iterator<Item = &'p WrittenPart>,
) -> Result<(), FactsError> {
    let paths: Vec<PathBuf> = parts.map(|part| folder.join(&part.path)).collect();
    let above = paths.iter().flat_map(|path| path.ancestors().skip(1));
    let folders: BTreeSet<&Path> = above.filter(|above| above.starts_with(folder)).collect();
    for folder in folders {
        File::open(folder).and_then(|open| open.sync_all()).map_err(FactsError::file(folder))?;
    }
    Ok(())
}

/// A part that is being written, row by row in their order. Dropped before its end, it leaves nothing.
pub(crate) struct Unfinished {
    folder: PathBuf,
    /// What it will be, but for what is known at the end.
    part: WrittenPart,
    path: PathBuf,
    /// Gone once it is finished.
    writer: Option<ArrowWriter<Digested>>,
}

impl Unfinished {
    pub(crate) fn create(
        folder: &Path,
        tenant: TenantId,
        fact: Fact,
        id: PartId,
        month: i32,
    ) -> Result<Self, FactsError> {
        let name = format!("{:04}-{:02}-{id}.parquet", 1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
        let part = WrittenPart {
            id,
            fact,
            month,
            path: format!("{}/{name}", tenant_folder(tenant, fact)),
            row_count: 0,
            size_bytes: 0,
            sha256: String::new(),
        };
        let target = folder.join(&part.path);
        let parent = target.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(FactsError::file(parent))?;
        let path = target.with_extension("writing");
        let file = File::create(&path).map_err(FactsError::file(&path))?;
        let file = Digested { file, hasher: Sha256::new(), size_bytes: 0 };
        let writer = ArrowWriter::try_new(file, schema::columns(fact).clone(), Some(properties()))?;
        Ok(Self { folder: folder.to_owned(), part, path, writer: Some(writer) })
    }

    /// Adds rows that come after those that are there already.
    pub(crate) fn append(&mut self, rows: &RecordBatch) -> Result<(), FactsError> {
        let writer = self.writer.as_mut().ok_or(FactsError::Stopped)?;
        writer.write(rows)?;
        self.part.row_count += i64::try_from(rows.num_rows()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Gives the file its name.
    pub(crate) fn finish(mut self) -> Result<WrittenPart, FactsError> {
        let writer = self.writer.take().ok_or(FactsError::Stopped)?;
        let written = self.close(writer);
        if written.is_err() {
            self.forget();
        }
        written
    }

    fn close(&mut self, writer: ArrowWriter<Digested>) -> Result<WrittenPart, FactsError> {
        let Digested { file, hasher, size_bytes } = writer.into_inner()?;
        file.sync_all().map_err(FactsError::file(&self.path))?;
        let target = self.folder.join(&self.part.path);
        fs::rename(&self.path, &target).map_err(FactsError::file(&target))?;
        let sha256 = hex(&hasher.finalize());
        Ok(WrittenPart { size_bytes, sha256, ..self.part.clone() })
    }

    /// On a full disk the half that was written must not keep the room. Else `sweep` finds it.
    fn forget(&self) {
        let _swept_later = fs::remove_file(&self.path);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            self.forget();
        }
    }
}

/// A file that knows the digest of what was written to it.
struct Digested {
    file: File,
    hasher: Sha256,
    size_bytes: i64,
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size_bytes += i64::try_from(written).unwrap_or(i64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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
