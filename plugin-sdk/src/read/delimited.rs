//! Delimited rows under a header.

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use serde::de::DeserializeOwned;

use super::index;
use crate::framing::Delimited;
use crate::{BadRecord, Chunk, Error, RecordResult, Result, Sink};

/// The rows of one chunk. Every row that can be read at all is here; the others are already dead
/// letters.
pub struct Table {
    headers: StringRecord,
    rows: Vec<(u32, StringRecord)>,
}

impl Table {
    /// Reads the chunk's rows; its first line is the header. Empty lines are no records. A body in
    /// another encoding than UTF-8 is decoded by the plugin first, see [`Table::of_text`].
    pub fn read(chunk: &Chunk, out: &mut Sink) -> Result<Self> {
        let framing: Delimited = chunk.framing.parse()?;
        Self::of_text(&chunk.body, &framing, out)
    }

    /// Reads rows from text that has been decoded to UTF-8.
    pub fn of_text(text: &[u8], framing: &Delimited, out: &mut Sink) -> Result<Self> {
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
            match record
                .map_err(|error| BadRecord::new(error.to_string()))
                .and_then(|record| as_text(record, &headers))
            {
                Ok(record) => rows.push((src, record)),
                Err(bad) => out.skip(src, bad),
            }
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

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(src, record)| Row { src: *src, record, headers: &self.headers })
    }

    /// Maps each row for itself.
    pub fn each(
        &self,
        out: &mut Sink,
        mut map: impl FnMut(Row<'_>, &mut Sink) -> RecordResult,
    ) -> Result<()> {
        for row in self.rows() {
            out.record(row.src(), |out| map(row, out));
        }
        Ok(())
    }

    /// Maps the rows of each document together. `key` names a row's document; documents come in
    /// the order of their first rows, and each one's rows in the order of the file.
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
                Err(bad) => out.skip(row.src(), bad),
            }
        }
        for (key, rows) in &groups {
            let sources: Vec<u32> = rows.iter().map(Row::src).collect();
            out.records(&sources, |out| map(key, rows, out));
        }
        Ok(())
    }
}

/// A row as text, if it is UTF-8 and as wide as the header.
fn as_text(record: ByteRecord, headers: &StringRecord) -> std::result::Result<StringRecord, BadRecord> {
    if record.len() != headers.len() {
        let reason = format!("the row has {} fields where the header has {}", record.len(), headers.len());
        return Err(BadRecord::new(reason));
    }
    StringRecord::from_byte_record(record).map_err(|error| {
        let column = headers.get(error.utf8_error().field()).unwrap_or_default().to_owned();
        BadRecord::at(column, "the field is not text in the file's encoding")
    })
}

/// One row of a delimited file.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    src: u32,
    record: &'t StringRecord,
    headers: &'t StringRecord,
}

impl<'t> Row<'t> {
    /// Index of the row inside its chunk.
    pub fn src(&self) -> u32 {
        self.src
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
