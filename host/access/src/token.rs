//! Tokens that are given to a browser once and known here by their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_core::{Random, hex};
use sha2::{Digest, Sha256};

/// 256 random bits: nobody guesses one, so a plain hash is enough.
pub(crate) fn new_token(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored of a token: SHA-256 in lower-case hex.
pub(crate) fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}
