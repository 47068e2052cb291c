//! Password hashing: argon2id, 46 MiB, two passes; at most as many at once as there are cores.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

const MEMORY_KIB: u32 = 46 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The shortest password that is taken.
pub const SHORTEST_PASSWORD: usize = 12;
/// Longer ones would only cost time.
pub const LONGEST_PASSWORD: usize = 256;

/// Why a password is not taken or not checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")]
    Length,
    #[error("password hashing failed: {0}")]
    Hashing(String),
}

/// Hashes and checks passwords without blocking the runtime or filling the memory.
#[derive(Debug, Clone)]
pub struct PasswordHashing {
    at_once: Arc<Semaphore>,
}

impl PasswordHashing {
    /// `at_once`: how many hashes may be computed at the same time; 46 MiB each.
    pub fn new(at_once: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// The PHC string to store.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
            return Err(PasswordError::Length);
        }
        let password = password.to_owned();
        self.run(move || {
            let hash = hasher()?.hash_password(password.as_bytes()).map_err(failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one that was hashed. Without a stored hash the same time is
    /// spent, so that nobody learns which names exist.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, PasswordError> {
        let password: String = password.chars().take(LONGEST_PASSWORD).collect();
        let stored = stored.map(str::to_owned);
        self.run(move || {
            let Some(stored) = stored else {
                hasher()?.hash_password(password.as_bytes()).map_err(failed)?;
                return Ok(false);
            };
            let stored = PasswordHash::new(&stored).map_err(failed)?;
            Ok(hasher()?.verify_password(password.as_bytes(), &stored).is_ok())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _turn = self.at_once.acquire().await.map_err(failed)?;
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: impl ToString) -> PasswordError {
    PasswordError::Hashing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_accepted() {
        let hashing = PasswordHashing::new(1);
        let stored = hashing.hash("correct horse battery").await.expect("hash");
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=2,p=1$"), "{stored}");
        assert!(hashing.verify("correct horse battery", Some(&stored)).await.expect("verify"));
        assert!(!hashing.verify("correct horse batterx", Some(&stored)).await.expect("verify"));
        assert!(!hashing.verify("correct horse battery", None).await.expect("verify"));
    }

    #[tokio::test]
    async fn short_passwords_are_refused_with_a_sentence() {
        let error = PasswordHashing::new(1).hash("short").await.expect_err("too short");
        assert!(error.to_string().contains("12 to 256"));
    }
}
