//! A first mapping of a file's columns, to be looked at by a person.
//!
//! Which names a column usually has, and what its values look like, is said by the plugin in its schema:
//! `x-file` says what of a file a field is about, `x-headers` how such a column is usually called, `x-values`
//! what it holds, `x-unless` which other fields make it needless.

use serde_json::Value;

use super::shapes::{self, Dates, Mark};
use super::sniff::{Dialect, Head};
use crate::connections::form::Typed;
use crate::connections::form::schema::{Node, Property, Shape, join};

/// What of a file a field of the schema is about; `None` for one that is about none.
pub fn file_part<'a>(node: Node<'a>) -> Option<&'a str> {
    node.schema.get("x-file").and_then(Value::as_str)
}

/// The suggestion, with what a person should look at.
pub struct Suggestion {
    pub typed: Typed,
    pub notes: Vec<String>,
}

/// Maps a file by its header and its first values.
///
/// `path` is the stream's part of the config, `node` its schema, `currency` the tenant's own.
pub fn suggest(node: Node<'_>, path: &str, head: &Head, dialect: Dialect, currency: &str) -> Suggestion {
    let numbers = (0..head.columns.len()).flat_map(|column| head.values(column));
    let mut suggester = Suggester {
        head,
        mark: shapes::decimal_mark(numbers),
        used: vec![false; head.columns.len()],
        dates: None,
        typed: Typed::default(),
        notes: Vec::new(),
    };
    suggester.columns(node, path);
    suggester.rest(node, path, dialect, currency);
    Suggestion { typed: suggester.typed, notes: suggester.notes }
}

struct Suggester<'a> {
    head: &'a Head,
    mark: Mark,
    /// Columns that are mapped.
    used: Vec<bool>,
    dates: Option<Dates>,
    typed: Typed,
    notes: Vec<String>,
}

impl Suggester<'_> {
    /// Finds the column of each field; a field that others make needless comes last.
    fn columns(&mut self, node: Node<'_>, path: &str) {
        let Shape::Object(properties) = node.shape() else { return };
        let (needed, replaceable): (Vec<Property<'_>>, Vec<Property<'_>>) =
            properties.into_iter().partition(|property| words(property.node, "x-unless").is_empty());
        for property in needed.into_iter().chain(replaceable) {
            let below = join(path, property.name);
            match file_part(property.node) {
                Some("column") => self.column(property, path, &below),
                _ => self.columns(property.node, &below),
            }
        }
    }

    fn column(&mut self, property: Property<'_>, group: &str, path: &str) {
        let unless = words(property.node, "x-unless");
        let needless =
            !unless.is_empty() && unless.iter().all(|name| self.typed.get(&join(group, name)).is_some());
        if needless {
            return;
        }
        let holds = property.node.text("x-values").unwrap_or_default();
        let found = self.by_name(property.node, &holds).or_else(|| {
            // A field without which nothing can be read may also be known by its values.
            (property.required && holds == "date").then(|| self.by_values(&holds)).flatten()
        });
        let Some(column) = found else { return };
        self.used[column] = true;
        self.typed.set(path, self.head.columns[column].as_str());
        if holds == "date" {
            let is_date = |value: &&str| shapes::dates(&[value]).is_some();
            let values: Vec<&str> = self.head.values(column).filter(is_date).collect();
            self.dates = self.dates.take().or_else(|| shapes::dates(&values));
        }
    }

    fn by_name(&self, node: Node<'_>, holds: &str) -> Option<usize> {
        let headers: Vec<String> = self.head.columns.iter().map(|header| plain(header)).collect();
        let names = words(node, "x-headers");
        let fits = |column: &usize| !self.used[*column] && self.holds(*column, holds);
        let exact = names
            .iter()
            .find_map(|name| (0..headers.len()).filter(fits).find(|column| headers[*column] == *name));
        exact.or_else(|| {
            let begins = |header: &str, name: &str| {
                header.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
            };
            // One word alone begins too many headers: "order status" is no order.
            let long = names.iter().filter(|name| name.contains(' ') || name.len() > 7);
            long.into_iter().find_map(|name| {
                (0..headers.len()).filter(fits).find(|column| begins(&headers[*column], name))
            })
        })
    }

    fn by_values(&self, holds: &str) -> Option<usize> {
        (0..self.head.columns.len()).find(|column| {
            !self.used[*column] && self.head.values(*column).next().is_some() && self.holds(*column, holds)
        })
    }

    /// Whether most of the column's values are what the field holds: files have odd rows.
    fn holds(&self, column: usize, what: &str) -> bool {
        let fits = |value: &str| match what {
            "number" => shapes::is_number(value, self.mark),
            "currency" => shapes::is_currency(value),
            "date" => shapes::dates(&[value]).is_some(),
            _ => true,
        };
        let (fitting, all) = self
            .head
            .values(column)
            .fold((0, 0), |(fitting, all), value| (fitting + usize::from(fits(value)), all + 1));
        all == 0 || fitting * 2 > all
    }

    fn rest(&mut self, node: Node<'_>, path: &str, dialect: Dialect, currency: &str) {
        let has_currency_column = self.typed.get(&format!("{path}.columns.currency")).is_some();
        for property in node.properties() {
            let below = join(path, property.name);
            match file_part(property.node) {
                Some("encoding") => self.typed.set(below, dialect.encoding.name().to_lowercase()),
                Some("delimiter") => self.typed.set(below, shown_delimiter(dialect.delimiter)),
                Some("skip_lines") => self.typed.set(below, dialect.skip_lines.to_string()),
                Some("decimal_mark") => {
                    self.typed.set(below, if self.mark == Mark::Comma { "," } else { "." });
                }
                Some("currency") if !has_currency_column => {
                    self.typed.set(below, currency);
                    self.notes.push(format!(
                        "No column names a currency, so {currency} is filled in. Correct it where the file is of another one."
                    ));
                }
                Some("date_formats") => self.date_formats(&below),
                Some("dropped_columns") => self.dropped(property.node, &below),
                Some("whole_number_columns") => self.whole_numbers(&below),
                _ => {}
            }
        }
    }

    fn date_formats(&mut self, path: &str) {
        let format = match &self.dates {
            Some(Dates::Format(format)) => format.clone(),
            Some(Dates::Ambiguous(format)) => {
                self.notes.push(format!(
                    "Day and month of the dates could be the other way round: {format} is filled in. Look at the dates below."
                ));
                format.clone()
            }
            _ => return,
        };
        self.typed.set_list(path, vec![format]);
    }

    fn dropped(&mut self, node: Node<'_>, path: &str) {
        let hints = words(node, "x-headers");
        let is_personal = |column: usize| {
            let header = format!(" {} ", plain(&self.head.columns[column]));
            let named = hints.iter().any(|hint| header.contains(&format!(" {hint}")));
            named || self.head.values(column).any(shapes::is_personal)
        };
        let columns =
            (0..self.head.columns.len()).filter(|column| !self.used[*column] && is_personal(*column));
        let columns = columns.map(|column| self.head.columns[column].clone()).collect();
        self.typed.set_list(path, columns);
    }

    fn whole_numbers(&mut self, path: &str) {
        let is_whole = |column: usize| {
            let mut values = self.head.values(column).peekable();
            values.peek().is_some() && values.all(shapes::is_whole_with_zero)
        };
        let columns = (0..self.head.columns.len()).filter(|column| self.used[*column] && is_whole(*column));
        let columns = columns.map(|column| self.head.columns[column].clone()).collect();
        self.typed.set_list(path, columns);
    }
}

fn words(node: Node<'_>, key: &str) -> Vec<String> {
    let list = node.schema.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A header without case and punctuation: "Bestell-Nr." is "bestell nr".
fn plain(header: &str) -> String {
    let letters = header.to_lowercase();
    let pieces = letters.split(|character: char| !character.is_alphanumeric());
    pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(" ")
}

/// As the settings write it.
fn shown_delimiter(delimiter: u8) -> String {
    if delimiter == b'\t' { "\\t".to_owned() } else { char::from(delimiter).to_string() }
}
