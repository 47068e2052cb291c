//! By what personal values are replaced: the same value always by the same, another one by another. Numbered in
//! the order in which they turn up, so that nothing of a value is in its pseudonym and two recordings compare.
//!
//! What one member holds is looked for in every other text, too: a name, whole or in part, a number however it is
//! spaced. In a text with blanks the case does not matter, for people write `call jane`. In one without them a single
//! word means its writer's case: `Open` is a name and `open` a state.

use std::collections::HashMap;

use super::personal::{Kind, is_escape};

/// A shorter name is a word that means other things, too.
const MIN_CHARS: usize = 3;
/// The same for what is no name, in a text without blanks: an id, a code.
const MIN_CHARS_IN_WORD: usize = 5;
/// What stands between the words of one value: a comma and a blank, `%20`.
const LONGEST_GAP_CHARS: usize = 3;
/// Digits of a telephone number by which it is known; those before them depend on where one calls from.
const DIGITS_OF_PHONE: usize = 8;
/// Of a name's words those that are no names.
const NO_NAMES: [&str; 30] = [
    "von", "van", "der", "den", "dem", "des", "del", "della", "los", "las", "les", "ter", "ten", "bin",
    "ibn", "abu", "the", "and", "und", "for", "mrs", "miss", "mister", "herr", "frau", "sir", "lady", "prof",
    "junior", "senior",
];

/// All personal values of a recording.
#[derive(Default)]
pub struct Pseudonyms {
    known: HashMap<(Kind, String), usize>,
    counts: HashMap<Kind, usize>,
    /// What is looked for in other texts, by its first word in lower case.
    elsewhere: HashMap<String, Vec<Elsewhere>>,
    /// Telephone numbers by their last digits.
    phones: HashMap<String, Vec<String>>,
}

struct Elsewhere {
    kind: Kind,
    /// As they were written.
    words: Vec<String>,
    replaced_by: String,
    /// One word of a name: less than a name that is this word alone.
    is_part: bool,
}

/// A value that begins at a word of a text.
struct Found {
    words: usize,
    replaced_by: String,
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
        let number = *count;
        self.known.insert(key.clone(), number);
        let value = value.trim();
        match kind {
            Kind::Phone if key.1.len() >= DIGITS_OF_PHONE => {
                let last = key.1[key.1.len() - DIGITS_OF_PHONE..].to_owned();
                self.phones.entry(last).or_default().push(key.1);
            }
            Kind::Name => {
                self.look_elsewhere(kind, value, pseudonym(kind, number, value), false);
                let names =
                    value.split(|character: char| character.is_whitespace() || ",-".contains(character));
                let parts: Vec<&str> = names.filter(|part| is_name(part)).collect();
                let whole = value.split_whitespace().nth(1).is_some();
                for (position, part) in parts.iter().enumerate().filter(|_| whole) {
                    let word = if position == 0 { "Given" } else { "Family" };
                    self.look_elsewhere(kind, part, format!("{word}{number}"), true);
                }
            }
            // A mail address shows by itself wherever it stands.
            Kind::Company | Kind::Street | Kind::Account | Kind::Secret | Kind::Link => {
                self.look_elsewhere(kind, value, pseudonym(kind, number, value), false);
            }
            _ => {}
        }
    }

    fn look_elsewhere(&mut self, kind: Kind, value: &str, replaced_by: String, is_part: bool) {
        let words: Vec<String> = words(value).map(|(_, word)| word.to_owned()).collect();
        let long = value.chars().filter(|character| character.is_alphanumeric()).count() >= MIN_CHARS;
        let speaks = kind != Kind::Name || value.contains(char::is_alphabetic);
        let Some(first) = words.first().filter(|_| long && speaks) else { return };
        let first = first.to_lowercase();
        self.elsewhere.entry(first).or_default().push(Elsewhere { kind, words, replaced_by, is_part });
    }

    /// What stands in the place of a value that was noted.
    pub fn of(&self, kind: Kind, value: &str) -> Option<String> {
        let number = *self.known.get(&(kind, identity(kind, value)))?;
        Some(pseudonym(kind, number, value.trim()))
    }

    /// Values that other members hold, where they turn up in a text; `None` where there are none.
    pub fn replace_elsewhere(&self, text: &str) -> Option<String> {
        let words: Vec<(usize, &str)> = words(text).collect();
        let (mut replaced, mut taken, mut at) = (String::new(), 0, 0);
        while at < words.len() {
            let phone = self.phone_at(text, &words[at..]);
            let Some(found) = phone.or_else(|| self.longest_at(text, &words[at..])) else {
                at += 1;
                continue;
            };
            let blank = match found.words {
                1 if text.starts_with('/') || text.starts_with("http") => "%20",
                1 => " ",
                _ => gap(text, &words[at..]),
            };
            replaced.push_str(&text[taken..words[at].0]);
            replaced.push_str(&found.replaced_by.replace(' ', blank));
            at += found.words;
            let (start, last) = words[at - 1];
            taken = start + last.len();
        }
        (taken > 0).then(|| replaced + &text[taken..])
    }

    /// The longest value that begins with the first of these words.
    fn longest_at(&self, text: &str, words: &[(usize, &str)]) -> Option<Found> {
        let is_free = text.contains(char::is_whitespace);
        let fits = |candidate: &&Elsewhere| {
            let here = words.get(..candidate.words.len());
            let Some(here) = here.filter(|here| is_together(text, here)) else { return false };
            let mut pairs = here.iter().zip(&candidate.words);
            match candidate.words.as_slice() {
                [word] if !is_free => {
                    let least = if candidate.kind == Kind::Name { MIN_CHARS } else { MIN_CHARS_IN_WORD };
                    here[0].1 == word && word.chars().count() >= least
                }
                _ => pairs.all(|((_, found), word)| found.to_lowercase() == word.to_lowercase()),
            }
        };
        let candidates = self.elsewhere.get(&words.first()?.1.to_lowercase())?;
        let longest =
            candidates.iter().filter(fits).max_by_key(|found| (found.words.len(), !found.is_part))?;
        Some(Found { words: longest.words.len(), replaced_by: longest.replaced_by.clone() })
    }

    /// A telephone number that begins with the first of these words, whatever stands between its digits and whether or
    /// not it has its country's prefix.
    fn phone_at(&self, text: &str, words: &[(usize, &str)]) -> Option<Found> {
        let is_digits = |word: &(usize, &str)| word.1.bytes().all(|byte| byte.is_ascii_digit());
        let groups = words.iter().take(8).take_while(|word| is_digits(word)).count();
        (1..=groups).rev().find_map(|count| {
            let digits: String = words[..count].iter().map(|(_, word)| *word).collect();
            let last = digits.get(digits.len().checked_sub(DIGITS_OF_PHONE)?..)?;
            let short = digits.trim_start_matches('0');
            let is_same = |known: &&String| {
                let theirs = known.trim_start_matches('0');
                short.len() >= DIGITS_OF_PHONE && (known.ends_with(short) || short.ends_with(theirs))
                    || digits == **known
            };
            let mut known = self.phones.get(last)?.iter();
            let known = known.find(is_same).filter(|_| is_together(text, &words[..count]))?;
            Some(Found { words: count, replaced_by: self.of(Kind::Phone, known)? })
        })
    }
}

/// Whether so little stands between these words that they can be one value.
fn is_together(text: &str, words: &[(usize, &str)]) -> bool {
    let gaps = (1..words.len()).map(|next| gap(text, &words[next - 1..]));
    gaps.into_iter().all(|gap| gap.chars().count() <= LONGEST_GAP_CHARS && !gap.contains('\n'))
}

/// What stands between the first of these words and the second.
fn gap<'a>(text: &'a str, words: &[(usize, &str)]) -> &'a str {
    match words {
        [(start, first), (next, _), ..] => text.get(start + first.len()..*next).unwrap_or(" "),
        _ => " ",
    }
}

/// Whether a word of a name is one that people are called by.
fn is_name(word: &str) -> bool {
    let letters = word.chars().filter(|character| character.is_alphabetic()).count();
    letters >= MIN_CHARS
        && !word.contains(char::is_numeric)
        && !NO_NAMES.contains(&word.trim_end_matches('.').to_lowercase().as_str())
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
        Kind::Secret | Kind::Link => value.trim().to_owned(),
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
        Kind::Secret => format!("secret-{number}"),
        Kind::Link => format!("https://example.com/link-{number}"),
    }
}
