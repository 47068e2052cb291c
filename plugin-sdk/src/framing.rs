//! The framing of delimited files, as text: `csv;delimiter=%3B;encoding=windows-1252;group-by=Invoice`.
//! Its grammar is the contract's, beside `chunk-info` in `wit/connector.wit`.

use std::fmt;
use std::str::FromStr;

use crate::error::BadValue;

/// How the host decodes a delimited file, and which rows it keeps together when it cuts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimited {
    pub delimiter: u8,
    pub quote: u8,
    /// WHATWG label of the encoding; `normalize` decodes.
    pub encoding: String,
    /// The column whose value names a row's document; `None`: every row for itself.
    pub group_by: Option<String>,
    /// Columns with personal data, taken out before anything is staged.
    pub drop: Vec<String>,
    /// Columns with customers' ids: the host puts pseudonyms in their place before anything is staged.
    pub subject: Vec<String>,
    /// Whether those ids are whole numbers, so that `17850.0` is the same customer as `17850`.
    pub subject_is_whole: bool,
    /// Lines before the header; a chunk's body begins with the header.
    pub skip_lines: u32,
}

impl Default for Delimited {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            encoding: "utf-8".to_owned(),
            group_by: None,
            drop: Vec::new(),
            subject: Vec::new(),
            subject_is_whole: false,
            skip_lines: 0,
        }
    }
}

impl fmt::Display for Delimited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delimiter = encoded(&char::from(self.delimiter).to_string());
        let delimiter = if delimiter == "%2C" { ",".to_owned() } else { delimiter };
        write!(formatter, "csv;delimiter={delimiter};encoding={}", self.encoding)?;
        if self.quote != b'"' {
            write!(formatter, ";quote={}", encoded(&char::from(self.quote).to_string()))?;
        }
        if self.skip_lines > 0 {
            write!(formatter, ";skip={}", self.skip_lines)?;
        }
        if let Some(column) = &self.group_by {
            write!(formatter, ";group-by={}", encoded(column))?;
        }
        for column in &self.drop {
            write!(formatter, ";drop={}", encoded(column))?;
        }
        for column in &self.subject {
            write!(formatter, ";subject={}", encoded(column))?;
        }
        if self.subject_is_whole {
            formatter.write_str(";subject-numbers=whole")?;
        }
        Ok(())
    }
}

impl FromStr for Delimited {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(';');
        let mut framing = Self::default();
        match parts.next().map(str::trim) {
            Some("csv") => {}
            Some("tsv") => framing.delimiter = b'\t',
            _ => return Err(BadValue::new(format!("{text:?} is not the framing of a delimited file"))),
        }
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                return Err(BadValue::new(format!("the framing's parameter {part:?} has no value")));
            };
            match name.trim() {
                "delimiter" => framing.delimiter = one_byte(value)?,
                "quote" => framing.quote = one_byte(value)?,
                "encoding" => framing.encoding = decoded(value)?,
                "group-by" => framing.group_by = Some(decoded(value)?),
                "drop" => framing.drop.push(decoded(value)?),
                "subject" => framing.subject.push(decoded(value)?),
                "subject-numbers" if value == "whole" => framing.subject_is_whole = true,
                "skip" => {
                    framing.skip_lines = decoded(value)?
                        .parse()
                        .map_err(|_| BadValue::new(format!("skip={value} is not a number")))?;
                }
                _ => return Err(BadValue::new(format!("the framing has an unknown parameter {name:?}"))),
            }
        }
        Ok(framing)
    }
}

fn one_byte(value: &str) -> Result<u8, BadValue> {
    match decoded(value)?.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err(BadValue::new(format!("{value:?} is not one byte"))),
    }
}

fn encoded(text: &str) -> String {
    let mut target = String::with_capacity(text.len());
    crate::http::push_encoded(&mut target, text);
    target
}

fn decoded(text: &str) -> Result<String, BadValue> {
    let bad = || BadValue::new(format!("{text:?} is not percent-encoded text"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = tail.get(..2).ok_or_else(bad)?;
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests;
