//! The sheet as rows: `id,level,answer,pointer,note`.

use std::fmt;
use std::str::FromStr;

use super::Finding;

const HEADER: [&str; 5] = ["id", "level", "answer", "pointer", "note"];

/// A requirement's place in the standard: `V6.2.10`. They sort as they stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id([u16; 3]);

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no id: write V6.2.10");
        let numbers = text.strip_prefix('V').ok_or_else(wrong)?.split('.').map(str::parse::<u16>);
        let numbers: Vec<u16> = numbers.collect::<Result<_, _>>().map_err(|_| wrong())?;
        let id = Self(numbers.try_into().map_err(|_| wrong())?);
        // No other spelling of the same: V01.1.1.
        if id.to_string() == text { Ok(id) } else { Err(wrong()) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [chapter, section, number] = self.0;
        write!(formatter, "V{chapter}.{section}.{number}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A test fails where it is not kept.
    Test,
    /// It is kept by how things are made, in the place that is named.
    Design,
    /// It asks about something that is not there.
    NotApplicable,
    /// It is not kept, or not in full.
    Open,
}

impl Answer {
    const ALL: [Self; 4] = [Self::Test, Self::Design, Self::NotApplicable, Self::Open];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Design => "design",
            Self::NotApplicable => "not_applicable",
            Self::Open => "open",
        }
    }
}

/// One answered requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub line: usize,
    pub id: Id,
    pub level: u8,
    pub answer: Answer,
    /// Names of tests, or places, with blanks between them.
    pub pointer: String,
    pub note: String,
}

/// All rows that can be read, and what is wrong with the others.
pub fn parse(text: &str) -> (Vec<Row>, Vec<Finding>) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut rows, mut findings) = (Vec::new(), Vec::new());
    for (number, record) in reader.records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                findings.push(Finding { line: number + 1, message: format!("is no CSV: {error}") });
                continue;
            }
        };
        let line = record.position().map_or(number + 1, |position| position.line() as usize);
        let cells: Vec<&str> = record.iter().collect();
        if number == 0 {
            if cells != HEADER {
                findings.push(Finding { line, message: format!("begins with {}", HEADER.join(",")) });
            }
            continue;
        }
        match row(line, &cells) {
            Ok(row) => rows.push(row),
            Err(message) => findings.push(Finding { line, message }),
        }
    }
    (rows, findings)
}

fn row(line: usize, cells: &[&str]) -> Result<Row, String> {
    let [id, level, answer, pointer, note] = cells else {
        return Err(format!(
            "has {} cells in place of {}: quote what holds a comma",
            cells.len(),
            HEADER.len()
        ));
    };
    let level = match *level {
        "1" => 1,
        "2" => 2,
        other => return Err(format!("{id} has the level {other:?}: 1 or 2")),
    };
    let found = Answer::ALL.into_iter().find(|known| known.as_str() == *answer);
    let names = Answer::ALL.map(Answer::as_str).join(", ");
    let answer = found.ok_or_else(|| format!("{id} has the answer {answer:?}: one of {names}"))?;
    let (pointer, note) = ((*pointer).to_owned(), (*note).to_owned());
    Ok(Row { line, id: id.parse()?, level, answer, pointer, note })
}
