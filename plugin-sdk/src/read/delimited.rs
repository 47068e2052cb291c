//! Delimited rows under a header.

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use serde::de::DeserializeOwned;

use super::index;
use crate::framing::Delimited;
use crate::{BadRecord, Chunk, Error, RecordResult, Result, Sink};

/// The rows of one chunk, also those that can't be read: such a row may belong to a document whose
/// other rows can, and a document without one of its rows is a wrong number.
pub struct Table {
    headers: StringRecord,
    rows: Vec<StoredRow>,
}

struct StoredRow {
    src: u32,
    record: StringRecord,
    unreadable: Option<BadRecord>,
}

impl Table {
    /// Reads the chunk's rows; its first line is the header. Empty lines are no records. A body in
    /// another encoding than UTF-8 is decoded by the plugin first, see [`Table::of_text`].
    pub fn read(chunk: &Chunk) -> Result<Self> {
        let framing: Delimited = chunk.framing.parse()?;
        Self::of_text(&chunk.body, &framing)
    }

    /// Reads rows from text that has been decoded to UTF-8.
    pub fn of_text(text: &[u8], framing: &Delimited) -> Result<Self> {
        let mut reader = ReaderBuilder::new()
            .delimiter(framing.delimiter)
            .quote(framing.quote)
            .flexible(true)
            .trim(Trim::Headers)
            .from_reader(text);
        let headers = reader
            .headers()
            .map_err(|error| Error::upstream_bug(format!("the header can't be read: {error}")))?;
        let headers = headers.clone();
        let mut rows = Vec::new();
        for (position, record) in reader.byte_records().enumerate() {
            let src = index(position)?;
            rows.push(match record {
                Ok(record) => stored(src, record, &headers),
                Err(error) => StoredRow {
                    src,
                    record: StringRecord::new(),
                    unreadable: Some(BadRecord::new(error.to_string())),
                },
            });
        }
        Ok(Self { headers, rows })
    }

    /// Column names, in the file's order.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter()
    }

    /// Position of a column by name; of two columns of one name, the first.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    /// Every row of the chunk, those with [`Row::unreadable`] among them.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|row| Row {
            src: row.src,
            record: &row.record,
            headers: &self.headers,
            unreadable: row.unreadable.as_ref(),
        })
    }

    /// Maps each row for itself; one that can't be read is a dead letter without being mapped.
    pub fn each(
        &self,
        out: &mut Sink,
        mut map: impl FnMut(Row<'_>, &mut Sink) -> RecordResult,
    ) -> Result<()> {
        for row in self.rows() {
            out.record(row.src(), |out| match row.unreadable() {
                Some(bad) => Err(bad.clone()),
                None => map(row, out),
            });
        }
        Ok(())
    }

    /// Maps the rows of each document together. `key` names a row's document; documents come in
    /// the order of their first rows, and each one's rows in the order of the file.
    ///
    /// `key` is asked for unreadable rows too: such a row takes its whole document with it. One
    /// that names no document is put aside alone.
    pub fn each_group(
        &self,
        out: &mut Sink,
        key: impl Fn(&Row<'_>) -> std::result::Result<String, BadRecord>,
        mut map: impl FnMut(&str, &[Row<'_>], &mut Sink) -> RecordResult,
    ) -> Result<()> {
        let mut positions = std::collections::BTreeMap::<String, usize>::new();
        let mut groups: Vec<(String, Vec<Row<'_>>)> = Vec::new();
        for row in self.rows() {
            match key(&row) {
                Ok(key) => {
                    let position = *positions.entry(key.clone()).or_insert(groups.len());
                    if position == groups.len() {
                        groups.push((key, Vec::new()));
                    }
                    groups[position].1.push(row);
                }
                Err(bad) => out.skip(row.src(), row.unreadable().cloned().unwrap_or(bad)),
            }
        }
        for (key, rows) in &groups {
            let sources: Vec<u32> = rows.iter().map(Row::src).collect();
            // Each unreadable row has its own reason; the readable ones point to the first of them.
            let mut blamed = None;
            for row in rows {
                if let Some(bad) = row.unreadable() {
                    out.skip(row.src(), bad.clone());
                    blamed.get_or_insert_with(|| bad.clone().in_record(row.src()));
                }
            }
            out.records(&sources, |out| match blamed {
                Some(bad) => Err(bad),
                None => map(key, rows, out),
            });
        }
        Ok(())
    }
}

/// A row as text, with what is wrong with it: another width than the header's, or bytes that are
/// not UTF-8. Fields that are none are blank.
fn stored(src: u32, record: ByteRecord, headers: &StringRecord) -> StoredRow {
    let mut unreadable = (record.len() != headers.len()).then(|| {
        BadRecord::new(format!("the row has {} fields where the header has {}", record.len(), headers.len()))
    });
    let record = StringRecord::from_byte_record(record).unwrap_or_else(|error| {
        let column = headers.get(error.utf8_error().field()).unwrap_or_default().to_owned();
        unreadable
            .get_or_insert_with(|| BadRecord::at(column, "the field is not text in the file's encoding"));
        let bytes = error.into_byte_record();
        bytes.iter().map(|field| std::str::from_utf8(field).unwrap_or_default()).collect()
    });
    StoredRow { src, record, unreadable }
}

/// One row of a delimited file.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    src: u32,
    record: &'t StringRecord,
    headers: &'t StringRecord,
    unreadable: Option<&'t BadRecord>,
}

impl<'t> Row<'t> {
    /// Index of the row inside its chunk.
    pub fn src(&self) -> u32 {
        self.src
    }

    /// Why the row can't be read as a whole, where it can't. Its fields are what could be read of it:
    /// good enough to say which document it belongs to, never to be mapped.
    pub fn unreadable(&self) -> Option<&'t BadRecord> {
        self.unreadable
    }

    /// The field at a column's position, without surrounding blanks.
    pub fn field(&self, column: usize) -> &'t str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// The field of a column by name; `None` where the file has no such column.
    pub fn get(&self, name: &str) -> Option<&'t str> {
        let column = self.headers.iter().position(|header| header == name)?;
        Some(self.field(column))
    }

    /// The row as a struct, by column names.
    pub fn parse<T: DeserializeOwned>(&self) -> std::result::Result<T, BadRecord> {
        self.record.deserialize(Some(self.headers)).map_err(|error| match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                let column = err.field().and_then(|field| self.headers.get(field as usize));
                BadRecord { path: column.map(str::to_owned), reason: err.kind().to_string(), blamed: None }
            }
            _ => BadRecord::new(error.to_string()),
        })
    }
}

/// The column names of a text's first line, as [`Table`] reads them.
pub fn header_line(text: &str, delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(Trim::Headers)
        .from_reader(text.as_bytes());
    reader.headers().map(|headers| headers.iter().map(str::to_owned).collect()).unwrap_or_default()
}
