use std::sync::Arc;

use portolan_core::SystemRandom;

use super::{PasswordError, Passwords};

#[tokio::test]
async fn a_password_verifies_against_its_own_hash_only() {
    let passwords = Passwords::new(Arc::new(SystemRandom));
    let stored = passwords.hash("correct horse battery").await.expect("hash");
    assert!(stored.starts_with("$argon2id$v=19$m=47104,t=2,p=1$"), "{stored}");
    assert!(passwords.verify("correct horse battery", Some(&stored)).await.expect("verify"));
    assert!(!passwords.verify("correct horse batterx", Some(&stored)).await.expect("verify"));
    assert!(!passwords.verify("", None).await.expect("verify"), "the decoy opens nothing");
    assert_ne!(passwords.hash("correct horse battery").await.expect("hash"), stored, "each has its salt");
}

#[tokio::test]
async fn too_short_and_too_long_are_refused() {
    let passwords = Passwords::new(Arc::new(SystemRandom));
    assert_eq!(passwords.hash("short").await, Err(PasswordError::TooShort));
    assert_eq!(passwords.hash(&"x".repeat(2_000)).await, Err(PasswordError::TooLong));
    assert!(!passwords.verify(&"x".repeat(2_000), None).await.expect("verify"));
}

#[test]
fn weaker_hashes_are_outdated() {
    let old = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA";
    assert!(Passwords::is_outdated(old));
    assert!(Passwords::is_outdated("nonsense"));
    let today = "$argon2id$v=19$m=47104,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA";
    assert!(!Passwords::is_outdated(today));
}
