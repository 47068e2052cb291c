//! Cuts a delimited file into chunks whose documents are whole.
//!
//! Rows of one document key come together in one chunk, in file order, however far apart they
//! stand in the file; one document may make a chunk larger than the aim. Rows are never merged:
//! equal rows are two records.

use std::collections::HashMap;

use super::framing::Delimited;

/// A chunk ready to be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutChunk {
    /// Header line and rows, in the file's own dialect.
    pub body: Vec<u8>,
    pub rows: u32,
}

/// Why a file cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    #[error("the file is empty: upload one with a header line and rows")]
    Empty,
    #[error(
        "the file has no column {column:?}; its columns are {found:?}. Correct the column mapping of the connection"
    )]
    MissingColumn { column: String, found: Vec<String> },
    #[error("the file cannot be read as delimited text near byte {position}: {detail}")]
    Unreadable { position: u64, detail: String },
}

/// How large chunks should become.
#[derive(Debug, Clone, Copy)]
pub struct ChunkAim {
    pub bytes: usize,
    pub rows: u32,
}

impl Default for ChunkAim {
    /// 1 MiB or 5,000 rows: large enough to be quick, small enough for the sandbox's limits.
    fn default() -> Self {
        Self { bytes: 1 << 20, rows: 5_000 }
    }
}

/// Where the rows of one document key lie in the file.
type RowSpans = Vec<(usize, usize)>;

/// Cuts `file` into chunks.
pub fn cut_delimited(file: &[u8], framing: &Delimited, aim: ChunkAim) -> Result<Vec<CutChunk>, CutError> {
    let file = skip_lines(strip_byte_order_mark(file), framing.skip_lines);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(framing.delimiter)
        .quote(framing.quote)
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    let mut row = csv::ByteRecord::new();
    if !read_row(&mut reader, &mut row)? {
        return Err(CutError::Empty);
    }
    let header: Vec<String> =
        row.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let header_end = reader.position().byte() as usize;
    let key_column = framing.group_by.as_deref().map(|name| find_column(&header, name)).transpose()?;
    let dropped = drop_columns(&header, &framing.drop);
    let groups = group_rows(file, &mut reader, key_column)?;
    let mut writer = ChunkWriter::new(file, header_end, framing, dropped, aim);
    for spans in groups {
        writer.add_document(&spans)?;
    }
    Ok(writer.finish())
}

fn strip_byte_order_mark(file: &[u8]) -> &[u8] {
    file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file)
}

fn without_leading_newlines(mut text: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = text {
        text = rest;
    }
    text
}

fn skip_lines(mut file: &[u8], lines: usize) -> &[u8] {
    for _ in 0..lines {
        match file.iter().position(|byte| *byte == b'\n') {
            Some(end) => file = &file[end + 1..],
            None => return &[],
        }
    }
    file
}

fn find_column(header: &[String], name: &str) -> Result<usize, CutError> {
    header
        .iter()
        .position(|found| found == name)
        .ok_or_else(|| CutError::MissingColumn { column: name.to_owned(), found: header.to_vec() })
}

/// Columns named to be dropped; one the file does not have needs no dropping.
fn drop_columns(header: &[String], names: &[String]) -> Vec<usize> {
    (0..header.len()).filter(|index| names.contains(&header[*index])).collect()
}

fn read_row(reader: &mut csv::Reader<&[u8]>, row: &mut csv::ByteRecord) -> Result<bool, CutError> {
    let position = reader.position().byte();
    reader.read_byte_record(row).map_err(|error| CutError::Unreadable { position, detail: error.to_string() })
}

/// Row spans by document key, keys in order of their first row. Without a key column every row
/// is a document of its own.
fn group_rows(
    file: &[u8],
    reader: &mut csv::Reader<&[u8]>,
    key_column: Option<usize>,
) -> Result<Vec<RowSpans>, CutError> {
    let mut groups: Vec<RowSpans> = Vec::new();
    let mut group_of_key: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut row = csv::ByteRecord::new();
    loop {
        let start = reader.position().byte() as usize;
        if !read_row(reader, &mut row)? {
            break;
        }
        let span = (start, reader.position().byte() as usize);
        if file[span.0..span.1].iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let key = key_column.and_then(|column| row.get(column)).map(<[u8]>::trim_ascii);
        match key {
            Some(key) if !key.is_empty() => {
                let next = groups.len();
                let group = *group_of_key.entry(key.to_vec()).or_insert(next);
                if group == next {
                    groups.push(Vec::new());
                }
                groups[group].push(span);
            }
            // A row without a key is a record of its own: the plugin says what is wrong with it.
            _ => groups.push(vec![span]),
        }
    }
    Ok(groups)
}

struct ChunkWriter<'a> {
    file: &'a [u8],
    header: Vec<u8>,
    framing: &'a Delimited,
    dropped: Vec<usize>,
    aim: ChunkAim,
    current: CutChunk,
    done: Vec<CutChunk>,
}

impl<'a> ChunkWriter<'a> {
    fn new(
        file: &'a [u8],
        header_end: usize,
        framing: &'a Delimited,
        dropped: Vec<usize>,
        aim: ChunkAim,
    ) -> Self {
        let mut writer = Self {
            file,
            header: Vec::new(),
            framing,
            dropped,
            aim,
            current: CutChunk { body: Vec::new(), rows: 0 },
            done: Vec::new(),
        };
        // A header that cannot be rewritten has been read before: the text is the same.
        writer.header = writer.row_text((0, header_end)).unwrap_or_default();
        writer.current.body.clone_from(&writer.header);
        writer
    }

    fn add_document(&mut self, spans: &[(usize, usize)]) -> Result<(), CutError> {
        let mut text = Vec::new();
        for span in spans {
            text.extend(self.row_text(*span)?);
        }
        let full = self.current.body.len() + text.len() > self.aim.bytes
            || self.current.rows + spans.len() as u32 > self.aim.rows;
        if full && self.current.rows > 0 {
            self.close_chunk();
        }
        self.current.body.extend(text);
        self.current.rows += spans.len() as u32;
        Ok(())
    }

    fn close_chunk(&mut self) {
        let next = CutChunk { body: self.header.clone(), rows: 0 };
        self.done.push(std::mem::replace(&mut self.current, next));
    }

    fn finish(mut self) -> Vec<CutChunk> {
        if self.current.rows > 0 {
            self.close_chunk();
        }
        self.done
    }

    /// The row as it stands in the file, or rewritten without its dropped columns.
    fn row_text(&self, (start, end): (usize, usize)) -> Result<Vec<u8>, CutError> {
        // After CRLF the reader stands before the line feed: it belongs to no row.
        let text = without_leading_newlines(&self.file[start..end]);
        if self.dropped.is_empty() {
            let mut row = text.to_vec();
            if !row.ends_with(b"\n") {
                row.push(b'\n');
            }
            return Ok(row);
        }
        let unreadable =
            |error: csv::Error| CutError::Unreadable { position: start as u64, detail: error.to_string() };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.framing.delimiter)
            .quote(self.framing.quote)
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let mut writer = csv::WriterBuilder::new()
            .delimiter(self.framing.delimiter)
            .quote(self.framing.quote)
            .flexible(true)
            .from_writer(Vec::new());
        for record in reader.byte_records() {
            let record = record.map_err(unreadable)?;
            let kept = record.iter().enumerate().filter(|(index, _)| !self.dropped.contains(index));
            writer.write_record(kept.map(|(_, field)| field)).map_err(unreadable)?;
        }
        writer.into_inner().map_err(|error| CutError::Unreadable {
            position: start as u64,
            detail: error.error().to_string(),
        })
    }
}
