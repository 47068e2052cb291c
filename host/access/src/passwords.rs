//! Passwords: which may be set, and their hashes: argon2id, off the async threads, never more than a few at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use portolan_core::Random;
use tokio::sync::Semaphore;

/// 46 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 46 << 10;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: bounds the memory that strangers can make us use.
const AT_ONCE: usize = 2;

const SHORTEST: usize = 12;
/// Longer ones are refused before they are hashed.
const LONGEST_BYTES: usize = 1_024;
/// A password that is found sooner by whoever knows lists of them, names, keyboards and dates cannot be set. zxcvbn finds each
/// password of those lists within some ten thousand guesses, and within a thousand million where it is made long by a capital letter, a
/// number and a sign, which is a sequence of three; four parts that do not belong together are beyond.
const LEAST_GUESSES: u64 = 10_000_000_000;
/// What a guess begins with beside what is known of the person.
const OWN_WORD: &str = "portolan";

/// Why a password cannot be hashed or looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is too short: use at least {SHORTEST} characters")]
    TooShort,
    #[error("the password is too long: use at most {LONGEST_BYTES} bytes")]
    TooLong,
    #[error(
        "the password is easy to guess: use four or more words that do not belong together, or have a password manager make one"
    )]
    Guessable,
    #[error("hashing the password failed: {0}")]
    Failed(String),
}

impl PasswordError {
    /// Whether another password would be taken: for whoever chooses one.
    pub const fn is_of_choice(&self) -> bool {
        matches!(self, Self::TooShort | Self::TooLong | Self::Guessable)
    }
}

/// Hashes and verifies passwords. Cheap to clone; all clones share one limit.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    random: Arc<dyn Random>,
    memory_kib: u32,
    looked_at: Arc<AtomicU64>,
    /// Verified against where there is no account: a wrong name takes as long as a wrong password.
    decoy: Arc<OnceLock<String>>,
}

impl Passwords {
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            random,
            memory_kib: MEMORY_KIB,
            looked_at: Arc::default(),
            decoy: Arc::default(),
        }
    }

    /// Hashes that cost next to nothing: for tests that make thousands.
    #[cfg(any(test, feature = "testing"))]
    pub fn cheap(random: Arc<dyn Random>) -> Self {
        Self { memory_kib: 8, ..Self::new(random) }
    }

    /// How many passwords this process has looked at, of people who exist and of others.
    pub fn looked_at(&self) -> u64 {
        self.looked_at.load(Ordering::Relaxed)
    }

    /// The PHC string of a password that somebody chooses now; `about` is what is known of them: names of theirs and of their
    /// companies, which whoever guesses knows, too.
    pub async fn hash_new(&self, password: &str, about: &[String]) -> Result<String, PasswordError> {
        check_length(password)?;
        let (chosen, about) = (password.to_owned(), about.to_vec());
        if self.blocking(move || is_guessable(&chosen, &about)).await? {
            return Err(PasswordError::Guessable);
        }
        self.hash(password).await
    }

    /// The PHC string of a password that stands already.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        check_length(password)?;
        let password = password.to_owned();
        let (random, memory_kib) = (self.random.clone(), self.memory_kib);
        self.blocking(move || hash(&password, memory_kib, &*random)).await?
    }

    /// Whether the password belongs to the hash; without a hash it does not, and takes as long.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        if password.len() > LONGEST_BYTES {
            return Ok(false);
        }
        self.looked_at.fetch_add(1, Ordering::Relaxed);
        let memory_kib = self.memory_kib;
        let (password, stored) = (password.to_owned(), stored.map(str::to_owned));
        let (random, decoy) = (self.random.clone(), self.decoy.clone());
        self.blocking(move || {
            let known = stored.is_some();
            let stored = match stored {
                Some(stored) => stored,
                None => match decoy.get() {
                    Some(decoy) => decoy.clone(),
                    None => {
                        let made = hash("", memory_kib, &*random)?;
                        decoy.get_or_init(|| made).clone()
                    }
                },
            };
            Ok(known & verify(&password, &stored)?)
        })
        .await?
    }

    /// Whether a hash was made with weaker settings than today's.
    pub fn is_outdated(stored: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(stored) else { return true };
        let Ok(params) = Params::try_from(&parsed) else { return true };
        params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let failed = |reason: &dyn std::fmt::Display| PasswordError::Failed(reason.to_string());
        let permit = self.permits.clone().acquire_owned().await.map_err(|error| failed(&error))?;
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        task.await.map_err(|error| failed(&error))
    }
}

fn check_length(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.len() > LONGEST_BYTES {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

/// Whether it is found within [`LEAST_GUESSES`]. Names are looked for as a whole and in their parts.
fn is_guessable(password: &str, about: &[String]) -> bool {
    let is_between = |character: char| !character.is_alphanumeric();
    let parts = about.iter().flat_map(|name| name.split(is_between)).filter(|part| part.chars().count() > 2);
    let words: Vec<&str> = about.iter().map(String::as_str).chain(parts).chain([OWN_WORD]).collect();
    zxcvbn::zxcvbn(password, &words).guesses() < LEAST_GUESSES
}

fn hash(password: &str, memory_kib: u32, random: &dyn Random) -> Result<String, PasswordError> {
    let mut salt = [0_u8; 16];
    random.fill(&mut salt);
    let params = Params::new(memory_kib, PASSES, LANES, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash =
        argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool, PasswordError> {
    let parsed = PasswordHash::new(stored).map_err(|error| failed(&error))?;
    match Argon2::default().verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn std::fmt::Display) -> PasswordError {
    PasswordError::Failed(error.to_string())
}

#[cfg(test)]
mod tests;
