//! What the beginning of a delimited file says about it: encoding, delimiter, where its header is.
//!
//! Pure, and of the first bytes alone. What is found here is shown to a person and then written into the
//! connection's settings, so that the plugin reads the file as it was shown.

use encoding_rs::Encoding;

/// How much of a file is looked at.
pub const HEAD_BYTES: usize = 64 << 10;
/// Lines that are looked at, for what stands before the header and for the delimiter.
const LINES: usize = 40;
/// Rows that are looked at, for the shape of their values.
const MOST_ROWS: usize = 200;
/// More columns than a person maps.
const MOST_COLUMNS: usize = 200;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub encoding: &'static Encoding,
    pub delimiter: u8,
    /// Lines before the header.
    pub skip_lines: usize,
}

/// The beginning of a file as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Head {
    /// The values of a column that are not blank.
    pub fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        let values = self.rows.iter().filter_map(move |row| row.get(column));
        values.map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

/// The whole lines of a file's beginning: a line that the limit cuts in two says nothing.
pub fn whole_lines(head: &[u8]) -> &[u8] {
    if head.len() < HEAD_BYTES {
        return head;
    }
    let end = head.iter().rposition(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
    &head[..end]
}

/// By byte order mark, else UTF-8 where the beginning is that, else Windows-1252, the Western European default
/// of office programs. UTF-16 has become UTF-8 when the file was taken in.
pub fn dialect(head: &[u8]) -> Dialect {
    let cut_in_two = |error: std::str::Utf8Error| error.error_len().is_none();
    let is_utf8 = std::str::from_utf8(head).map_or_else(cut_in_two, |_| true);
    let encoding = if is_utf8 { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 };
    let text = decoded(head, encoding);
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    let (delimiter, fields) = delimiter_of(&lines);
    // A title that a spreadsheet padded with delimiters is as wide as the header, but empty.
    let is_named = |line: &str| {
        let names = line.split(char::from(delimiter)).filter(|name| !name.trim().is_empty());
        names.count() * 2 > fields
    };
    let is_header = |line: &&str| fields > 0 && separators(line, delimiter) == fields && is_named(line);
    let first_text = || lines.iter().position(|line| !line.trim().is_empty()).unwrap_or_default();
    let skip_lines = lines.iter().position(is_header).unwrap_or_else(first_text);
    Dialect { encoding, delimiter, skip_lines }
}

/// The table that a file's beginning holds when it is read so.
pub fn read_head(head: &[u8], dialect: Dialect) -> Head {
    let text = decoded(head, dialect.encoding);
    let body: String = text.split_inclusive('\n').skip(dialect.skip_lines).collect();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(body.as_bytes());
    let mut records = reader.records().map_while(Result::ok).map(|record| {
        record.iter().take(MOST_COLUMNS).map(|field| field.trim().to_owned()).collect::<Vec<String>>()
    });
    let columns = records.next().unwrap_or_default();
    Head { columns, rows: records.take(MOST_ROWS).collect() }
}

fn decoded(head: &[u8], encoding: &'static Encoding) -> String {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    encoding.decode_without_bom_handling(text).0.into_owned()
}

/// The delimiter that most lines have, and have equally often; with how often that is.
fn delimiter_of(lines: &[&str]) -> (u8, usize) {
    let score = |delimiter: u8| {
        let counts: Vec<usize> =
            lines.iter().map(|line| separators(line, delimiter)).filter(|count| *count > 0).collect();
        let agreeing = |count: usize| counts.iter().filter(|each| **each == count).count();
        counts.iter().map(|count| (agreeing(*count), *count)).max().unwrap_or_default()
    };
    // Of equals the earlier: `max_by_key` would take the later.
    let found = DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',');
    (found, score(found).1)
}

/// Delimiters outside quotes.
fn separators(line: &str, delimiter: u8) -> usize {
    let mut quoted = false;
    line.bytes()
        .filter(|byte| {
            quoted ^= *byte == b'"';
            *byte == delimiter && !quoted
        })
        .count()
}
