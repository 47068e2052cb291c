//! The framing string of a chunk: how its body is cut into raw records (see `wit/connector.wit`).

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
    /// Lines before the header.
    pub skip_lines: usize,
    /// Header of the column that holds the document key.
    pub group_by: Option<String>,
    /// Headers of columns with personal data, removed before staging.
    pub drop: Vec<String>,
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
        let mut delimited =
            Delimited { delimiter, quote: b'"', skip_lines: 0, group_by: None, drop: Vec::new() };
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
                // The guest decodes its chunk itself; the host only needs ASCII-compatible bytes.
                "encoding" => {}
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
