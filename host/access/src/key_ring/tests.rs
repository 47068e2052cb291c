use std::os::unix::fs::PermissionsExt;

use portolan_core::SystemRandom;
use tempfile::TempDir;

use super::{FILE_NAME, KeyRing, KeyRingError, Purpose};

#[test]
fn the_key_is_made_once_and_found_again() {
    let folder = TempDir::new().expect("folder");
    let first = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let second = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("found");
    assert_eq!(first.key_id(), second.key_id());
    let mode = std::fs::metadata(folder.path().join(FILE_NAME)).expect("file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = TempDir::new().expect("folder");
    let other = KeyRing::load_or_create(other.path(), None, &SystemRandom).expect("made");
    assert_ne!(first.key_id(), other.key_id());
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = TempDir::new().expect("folder");
    KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let path = folder.path().join(FILE_NAME);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("chmod");
    let refused = KeyRing::load_or_create(folder.path(), None, &SystemRandom);
    assert!(matches!(refused, Err(KeyRingError::Exposed(_))), "{refused:?}");
}

#[test]
fn a_damaged_key_is_refused_and_never_written_over() {
    let folder = TempDir::new().expect("folder");
    KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let path = folder.path().join(FILE_NAME);
    for damaged in ["", "# only words\n", "c2hvcnQ=\n"] {
        std::fs::write(&path, damaged).expect("damage");
        let refused = KeyRing::load_or_create(folder.path(), None, &SystemRandom);
        assert!(matches!(refused, Err(KeyRingError::Malformed(_))), "{refused:?}");
        assert_eq!(std::fs::read_to_string(&path).expect("file"), damaged);
    }
}

#[test]
fn the_environment_goes_before_the_file() {
    let folder = TempDir::new().expect("folder");
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let ring =
        KeyRing::load_or_create(folder.path(), Some(text), &SystemRandom).expect("from the environment");
    assert!(!folder.path().join(FILE_NAME).exists());
    assert!(KeyRing::load_or_create(folder.path(), Some("nonsense"), &SystemRandom).is_err());
    // Sealed values must open after every upgrade: derived keys never change.
    // Computed independently: HKDF-SHA256, no salt, over bytes 0 to 31.
    let hex: String = ring.derive(Purpose::SealedValues).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "7f12d506092803b703023ee86088907981461023c2ef98aea251beae27c05c7b");
}

#[test]
fn each_purpose_has_its_own_key() {
    let folder = TempDir::new().expect("folder");
    let ring = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let keys =
        [Purpose::SealedValues, Purpose::PluginCache, Purpose::Cursor].map(|purpose| ring.derive(purpose));
    assert_ne!(keys[0].bytes(), keys[1].bytes());
    assert_ne!(keys[1].bytes(), keys[2].bytes());
    assert_ne!(keys[0].bytes(), keys[2].bytes());
}
