//! What keys and tokens look like: `ptl_<id>_<43 characters>_<checksum>`, with `pta_` for access tokens and `ptr_` for what
//! renews them.
//!
//! The id leads to the row, the characters are 256 random bits, the checksum tells a mistyped or cut key from a wrong one
//! without a look at the database, and lets scanners of source code know one when they see it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_core::Random;
use uuid::Uuid;

use crate::token::{new_token, token_hash};

const PREFIX_CHARS: usize = 4;
const ID_DIGITS: usize = 32;
const SECRET_CHARS: usize = 43;
const CHECK_DIGITS: usize = 8;
const LENGTH: usize = PREFIX_CHARS + ID_DIGITS + 1 + SECRET_CHARS + 1 + CHECK_DIGITS;

/// What a program comes in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Goes on for months, until somebody ends it.
    Key,
    /// Comes in for minutes.
    Access,
    /// Comes in nowhere: buys one further pair of tokens, once.
    Refresh,
}

impl TokenKind {
    const ALL: [Self; 3] = [Self::Key, Self::Access, Self::Refresh];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Key => "ptl_",
            Self::Access => "pta_",
            Self::Refresh => "ptr_",
        }
    }
}

/// A key or token as it was sent: well formed, and nothing is known of it yet.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsedKey {
    pub kind: TokenKind,
    pub id: Uuid,
    sha256: String,
}

impl std::fmt::Debug for ParsedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ParsedKey")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ParsedKey {
    /// Reads what was sent as a key; `None` for whatever this house has not made.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (said, check) = text.split_at(LENGTH - CHECK_DIGITS - 1);
        if check.strip_prefix('_') != Some(checksum(said).as_str()) {
            return None;
        }
        let kind = TokenKind::ALL.into_iter().find(|kind| said.starts_with(kind.prefix()))?;
        let (id, secret) = said[PREFIX_CHARS..].split_at(ID_DIGITS);
        let secret = secret.strip_prefix('_')?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).ok()?;
        let spelled_as_we_do = id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let id = spelled_as_we_do.then(|| Uuid::try_parse(id).ok()).flatten()?;
        (bytes.len() == 32).then(|| Self { kind, id, sha256: token_hash(text) })
    }

    /// SHA-256 of the whole key in hex: what is stored of it.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// A new key or token with this id, to be shown once.
pub fn new_key(kind: TokenKind, id: Uuid, random: &dyn Random) -> String {
    let said = format!("{}{}_{}", kind.prefix(), id.simple(), new_token(random));
    let check = checksum(&said);
    format!("{said}_{check}")
}

fn checksum(said: &str) -> String {
    format!("{:08x}", crc32fast::hash(said.as_bytes()))
}

#[cfg(test)]
mod tests {
    use portolan_core::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn every_key_is_read_back_and_no_neighbour_of_it(
            id in any::<u128>(), seed in any::<u64>(), at in 0..LENGTH, letter in 0_u8..=127,
            kind in proptest::sample::select(&TokenKind::ALL[..]),
        ) {
            let key = new_key(kind, Uuid::from_u128(id), &SeededRandom::new(seed));
            prop_assert_eq!(key.len(), LENGTH);
            let read = ParsedKey::parse(&key).expect("a key");
            let hash = token_hash(&key);
            prop_assert_eq!((read.kind, read.id.as_u128(), read.sha256()), (kind, id, hash.as_str()));
            let shown = format!("{:?}", read);
            prop_assert!(!shown.contains(read.sha256()));
            let mut other = key.clone().into_bytes();
            other[at] = letter;
            let other = String::from_utf8(other).expect("ASCII");
            prop_assert!(other == key || ParsedKey::parse(&other).is_none(), "{}", other);
            prop_assert!(ParsedKey::parse(&key[..at]).is_none(), "cut off");
            let longer = format!("{}x", key);
            prop_assert!(ParsedKey::parse(&longer).is_none());
        }

        #[test]
        fn garbage_is_no_key(text in "\\PC{0,120}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(ParsedKey::parse(&text).is_none());
            prop_assert!(ParsedKey::parse(&String::from_utf8_lossy(&bytes)).is_none());
            let dressed = format!("ptl_{}", text);
            prop_assert!(ParsedKey::parse(&dressed).is_none());
        }
    }
}
