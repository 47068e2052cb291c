//! By what personal values are replaced: the same value always by the same, another one by another. Numbered in
//! the order in which they turn up, so that nothing of a value is in its pseudonym and two recordings compare.

use std::collections::HashMap;

use super::personal::{Kind, is_escape};

/// A shorter name is a word that means other things, too.
const MIN_CHARS_IN_TEXT: usize = 3;
/// The same for a text without blanks: an id, a code, a status.
const MIN_CHARS_IN_WORD: usize = 5;

/// All personal values of a recording.
#[derive(Default)]
pub struct Pseudonyms {
    known: HashMap<(Kind, String), usize>,
    counts: HashMap<Kind, usize>,
    /// What is looked for in other texts, by its first word.
    elsewhere: HashMap<String, Vec<Elsewhere>>,
}

struct Elsewhere {
    kind: Kind,
    value: String,
    /// Bytes before its first word.
    lead: usize,
}

impl Pseudonyms {
    /// Remembers a value; blank ones are nobody's.
    pub fn note(&mut self, kind: Kind, value: &str) {
        let key = (kind, identity(kind, value));
        if key.1.is_empty() || self.known.contains_key(&key) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        self.known.insert(key, *count);
        self.look_elsewhere(kind, value.trim());
    }

    fn look_elsewhere(&mut self, kind: Kind, value: &str) {
        let spoken = matches!(
            kind,
            Kind::Email | Kind::Phone | Kind::Name | Kind::Company | Kind::Street | Kind::Account
        );
        if !spoken || value.chars().count() < MIN_CHARS_IN_TEXT {
            return;
        }
        // In an address blanks are written otherwise.
        let mut spellings = vec![value.to_owned(), value.replace(' ', "%20"), value.replace(' ', "+")];
        spellings.dedup();
        for spelling in spellings {
            let Some((lead, word)) = words(&spelling).next() else { continue };
            let word = word.to_lowercase();
            self.elsewhere.entry(word).or_default().push(Elsewhere { kind, value: spelling.clone(), lead });
        }
    }

    /// What stands in the place of a value that was noted.
    pub fn of(&self, kind: Kind, value: &str) -> Option<String> {
        let number = *self.known.get(&(kind, identity(kind, value)))?;
        Some(pseudonym(kind, number, value.trim()))
    }

    /// Values that other members hold, where they turn up in a text; `None` where there are none.
    pub fn replace_elsewhere(&self, text: &str) -> Option<String> {
        let has_blanks = text.contains(char::is_whitespace) || text.contains("%20") || text.contains('+');
        let least = if has_blanks { MIN_CHARS_IN_TEXT } else { MIN_CHARS_IN_WORD };
        let (mut replaced, mut taken) = (String::new(), 0);
        for (start, word) in words(text) {
            let Some(candidates) = self.elsewhere.get(&word.to_lowercase()) else { continue };
            let fitting = candidates.iter().filter_map(|candidate| {
                let begin = start.checked_sub(candidate.lead).filter(|begin| *begin >= taken)?;
                let end = begin + candidate.value.len();
                let same = text.get(begin..end).is_some_and(|found| is_same(found, &candidate.value));
                let next = text.get(end..).and_then(|rest| rest.chars().next());
                let whole = next.is_none_or(|next| !next.is_alphanumeric());
                (same && whole && candidate.value.chars().count() >= least).then_some((begin, end, candidate))
            });
            let Some((begin, end, candidate)) = fitting.max_by_key(|(_, end, _)| *end) else { continue };
            let Some(pseudonym) = self.of(candidate.kind, &decoded(&candidate.value)) else { continue };
            replaced.push_str(&text[taken..begin]);
            replaced.push_str(&pseudonym.replace(' ', blank_of(&candidate.value)));
            taken = end;
        }
        (taken > 0).then(|| replaced + &text[taken..])
    }
}

fn decoded(value: &str) -> String {
    match blank_of(value) {
        " " => value.to_owned(),
        blank => value.replace(blank, " "),
    }
}

/// How a spelling writes blanks.
fn blank_of(value: &str) -> &'static str {
    if value.contains("%20") {
        "%20"
    } else if value.trim_start_matches('+').contains('+') && !value.contains(' ') && !value.contains('@') {
        "+"
    } else {
        " "
    }
}

/// A single word means its writer's case: `Open` is a name and `open` a state. More than one word does not.
fn is_same(found: &str, value: &str) -> bool {
    let several = words(value).nth(1).is_some();
    if several { found.eq_ignore_ascii_case(value) } else { found == value }
}

/// Runs of letters and digits, with where they begin. An escape of an address (`%20`) is none.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let first = text[at..].chars().next()?;
            if is_escape(text.as_bytes(), at) {
                at += 3;
            } else if first.is_alphanumeric() {
                break;
            } else {
                at += first.len_utf8();
            }
        }
        let start = at;
        let length = text[start..].find(|character: char| !character.is_alphanumeric());
        at = length.map_or(text.len(), |length| start + length);
        Some((start, &text[start..at]))
    })
}

/// What makes two spellings the same value.
fn identity(kind: Kind, value: &str) -> String {
    match kind {
        Kind::Phone => {
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            digits.strip_prefix("00").unwrap_or(&digits).to_owned()
        }
        Kind::Email => value.trim().replace("%40", "@").to_lowercase(),
        _ => value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
    }
}

/// Keeps what a reader of the value relies on: an address with an @, a name of two words, so many digits.
fn pseudonym(kind: Kind, number: usize, value: &str) -> String {
    match kind {
        Kind::Email if value.contains("%40") => format!("person{number}%40example.com"),
        Kind::Email => format!("person{number}@example.com"),
        Kind::Phone if value.starts_with('+') => format!("+1555{number:07}"),
        Kind::Phone => format!("1555{number:07}"),
        Kind::Name if value.contains(char::is_whitespace) => format!("Given{number} Family{number}"),
        Kind::Name => format!("Name{number}"),
        Kind::Company => format!("Company {number}"),
        Kind::Street => format!("{number} Example Street"),
        Kind::Town => format!("Town {number}"),
        Kind::PostCode => format!("{number:05}"),
        Kind::NetAddress if value.contains(':') => format!("2001:db8::{number:x}"),
        Kind::NetAddress => format!("198.18.{}.{}", number / 256 % 256, number % 256),
        Kind::Account if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{number:0width$}", width = value.len())
        }
        Kind::Account => format!("account-{number}"),
        Kind::Text => format!("Text {number}"),
        Kind::Birthday => format!("1990-01-{:02}", (number - 1) % 28 + 1),
        Kind::Coordinate => "0.0".to_owned(),
    }
}
