//! Text that a guest or a channel wrote is hostile: bounded, without control characters, and without
//! any secret of the connection.

use std::borrow::Cow;
use std::sync::Arc;

use portolan_connector::SecretValue;

const MASK: &str = "***";

/// Shorter values would mask ordinary words, and are no secrets worth the name.
const MIN_SECRET_BYTES: usize = 6;

/// Removes secrets wherever they turn up literally.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Longest first, so that a secret inside another does not leave the rest of it behind.
    secrets: Arc<[Vec<u8>]>,
}

impl Scrubber {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretValue>) -> Self {
        let mut values: Vec<Vec<u8>> = secrets
            .into_iter()
            .map(|secret| secret.expose().as_bytes().to_vec())
            .filter(|value| value.len() >= MIN_SECRET_BYTES)
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { secrets: values.into() }
    }

    /// The same scrubber for further values, such as the encoded form of a secret.
    pub fn and(&self, further: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<Vec<u8>> = self.secrets.to_vec();
        values.extend(
            further.into_iter().map(String::into_bytes).filter(|value| value.len() >= MIN_SECRET_BYTES),
        );
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { secrets: values.into() }
    }

    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.secrets.iter().fold(bytes, |bytes, secret| match memchr::memmem::find(&bytes, secret) {
            None => bytes,
            Some(_) => replace(&bytes, secret),
        })
    }

    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let leaks = self.secrets.iter().any(|secret| memchr::memmem::find(text.as_bytes(), secret).is_some());
        if leaks {
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

fn replace(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut scrubbed = Vec::with_capacity(bytes.len());
    let mut start = 0;
    for found in memchr::memmem::find_iter(bytes, secret) {
        scrubbed.extend_from_slice(&bytes[start..found]);
        scrubbed.extend_from_slice(MASK.as_bytes());
        start = found + secret.len();
    }
    scrubbed.extend_from_slice(&bytes[start..]);
    scrubbed
}

/// Control characters (terminal sequences, line breaks), and marks that reorder text on a page.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
