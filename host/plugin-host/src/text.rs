//! Text that a guest or a channel wrote is hostile: bounded, without control characters, and without
//! any secret of the connection.

use std::borrow::Cow;
use std::sync::Arc;

use portolan_connector::SecretValue;

use self::forms::forms_of;

mod forms;

const MASK: &str = "***";

/// Shorter values would mask ordinary words, and are no secrets worth the name.
const MIN_SECRET_BYTES: usize = 6;

/// Removes secrets wherever they turn up, in every form of [`forms_of`].
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Longest first, so that a secret inside another does not leave the rest of it behind.
    secrets: Arc<[Vec<u8>]>,
}

impl Scrubber {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretValue>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| secret.expose().len() >= MIN_SECRET_BYTES);
        Self::of(secrets.flat_map(|secret| forms_of(secret.expose())).collect())
    }

    /// The same scrubber for further values, such as what a scheme makes of several fields.
    pub fn and(&self, further: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<Vec<u8>> = self.secrets.to_vec();
        values.extend(further.into_iter().map(String::into_bytes));
        Self::of(values)
    }

    fn of(mut values: Vec<Vec<u8>>) -> Self {
        values.retain(|value| value.len() >= MIN_SECRET_BYTES);
        values.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        values.dedup();
        Self { secrets: values.into() }
    }

    /// Whether a secret is in the text.
    pub fn finds(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| memchr::memmem::find(text.as_bytes(), secret).is_some())
    }

    /// Scrubs what comes piece by piece: a secret that is cut between two pieces is found, too.
    pub fn stream(&self) -> ScrubbedStream {
        ScrubbedStream { scrubber: self.clone(), held: Vec::new() }
    }

    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.secrets.iter().all(|secret| memchr::memmem::find(&bytes, secret).is_none()) {
            return bytes;
        }
        let end = bytes.len();
        let (mut scrubbed, taken) = self.scrub(&bytes, end);
        scrubbed.extend_from_slice(&bytes[taken..]);
        scrubbed
    }

    /// Masks every secret that begins before `certain`, the longest of those that begin at one place. Gives what
    /// came of it, and how many bytes it took.
    fn scrub(&self, bytes: &[u8], certain: usize) -> (Vec<u8>, usize) {
        let find = |secret: &Vec<u8>, from: usize| {
            memchr::memmem::find(&bytes[from..], secret).map_or(usize::MAX, |start| from + start)
        };
        // Where each secret comes next, so that a body full of one is not searched for the others again and again.
        let mut next: Vec<usize> = self.secrets.iter().map(|secret| find(secret, 0)).collect();
        let (mut scrubbed, mut taken) = (Vec::with_capacity(bytes.len()), 0);
        loop {
            let first = next.iter().zip(self.secrets.iter()).min_by_key(|(start, _)| **start);
            let Some((&start, secret)) = first.filter(|(start, _)| **start < certain) else { break };
            scrubbed.extend_from_slice(&bytes[taken..start]);
            scrubbed.extend_from_slice(MASK.as_bytes());
            taken = start + secret.len();
            for (start, secret) in next.iter_mut().zip(self.secrets.iter()) {
                if *start < taken {
                    *start = find(secret, taken);
                }
            }
        }
        let rest = taken.max(certain);
        scrubbed.extend_from_slice(&bytes[taken..rest]);
        (scrubbed, rest)
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.finds(text) {
            Cow::Owned(String::from_utf8_lossy(&self.bytes(text.as_bytes().to_vec())).into_owned())
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Fit to be shown and logged: at most `max_chars`, no control characters, no secrets.
    pub fn clean(&self, text: &str, max_chars: usize) -> String {
        // Cut generously before the search and exactly after it, so that a secret at the edge is still found whole.
        let head: String = text.chars().take(max_chars.saturating_add(4_096)).collect();
        let clean: String = self
            .text(&head)
            .chars()
            .map(|character| if is_unfit(character) { ' ' } else { character })
            .collect();
        let mut bounded: String = clean.chars().take(max_chars).collect();
        if clean.chars().nth(max_chars).is_some() {
            bounded.push('…');
        }
        bounded.trim().to_owned()
    }
}

/// See [`Scrubber::stream`].
pub struct ScrubbedStream {
    scrubber: Scrubber,
    /// The end of what came: a secret may have begun there.
    held: Vec<u8>,
}

impl ScrubbedStream {
    /// Takes a piece; gives what is certain by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let longest = self.scrubber.secrets.first().map_or(0, Vec::len);
        let certain = self.held.len().saturating_sub(longest.saturating_sub(1));
        let (scrubbed, taken) = self.scrubber.scrub(&self.held, certain);
        self.held.drain(..taken);
        scrubbed
    }

    /// Gives the rest.
    pub fn finish(self) -> Vec<u8> {
        self.scrubber.bytes(self.held)
    }
}

/// Control characters (terminal sequences, line breaks), and marks that reorder text on a page.
pub fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
