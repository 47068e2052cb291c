//! The framing string of a chunk: how its body is cut into raw records (see `wit/connector.wit`).

use encoding_rs::Encoding;

/// How a body is cut into raw records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// One JSON value or one per line: handed to `normalize` as it came.
    Whole,
    /// Delimited text with a header line.
    Delimited(Delimited),
}

/// The parameters of delimited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimited {
    pub delimiter: u8,
    pub quote: u8,
    /// What the file's bytes mean. The names in `group_by` and `drop` are text, those in the file are bytes.
    pub encoding: &'static Encoding,
    /// Lines before the header.
    pub skip_lines: usize,
    /// Header of the column that holds the document key.
    pub group_by: Option<String>,
    /// Headers of columns with personal data, removed before staging.
    pub drop: Vec<String>,
    /// Headers of columns with customers' ids, which become pseudonyms before staging.
    pub subject: Vec<String>,
    /// Whether those ids are whole numbers: `17850.0` is `17850`.
    pub subject_is_whole: bool,
}

impl Framing {
    /// Reads a framing string; the error is a sentence for the plugin's author.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = text.split(';');
        let kind = pieces.next().unwrap_or_default().trim();
        let delimiter = match kind {
            "csv" => b',',
            "tsv" => b'\t',
            "ndjson" | "json" => return Ok(Self::Whole),
            _ if kind.starts_with("json:") => return Ok(Self::Whole),
            _ => {
                return Err(format!(
                    "framing {kind:?} is unknown: use json, json:/pointer, ndjson, csv or tsv"
                ));
            }
        };
        let mut delimited = Delimited {
            delimiter,
            quote: b'"',
            encoding: encoding_rs::UTF_8,
            skip_lines: 0,
            group_by: None,
            drop: Vec::new(),
            subject: Vec::new(),
            subject_is_whole: false,
        };
        for piece in pieces {
            let (name, value) =
                piece.split_once('=').ok_or_else(|| format!("framing parameter {piece:?} has no value"))?;
            let value = percent_decode(value)?;
            match name.trim() {
                "delimiter" => delimited.delimiter = single_byte(name, &value)?,
                "quote" => delimited.quote = single_byte(name, &value)?,
                "skip" => {
                    delimited.skip_lines = value
                        .parse()
                        .map_err(|_| format!("framing parameter skip={value:?} is no number"))?;
                }
                "group-by" => delimited.group_by = Some(value),
                "drop" => delimited.drop.push(value),
                "subject" => delimited.subject.push(value),
                "subject-numbers" if value == "whole" => delimited.subject_is_whole = true,
                "encoding" => delimited.encoding = ascii_compatible(&value)?,
                _ => return Err(format!("framing parameter {name:?} is unknown")),
            }
        }
        Ok(Self::Delimited(delimited))
    }
}

fn single_byte(name: &str, value: &str) -> Result<u8, String> {
    match value.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err(format!("framing parameter {name} must be one ASCII character, not {value:?}")),
    }
}

/// Files are cut as bytes, and UTF-16 has become UTF-8 before: only an encoding that writes ASCII as
/// ASCII can be meant.
fn ascii_compatible(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes())
        .filter(|encoding| encoding.is_ascii_compatible())
        .ok_or_else(|| format!("framing parameter encoding={label:?} is no ASCII-compatible encoding"))
}

fn percent_decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let code = tail
                .get(..2)
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| format!("{text:?} has a broken percent escape"))?;
            bytes.push(code);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("{text:?} is not UTF-8 once decoded"))
}
