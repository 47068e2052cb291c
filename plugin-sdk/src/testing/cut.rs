//! How the host cuts a delimited file: personal columns dropped, rows brought together by document,
//! the header on every chunk. The cases of `wit/cutting.json` hold this and the host's own cutter to
//! the same bytes.

use std::collections::HashMap;

use csv::{ByteRecord, Reader, ReaderBuilder, WriterBuilder};
use encoding_rs::Encoding;

use crate::framing::Delimited;
use crate::{Chunk, Error, Result};

/// Where a chunk ends, as far as documents allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    pub bytes: usize,
    pub rows: usize,
}

impl Default for Aim {
    /// What the host does for a manifest without limits of its own.
    fn default() -> Self {
        Self { bytes: 1 << 20, rows: 1_000 }
    }
}

/// Cuts a delimited chunk the way the host does: the rows of each document come together in the order
/// of their first rows, and a chunk ends between documents only, once the next one would bring it
/// over the aim. A document is never cut.
///
/// Errors: a framing that is none; a file without a header, or without the column it is grouped by.
pub fn cut_delimited(mut chunk: Chunk, aim: Aim) -> Result<Vec<Chunk>> {
    let framing: Delimited = chunk.framing.parse()?;
    let file = std::mem::take(&mut chunk.body);
    let bodies = cut(&file, &framing, aim)?;
    Ok(bodies.into_iter().map(|body| Chunk { body, ..chunk.clone() }).collect())
}

fn cut(file: &[u8], framing: &Delimited, aim: Aim) -> Result<Vec<Vec<u8>>> {
    let encoding = Encoding::for_label(framing.encoding.as_bytes())
        .filter(|encoding| encoding.is_ascii_compatible())
        .ok_or_else(|| {
            Error::PluginBug(format!("encoding={:?} is no ASCII-compatible encoding", framing.encoding))
        })?;
    let file = after_lines(file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file), framing.skip_lines);
    let mut reader = reader(file, framing);
    let mut header = ByteRecord::new();
    if !reader.read_byte_record(&mut header).map_err(unreadable)? {
        return Err(Error::invalid_config("", "the file is empty: upload one with a header line and rows"));
    }
    let header_text = &file[..reader.position().byte() as usize];
    let columns = Columns::read(&header, framing, encoding)?;
    let documents = columns.group(file, &mut reader)?;

    let header = columns.text(header_text, framing, true)?;
    let mut bodies = Vec::new();
    let (mut body, mut rows) = (header.clone(), 0);
    for document in documents {
        let texts = document.rows.iter().map(|text| columns.text(text, framing, document.key_is_certain));
        let text = texts.collect::<Result<Vec<_>>>()?.concat();
        let full = body.len() + text.len() > aim.bytes || rows + document.rows.len() > aim.rows;
        if full && rows > 0 {
            bodies.push(std::mem::replace(&mut body, header.clone()));
            rows = 0;
        }
        body.extend(text);
        rows += document.rows.len();
    }
    if rows > 0 {
        bodies.push(body);
    }
    Ok(bodies)
}

/// The rows of one document, as they stand in the file.
#[derive(Default)]
struct Document<'f> {
    rows: Vec<&'f [u8]>,
    /// Whether a row as wide as the header has this key, so that it certainly is one.
    key_is_certain: bool,
}

/// What the header says.
struct Columns {
    encoding: &'static Encoding,
    width: usize,
    key: Option<usize>,
    dropped: Vec<usize>,
}

impl Columns {
    fn read(header: &ByteRecord, framing: &Delimited, encoding: &'static Encoding) -> Result<Self> {
        let names: Vec<String> = header.iter().map(|name| trimmed(name, encoding)).collect();
        let is_dropped = |name: &str| framing.drop.iter().any(|dropped| dropped.trim() == name);
        let find = |name: &String| {
            names.iter().position(|found| found == name.trim()).ok_or_else(|| {
                let message = format!(
                    "the file has no column {name:?}; its columns are {names:?}. Correct the column mapping of the connection"
                );
                Error::invalid_config("", message)
            })
        };
        Ok(Self {
            encoding,
            width: names.len(),
            key: framing.group_by.as_ref().map(find).transpose()?,
            dropped: (0..names.len()).filter(|index| is_dropped(&names[*index])).collect(),
        })
    }

    /// Documents in the order of their first rows; a row without a key is one of its own.
    fn group<'f>(&self, file: &'f [u8], reader: &mut Reader<&[u8]>) -> Result<Vec<Document<'f>>> {
        let mut documents: Vec<Document<'f>> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        let mut row = ByteRecord::new();
        loop {
            let start = reader.position().byte() as usize;
            if !reader.read_byte_record(&mut row).map_err(unreadable)? {
                return Ok(documents);
            }
            let text = &file[start..reader.position().byte() as usize];
            if text.trim_ascii().is_empty() {
                continue;
            }
            let key = self.key.and_then(|column| row.get(column)).map(|key| trimmed(key, self.encoding));
            let next = documents.len();
            let position =
                key.filter(|key| !key.is_empty()).map_or(next, |key| *by_key.entry(key).or_insert(next));
            if position == next {
                documents.push(Document::default());
            }
            documents[position].rows.push(text);
            documents[position].key_is_certain |= row.len() == self.width;
        }
    }

    /// A row as it stands in the file, or written anew where columns are dropped.
    fn text(&self, text: &[u8], framing: &Delimited, key_is_certain: bool) -> Result<Vec<u8>> {
        let blanks = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let text = &text[blanks..];
        if self.dropped.is_empty() {
            let mut row = text.to_vec();
            if !row.ends_with(b"\n") {
                row.push(b'\n');
            }
            return Ok(row);
        }
        let mut writer = WriterBuilder::new()
            .delimiter(framing.delimiter)
            .quote(framing.quote)
            .flexible(true)
            .from_writer(Vec::new());
        for row in reader(text, framing).byte_records() {
            let row = row.map_err(unreadable)?;
            writer.write_record(self.kept(&row, key_is_certain)).map_err(unreadable)?;
        }
        writer.into_inner().map_err(|error| Error::PluginBug(error.to_string()))
    }

    /// The fields of a row without the dropped ones. In a row of another width than the header's any
    /// field may be personal: all are blanked, save a key that other rows prove to be one, and the row
    /// stays of another width, so that it is never mapped.
    fn kept<'r>(&self, row: &'r ByteRecord, key_is_certain: bool) -> Vec<&'r [u8]> {
        let kept = (0..row.len()).filter(|index| !self.dropped.contains(index));
        if row.len() == self.width {
            return kept.map(|index| &row[index]).collect();
        }
        let is_known = |index: usize| key_is_certain && self.key == Some(index);
        let mut fields: Vec<&[u8]> =
            kept.map(|index| if is_known(index) { &row[index] } else { &[][..] }).collect();
        if fields.is_empty() {
            fields.push(&[]);
        }
        if fields.len() == self.width - self.dropped.len() {
            fields.push(&[]);
        }
        fields
    }
}

fn reader<'f>(text: &'f [u8], framing: &Delimited) -> Reader<&'f [u8]> {
    ReaderBuilder::new()
        .delimiter(framing.delimiter)
        .quote(framing.quote)
        .has_headers(false)
        .flexible(true)
        .from_reader(text)
}

fn trimmed(field: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(field).0.trim().to_owned()
}

fn unreadable(error: csv::Error) -> Error {
    Error::invalid_config("", format!("the file can't be read as delimited text: {error}"))
}

fn after_lines(mut rest: &[u8], lines: u32) -> &[u8] {
    for _ in 0..lines {
        rest = rest.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &rest[end + 1..]);
    }
    rest
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Table {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        framing: String,
        rows: Option<usize>,
        bytes: Option<usize>,
        file: String,
        #[serde(default)]
        chunks: Vec<String>,
        /// What the refusal begins with.
        refused: Option<String>,
    }

    /// One character a byte.
    fn bytes(text: &str) -> Vec<u8> {
        text.chars().map(|character| u8::try_from(character).expect("up to U+00FF")).collect()
    }

    #[test]
    fn files_are_cut_as_the_contract_says() {
        let table: Table = serde_json::from_str(include_str!("../../../wit/cutting.json")).expect("a table");
        for case in table.cases {
            let aim = Aim { bytes: case.bytes.unwrap_or(1 << 20), rows: case.rows.unwrap_or(1_000) };
            let framing: Result<Delimited> = case.framing.parse().map_err(Error::from);
            let answer = framing.and_then(|framing| cut(&bytes(&case.file), &framing, aim));
            match (answer, &case.refused) {
                (Ok(bodies), None) => {
                    let expected: Vec<Vec<u8>> = case.chunks.iter().map(|chunk| bytes(chunk)).collect();
                    assert_eq!(bodies, expected, "{}", case.name);
                }
                (Err(Error::InvalidConfig(fields)), Some(words)) => {
                    assert!(fields[0].message.starts_with(words), "{}: {fields:?}", case.name);
                }
                (Err(_), Some(words)) if words.is_empty() => {}
                (answer, _) => panic!("{}: {answer:?}", case.name),
            }
        }
    }
}
