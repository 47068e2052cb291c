//! Recovery codes: 24 characters of Crockford's base 32, so 120 random bits. Nobody guesses one, so a salted hash is
//! enough. People read and type them, so case, spaces and dashes do not matter, nor do letters that look like digits.

use portolan_core::{Random, hex};
use sha2::{Digest, Sha256};

/// How many are made at once.
pub(crate) const CODES: usize = 10;
const CHARACTERS: usize = 24;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// As people get to see it, in groups of six.
pub(crate) fn new_code(random: &dyn Random) -> String {
    let mut bytes = [0_u8; CHARACTERS];
    random.fill(&mut bytes);
    // 32 divides 256: every character is as likely as the others.
    let characters: Vec<char> =
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = characters.chunks(6).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// What was meant; `None` where it cannot be a recovery code.
pub(crate) fn normal_code(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(CHARACTERS);
    for character in typed.chars().filter(|character| !character.is_whitespace() && *character != '-') {
        let meant = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if code.len() == CHARACTERS || !meant.is_ascii() || !ALPHABET.contains(&(meant as u8)) {
            return None;
        }
        code.push(meant);
    }
    (code.len() == CHARACTERS).then_some(code)
}

pub(crate) fn new_salt(random: &dyn Random) -> String {
    let mut salt = [0_u8; 16];
    random.fill(&mut salt);
    hex(&salt)
}

/// What is stored of a code, as [`normal_code`] gives it.
pub(crate) fn code_hash(salt: &str, normal_code: &str) -> String {
    let digest = Sha256::new().chain_update(salt.as_bytes()).chain_update(normal_code.as_bytes()).finalize();
    hex(&digest[..])
}

#[cfg(test)]
mod tests;
