use std::sync::Arc;

use portolan_core::SystemRandom;
use proptest::prelude::*;

use super::{PasswordError, Passwords, SHORTEST, is_guessable};

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

/// Of the lists that every guesser begins with, as they are where they are long enough, else made long as people do.
const KNOWN: [&str; 40] = [
    "123456",
    "password",
    "12345678",
    "qwerty",
    "123456789",
    "12345",
    "1234",
    "111111",
    "1234567",
    "dragon",
    "123123",
    "baseball",
    "abc123",
    "football",
    "monkey",
    "letmein",
    "696969",
    "shadow",
    "master",
    "666666",
    "qwertyuiop",
    "123321",
    "mustang",
    "1234567890",
    "michael",
    "654321",
    "superman",
    "1qaz2wsx",
    "7777777",
    "121212",
    "000000",
    "qazwsx",
    "123qwe",
    "killer",
    "trustno1",
    "jordan",
    "jennifer",
    "zxcvbnm",
    "asdfgh",
    "iloveyou",
];

/// What people make of a short one that has to have twelve characters.
fn made_long(known: &str) -> Vec<String> {
    let digits = "1234567890123456";
    let missing = SHORTEST.saturating_sub(known.len());
    let mut capital = known.to_owned();
    capital[..1].make_ascii_uppercase();
    vec![
        known.repeat(SHORTEST.div_ceil(known.len())),
        format!("{known}{}", &digits[..missing]),
        format!("{capital}{}!", &digits[..missing]),
        format!("{}{known}", &digits[..missing]),
        format!("{known}{}", "1".repeat(missing)),
        format!("{capital}2026{}", "!".repeat(missing.saturating_sub(4))),
        format!("{known}{}", known.chars().rev().collect::<String>().repeat(2)),
    ]
}

#[test]
fn no_known_password_can_be_set_however_it_is_made_long() {
    for known in KNOWN {
        for password in made_long(known) {
            if password.len() >= SHORTEST {
                assert!(is_guessable(&password, &[]), "{password}");
            }
        }
    }
    for password in [
        "qwertyuiopasdf",
        "1q2w3e4r5t6y",
        "aaaaaaaaaaaaaaa",
        "abcdefghijklm",
        "portolan2026!",
        "passwordpassword",
    ] {
        assert!(is_guessable(password, &[]), "{password}");
    }
}

#[test]
fn what_is_known_of_somebody_is_no_password() {
    let about = ["wilhelmina.vanderbeek@harbour-sons.example".to_owned(), "Harbour & Sons".to_owned()];
    for password in
        ["wilhelmina2026", "vanderbeek123!", "Harbour & Sons", "harbour-sons1", "Vanderbeek.Wilhelmina"]
    {
        assert!(is_guessable(password, &about), "{password}");
    }
    assert!(!is_guessable("Vanderbeek.Wilhelmina", &[]), "of somebody else it is as good as any");
}

#[test]
fn words_that_do_not_belong_together_and_chance_can_be_set() {
    for password in
        ["correct horse battery", "copper umbrella nineteen fjord", "x7#Lq0vTz2!m", "kuvulavi-soturi-pensas"]
    {
        assert!(!is_guessable(password, &["owner".to_owned()]), "{password}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_a_password_manager_makes_can_be_set(password in "[a-zA-Z0-9]{16,40}") {
        prop_assert!(!is_guessable(&password, &[]), "{password}");
    }

    #[test]
    fn no_text_is_too_strange_to_be_looked_at(password in "\\PC{12,300}", about in "\\PC{0,40}") {
        is_guessable(&password, &[about]);
    }
}

#[tokio::test]
async fn a_password_that_is_set_is_looked_at_and_one_that_stands_is_not() {
    let passwords = Passwords::cheap(Arc::new(SystemRandom));
    assert_eq!(passwords.hash_new("password1234", &[]).await, Err(PasswordError::Guessable));
    assert_eq!(passwords.hash_new("short", &[]).await, Err(PasswordError::TooShort));
    assert!(
        passwords.hash("password1234").await.is_ok(),
        "it is hashed anew at sign-in with stronger settings"
    );
    assert!(passwords.hash_new("correct horse battery", &[]).await.is_ok());
}
