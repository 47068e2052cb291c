//! Cuts a delimited file into chunks whose documents are whole.
//!
//! Rows of one document key come together in one chunk, in file order, however far apart they
//! stand in the file; one document may make a chunk larger than the aim. Rows are never merged:
//! equal rows are two records.

use std::borrow::Cow;
use std::collections::HashMap;

use csv::ByteRecord;
use encoding_rs::Encoding;

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

/// Where a row lies in the file.
type Span = (usize, usize);

/// The rows of one document key.
#[derive(Default)]
struct Document {
    rows: Vec<Span>,
    /// Whether a row as wide as the header has this key, so that it certainly is one.
    key_is_certain: bool,
}

/// What stands for a customer's id; none where the field names nobody.
pub type Rename<'a> = &'a mut dyn FnMut(&str) -> Option<String>;

/// Cuts `file` into chunks. With `rename` the columns that the framing calls subjects hold pseudonyms afterwards.
pub fn cut_delimited(
    file: &[u8],
    framing: &Delimited,
    aim: ChunkAim,
    rename: Option<Rename<'_>>,
) -> Result<Vec<CutChunk>, CutError> {
    let file = skip_lines(strip_byte_order_mark(file), framing.skip_lines);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(framing.delimiter)
        .quote(framing.quote)
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    let mut header = ByteRecord::new();
    if !read_row(&mut reader, &mut header)? {
        return Err(CutError::Empty);
    }
    let header_end = reader.position().byte() as usize;
    let mut columns = Columns::read(&header, framing)?;
    if rename.is_none() {
        columns.subjects.clear();
    }
    let documents = group_rows(file, &mut reader, &columns)?;
    let mut writer = ChunkWriter::new(file, header_end, framing, columns, aim, rename);
    for document in &documents {
        writer.add_document(document)?;
    }
    Ok(writer.finish())
}

/// What the header says.
struct Columns {
    encoding: &'static Encoding,
    width: usize,
    key: Option<usize>,
    dropped: Vec<usize>,
    subjects: Vec<usize>,
}

impl Columns {
    fn read(header: &ByteRecord, framing: &Delimited) -> Result<Self, CutError> {
        let names: Vec<String> = header.iter().map(|name| trimmed_text(name, framing.encoding)).collect();
        // A column that the file does not have needs no dropping.
        let is_dropped = |name: &str| framing.drop.iter().any(|dropped| dropped.trim() == name);
        Ok(Self {
            encoding: framing.encoding,
            width: names.len(),
            key: framing.group_by.as_deref().map(|name| find_column(&names, name)).transpose()?,
            dropped: (0..names.len()).filter(|index| is_dropped(&names[*index])).collect(),
            // One that is misspelt would be stored in clear.
            subjects: framing
                .subject
                .iter()
                .map(|name| find_column(&names, name))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The document key of a row, if it has one.
    fn key_of(&self, row: &ByteRecord) -> Option<String> {
        let key = trimmed_text(row.get(self.key?)?, self.encoding);
        (!key.is_empty()).then_some(key)
    }

    /// Whether rows are stored as they stand in the file.
    fn keeps_rows(&self) -> bool {
        self.dropped.is_empty() && self.subjects.is_empty()
    }

    /// The row without its dropped columns, with pseudonyms in the place of customers' ids.
    ///
    /// Where a row is not as wide as the header nobody knows which field belongs to which column, and
    /// any of them may be personal. All are blanked, save a key that other rows prove to be one: by it
    /// the whole document is put aside. Such a row stays of another width, so that it is never mapped.
    fn rewritten<'r>(
        &self,
        row: &'r ByteRecord,
        key_is_certain: bool,
        mut rename: Option<Rename<'_>>,
    ) -> Vec<Cow<'r, [u8]>> {
        let mut renamed = |index: usize| match rename.as_deref_mut() {
            Some(rename) if self.subjects.contains(&index) => {
                let id = trimmed_text(&row[index], self.encoding);
                rename(&id).map_or(Cow::Borrowed(&row[index]), |pseudonym| Cow::Owned(pseudonym.into_bytes()))
            }
            _ => Cow::Borrowed(&row[index]),
        };
        let kept = (0..row.len()).filter(|index| !self.dropped.contains(index));
        if row.len() == self.width {
            return kept.map(renamed).collect();
        }
        let is_known = |index: usize| key_is_certain && self.key == Some(index);
        let mut fields: Vec<Cow<'r, [u8]>> =
            kept.map(|index| if is_known(index) { renamed(index) } else { Cow::Borrowed(&[][..]) }).collect();
        // A record without fields would be written as one blank field.
        if fields.is_empty() {
            fields.push(Cow::Borrowed(&[]));
        }
        if fields.len() == self.width - self.dropped.len() {
            fields.push(Cow::Borrowed(&[]));
        }
        fields
    }
}

/// A name or key as the plugin compares it.
fn trimmed_text(field: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(field).0.trim().to_owned()
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
        .position(|found| found == name.trim())
        .ok_or_else(|| CutError::MissingColumn { column: name.to_owned(), found: header.to_vec() })
}

fn read_row(reader: &mut csv::Reader<&[u8]>, row: &mut ByteRecord) -> Result<bool, CutError> {
    let position = reader.position().byte();
    reader.read_byte_record(row).map_err(|error| CutError::Unreadable { position, detail: error.to_string() })
}

/// The documents in order of their first row. Without a key column every row is a document of its own.
fn group_rows(
    file: &[u8],
    reader: &mut csv::Reader<&[u8]>,
    columns: &Columns,
) -> Result<Vec<Document>, CutError> {
    let mut documents: Vec<Document> = Vec::new();
    let mut document_of_key: HashMap<String, usize> = HashMap::new();
    let mut row = ByteRecord::new();
    loop {
        let start = reader.position().byte() as usize;
        if !read_row(reader, &mut row)? {
            break;
        }
        let span = (start, reader.position().byte() as usize);
        if file[span.0..span.1].iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let next = documents.len();
        // A row without a key is a record of its own: the plugin says what is wrong with it.
        let position = columns.key_of(&row).map_or(next, |key| *document_of_key.entry(key).or_insert(next));
        if position == next {
            documents.push(Document::default());
        }
        documents[position].rows.push(span);
        documents[position].key_is_certain |= row.len() == columns.width;
    }
    Ok(documents)
}

/// `'a` is the file, `'r` what renames.
struct ChunkWriter<'a, 'r> {
    file: &'a [u8],
    header: Vec<u8>,
    framing: &'a Delimited,
    columns: Columns,
    aim: ChunkAim,
    rename: Option<Rename<'r>>,
    current: CutChunk,
    done: Vec<CutChunk>,
}

impl<'a, 'r> ChunkWriter<'a, 'r> {
    fn new(
        file: &'a [u8],
        header_end: usize,
        framing: &'a Delimited,
        columns: Columns,
        aim: ChunkAim,
        rename: Option<Rename<'r>>,
    ) -> Self {
        let mut writer = Self {
            file,
            header: Vec::new(),
            framing,
            columns,
            aim,
            rename: None,
            current: CutChunk { body: Vec::new(), rows: 0 },
            done: Vec::new(),
        };
        // A header that cannot be rewritten has been read before: the text is the same.
        writer.header = writer.row_text((0, header_end), true).unwrap_or_default();
        // The header names nobody.
        writer.rename = rename;
        writer.current.body.clone_from(&writer.header);
        writer
    }

    fn add_document(&mut self, document: &Document) -> Result<(), CutError> {
        let mut text = Vec::new();
        for span in &document.rows {
            text.extend(self.row_text(*span, document.key_is_certain)?);
        }
        let rows = document.rows.len() as u32;
        let full =
            self.current.body.len() + text.len() > self.aim.bytes || self.current.rows + rows > self.aim.rows;
        if full && self.current.rows > 0 {
            self.close_chunk();
        }
        self.current.body.extend(text);
        self.current.rows += rows;
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

    /// The row as it stands in the file, or rewritten.
    fn row_text(&mut self, (start, end): Span, key_is_certain: bool) -> Result<Vec<u8>, CutError> {
        // After CRLF the reader stands before the line feed: it belongs to no row.
        let text = without_leading_newlines(&self.file[start..end]);
        if self.columns.keeps_rows() {
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
            #[expect(
                clippy::option_as_ref_deref,
                reason = "what it renames with lives longer than this loan of it"
            )]
            let rename = self.rename.as_mut().map(|rename| -> Rename<'_> { &mut **rename });
            let fields = self.columns.rewritten(&record, key_is_certain, rename);
            writer.write_record(&fields).map_err(unreadable)?;
        }
        writer.into_inner().map_err(|error| CutError::Unreadable {
            position: start as u64,
            detail: error.error().to_string(),
        })
    }
}
