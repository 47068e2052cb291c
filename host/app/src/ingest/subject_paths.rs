//! Puts other texts in the place of some values of a JSON text. Every other byte stays as it is: numbers keep their digits,
//! texts their escapes, objects the order of their keys.

use std::borrow::Cow;

use portolan_connector::{Step, SubjectPlace};
use serde::de::IgnoredAny;

/// Arrays and objects in one another; a page that is nested deeper is refused instead of followed.
const MOST_DEPTH: usize = 256;

/// Why values of a text cannot be replaced. It is not kept then: nobody knows what it would keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("it is not JSON: {0}")]
    Malformed(String),
    #[error("it is nested deeper than {MOST_DEPTH} levels")]
    TooDeep,
}

/// Paths to values, followed all at once: a set of positions, each saying how far one of the paths has come.
#[derive(Debug, Clone)]
pub struct Paths {
    /// What has to come next at a position; none at the end of a path.
    steps: Vec<Option<Step>>,
    /// The path whose end a position is.
    ends: Vec<usize>,
    start: u64,
}

impl Paths {
    /// Reads the paths of some places, in their order; places without one lead nowhere.
    ///
    /// Errors: a sentence for the plugin's author.
    pub fn new(places: &[SubjectPlace]) -> Result<Self, String> {
        let mut paths = Self { steps: Vec::new(), ends: Vec::new(), start: 0 };
        for (number, place) in places.iter().enumerate() {
            let Some(steps) = place.steps()? else { continue };
            let first = paths.steps.len();
            paths.steps.extend(steps.into_iter().map(Some).chain([None]));
            paths.ends.resize(paths.steps.len(), number);
            if paths.steps.len() > u64::BITS as usize {
                return Err("the paths of its subject have too many steps".to_owned());
            }
            paths.start |= 1 << first;
        }
        paths.start = paths.also_without_anything(paths.start);
        Ok(paths)
    }

    fn is_empty(&self) -> bool {
        self.start == 0
    }

    /// `**` stands for nothing as well: who is before it is behind it.
    fn also_without_anything(&self, mut positions: u64) -> u64 {
        for position in 0..self.steps.len() {
            if positions & (1 << position) != 0 && self.steps[position] == Some(Step::Anything) {
                positions |= 1 << (position + 1);
            }
        }
        positions
    }

    fn follow(&self, positions: u64, leads: impl Fn(&Step) -> bool) -> u64 {
        let mut next = 0;
        let mut left = positions;
        while left != 0 {
            let position = left.trailing_zeros() as usize;
            left &= left - 1;
            match &self.steps[position] {
                Some(Step::Anything) => next |= 1 << position,
                Some(step) if leads(step) => next |= 1 << (position + 1),
                _ => {}
            }
        }
        self.also_without_anything(next)
    }

    fn under_key(&self, positions: u64, key: &str) -> u64 {
        self.follow(positions, |step| matches!(step, Step::Key(wanted) if wanted == key))
    }

    fn in_array(&self, positions: u64) -> u64 {
        self.follow(positions, |step| *step == Step::Element)
    }

    /// The path that ends here.
    fn ended(&self, positions: u64) -> Option<usize> {
        (0..self.steps.len())
            .find(|position| positions & (1 << position) != 0 && self.steps[*position].is_none())
            .map(|position| self.ends[position])
    }
}

/// Where the scan stands: how far the paths have come, and the path that has ended at this value or around it.
#[derive(Clone, Copy)]
struct Place {
    positions: u64,
    ended: Option<usize>,
}

struct Container {
    is_object: bool,
    place: Place,
}

/// Replaces the texts and numbers that the paths lead to by what `replace` says for path and value; `None` leaves the value.
/// Where a path leads to an object or array, what is in it counts as well: what is not where it should be must not slip by.
pub fn replace_values(
    text: &str,
    paths: &Paths,
    mut replace: impl FnMut(usize, &str) -> Option<String>,
) -> Result<String, JsonError> {
    let malformed = |error: serde_json::Error| JsonError::Malformed(error.to_string());
    // From here on the text is known to be JSON: the scan need not look at what it passes.
    let _: IgnoredAny = serde_json::from_str(text).map_err(malformed)?;
    if paths.is_empty() {
        return Ok(text.to_owned());
    }
    let bytes = text.as_bytes();
    let (mut target, mut copied) = (String::with_capacity(text.len()), 0);
    let mut around: Vec<Container> = Vec::new();
    let mut here = Place { positions: paths.start, ended: paths.ended(paths.start) };
    let (mut at_key, mut at) = (false, 0);
    while at < bytes.len() {
        match bytes[at] {
            opening @ (b'{' | b'[') => {
                if here.positions == 0 && here.ended.is_none() {
                    at = end_of_container(bytes, at);
                    continue;
                }
                if around.len() == MOST_DEPTH {
                    return Err(JsonError::TooDeep);
                }
                let container = Container { is_object: opening == b'{', place: here };
                at_key = container.is_object;
                if !container.is_object {
                    here = element_of(paths, container.place);
                }
                around.push(container);
                at += 1;
            }
            b'}' | b']' => {
                around.pop();
                at_key = false;
                at += 1;
            }
            b',' => {
                if let Some(container) = around.last() {
                    at_key = container.is_object;
                    here = element_of(paths, container.place);
                }
                at += 1;
            }
            b'"' => {
                let end = end_of_text(bytes, at);
                let raw = &text[at..end];
                if at_key {
                    let place = around.last().map_or(here, |container| container.place);
                    let positions = match place.positions {
                        0 => 0,
                        positions => paths.under_key(positions, &decoded(raw)?),
                    };
                    here = Place { positions, ended: place.ended.or_else(|| paths.ended(positions)) };
                    at_key = false;
                } else if let Some(path) = here.ended
                    && let Some(other) = replace(path, &decoded(raw)?)
                {
                    push_replaced(&mut target, &text[copied..at], &other);
                    copied = end;
                }
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let end = end_of_word(bytes, at);
                if let Some(path) = here.ended
                    && let Some(other) = replace(path, &text[at..end])
                {
                    push_replaced(&mut target, &text[copied..at], &other);
                    copied = end;
                }
                at = end;
            }
            // White space, colons, and the letters of true, false and null.
            _ => at += 1,
        }
    }
    target.push_str(&text[copied..]);
    Ok(target)
}

fn element_of(paths: &Paths, container: Place) -> Place {
    let positions = paths.in_array(container.positions);
    Place { positions, ended: container.ended.or_else(|| paths.ended(positions)) }
}

fn push_replaced(target: &mut String, before: &str, value: &str) {
    target.push_str(before);
    // A text has no error to tell.
    target.push_str(&serde_json::to_string(value).unwrap_or_default());
}

fn decoded(raw: &str) -> Result<Cow<'_, str>, JsonError> {
    if !raw.contains('\\') {
        return Ok(Cow::Borrowed(&raw[1..raw.len() - 1]));
    }
    serde_json::from_str::<String>(raw)
        .map(Cow::Owned)
        .map_err(|error| JsonError::Malformed(error.to_string()))
}

/// Behind the closing quotation mark.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
    bytes[start..].iter().position(is_end).map_or(bytes.len(), |length| start + length)
}

/// Behind the closing bracket.
fn end_of_container(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_text(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
