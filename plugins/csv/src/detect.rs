//! What a file's first bytes say about it: encoding, delimiter, where the header is.

use portolan_sdk::framing::Delimited;
use portolan_sdk::{Error, Result};

use crate::columns;
use crate::mapping::{Config, Dialect, Locale};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Lines that are looked at, for a preamble and for the delimiter.
const LINES: usize = 40;

/// The framing by which the host cuts the file.
///
/// Errors: a file that is none of delimited text, or that lacks a mapped column; the message names
/// the file and what to do.
pub fn framing(config: &Config, stream: &str, file_name: &str, head: &[u8]) -> Result<Delimited> {
    let dialect = match stream {
        "orders" => &config.orders.dialect,
        "products" => &config.products.dialect,
        _ => &config.customers.dialect,
    };
    let encoding = encoding(dialect, file_name, head)?;
    let text = decode_head(head, encoding);
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Err(bad_file(stream, file_name, "is empty: upload one with a header line and rows"));
    }
    let delimiter = dialect.delimiter_byte().unwrap_or_else(|| delimiter(&lines));
    let candidates: Vec<usize> = match dialect.skip_lines {
        Some(lines) => vec![lines as usize],
        None => (0..lines.len()).filter(|line| !lines[*line].trim().is_empty()).collect(),
    };
    let mut first_error = None;
    for line in candidates {
        let rest: String = lines.get(line..).unwrap_or_default().join("\n");
        let headers = headers(&rest, delimiter);
        match roles(config, stream, &headers) {
            Ok(roles) => {
                return Ok(Delimited {
                    delimiter,
                    encoding: encoding.name().to_lowercase(),
                    skip_lines: line as u32,
                    ..roles
                });
            }
            // The first line is the likeliest header, so its error is the one to tell.
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error
        .map_or_else(|| bad_file(stream, file_name, "has no header"), |error| in_file(error, file_name)))
}

/// Which columns group, which go, and which name customers.
fn roles(config: &Config, stream: &str, headers: &[String]) -> Result<Delimited> {
    let (key, mapped, marked, customer) = match stream {
        "orders" => {
            let columns = columns::orders(&config.orders, headers)?;
            let customer = columns.customer.clone().map(|column| (column, &config.orders.locale));
            (columns.document_key.clone(), columns.all(), &config.orders.personal, customer)
        }
        "products" => {
            let columns = columns::products(&config.products, headers)?;
            (columns.key.clone(), columns.all(), &config.products.personal, None)
        }
        "customers" => {
            let columns = columns::customers(&config.customers, headers)?;
            let customer = Some((columns.key.clone(), &config.customers.locale));
            (columns.key.clone(), columns.all(), &config.customers.personal, customer)
        }
        other => return Err(Error::PluginBug(format!("there is no stream {other:?}"))),
    };
    let is_whole = |(column, locale): &(String, &Locale)| locale.strip_decimal_zero.contains(column);
    Ok(Delimited {
        group_by: Some(key),
        drop: columns::personal(marked, &mapped, headers),
        subject_is_whole: customer.as_ref().is_some_and(is_whole),
        subject: customer.map(|(column, _)| column).into_iter().collect(),
        ..Delimited::default()
    })
}

/// The mapping's encoding, else by byte order mark, else UTF-8 where the head is that, else
/// Windows-1252, the Western European default of office programs.
fn encoding(dialect: &Dialect, file_name: &str, head: &[u8]) -> Result<&'static encoding_rs::Encoding> {
    let marked = encoding_rs::Encoding::for_bom(head).map(|(encoding, _)| encoding);
    let sixteen_bits = marked.is_some_and(|encoding| !encoding.is_ascii_compatible());
    if sixteen_bits || head.contains(&0) {
        let message = format!(
            "the file {file_name:?} is UTF-16 or no text at all: save it as CSV UTF-8 and upload it again"
        );
        return Err(Error::invalid_config(String::new(), message));
    }
    if let Some(label) = &dialect.encoding {
        return encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or_else(|| Error::invalid_config("encoding", format!("{label:?} is no encoding")));
    }
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character that the end of the head cuts in two.
        Err(error) => error.error_len().is_none(),
    };
    Ok(if marked.is_some() || is_utf8 { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 })
}

fn decode_head(head: &[u8], encoding: &'static encoding_rs::Encoding) -> String {
    // The host takes the mark away whatever the mapping's encoding: header names have to be the same.
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    encoding.decode_without_bom_handling(text).0.into_owned()
}

/// The delimiter that most lines have, and have equally often.
fn delimiter(lines: &[&str]) -> u8 {
    let score = |delimiter: u8| {
        let counts: Vec<usize> = lines
            .iter()
            .map(|line| count_outside_quotes(line, delimiter))
            .filter(|count| *count > 0)
            .collect();
        let agreeing = |count: usize| counts.iter().filter(|each| **each == count).count();
        counts.iter().map(|count| (agreeing(*count), *count)).max().unwrap_or_default()
    };
    // Of equals the earlier: `max_by_key` would take the later.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn count_outside_quotes(line: &str, delimiter: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for byte in line.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        } else if byte == delimiter && !quoted {
            count += 1;
        }
    }
    count
}

fn headers(text: &str, delimiter: u8) -> Vec<String> {
    portolan_sdk::read::header_line(text, delimiter)
}

fn bad_file(stream: &str, file_name: &str, what: &str) -> Error {
    Error::invalid_config(stream, format!("the file {file_name:?} {what}"))
}

fn in_file(error: Error, file_name: &str) -> Error {
    match error {
        Error::InvalidConfig(mut fields) => {
            for field in &mut fields {
                field.message = format!("{file_name:?}: {}", field.message);
            }
            Error::InvalidConfig(fields)
        }
        other => other,
    }
}
