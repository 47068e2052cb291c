use std::os::unix::fs::PermissionsExt;

use portolan_core::SystemRandom;
use tempfile::TempDir;

use super::{FILE_NAME, KeyRing, KeyRingError, MasterKeyId, Purpose};

#[test]
fn the_key_is_made_once_and_found_again() {
    let folder = TempDir::new().expect("folder");
    let first = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let second = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("found");
    assert_eq!(first.active_id(), second.active_id());
    let mode = std::fs::metadata(folder.path().join(FILE_NAME)).expect("file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = TempDir::new().expect("folder");
    let other = KeyRing::load_or_create(other.path(), None, &SystemRandom).expect("made");
    assert_ne!(first.active_id(), other.active_id());
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
    let whole = std::fs::read_to_string(&path).expect("file");
    let one_more = format!("{whole}c2hvcnQ=\n");
    for damaged in ["", "# only words\n", "c2hvcnQ=\n", &one_more] {
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
    let keys = [Purpose::SealedValues, Purpose::DataKeys, Purpose::PluginCache, Purpose::Cursor]
        .map(|purpose| *ring.derive(purpose).bytes());
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
}

#[test]
fn a_new_key_goes_above_and_an_old_one_goes_only_by_its_name() {
    let folder = TempDir::new().expect("folder");
    let ring = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let elsewhere = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("found");
    let old = ring.active_id();
    let cursor = *ring.derive(Purpose::Cursor).bytes();
    let new = ring.add_key(&SystemRandom).expect("added");
    assert_eq!(ring.ids(), [new, old]);
    assert_eq!(elsewhere.ids(), [old], "another process has not looked yet");
    assert!(elsewhere.with_key(new, |_| ()).is_some(), "it looks when it meets the key");
    assert_eq!(elsewhere.ids(), [new, old]);
    assert_eq!(*ring.derive_all(Purpose::Cursor)[1].bytes(), cursor, "what the old one made is still ours");
    let mode = std::fs::metadata(folder.path().join(FILE_NAME)).expect("file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    assert!(matches!(ring.remove_key(new), Err(KeyRingError::Active(id)) if id == new));
    elsewhere.remove_key(old).expect("removed");
    assert!(matches!(ring.remove_key(old), Err(KeyRingError::Unknown(id)) if id == old));
    ring.reload().expect("reload");
    assert_eq!(ring.ids(), [new]);
    assert_eq!(new.to_string().parse(), Ok(new));
    for wrong in ["", "12", "+123456789abcdef", &format!("{new}0")] {
        assert!(wrong.parse::<MasterKeyId>().is_err(), "{wrong}");
    }
}

/// Two processes that each put a key in: both stay.
#[test]
fn no_key_is_lost_when_two_are_added_at_once() {
    let folder = TempDir::new().expect("folder");
    KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("made");
    let added: Vec<MasterKeyId> = std::thread::scope(|scope| {
        let adding: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let ring = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("found");
                    ring.add_key(&SystemRandom).expect("added");
                    ring.active_id()
                })
            })
            .collect();
        adding.into_iter().map(|thread| thread.join().expect("thread")).collect()
    });
    let ring = KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("found");
    assert_eq!(ring.ids().len(), 9);
    assert!(added.iter().all(|id| ring.ids().contains(id)));
}

#[test]
fn keys_of_the_environment_are_the_operators_to_change() {
    let folder = TempDir::new().expect("folder");
    let old = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let both = format!("{}\n{old}\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let before = KeyRing::load_or_create(folder.path(), Some(old), &SystemRandom).expect("one");
    let ring = KeyRing::load_or_create(folder.path(), Some(&both), &SystemRandom).expect("two");
    assert_eq!(ring.ids()[1], before.active_id());
    let refused = ring.add_key(&SystemRandom).expect_err("not ours to change");
    assert!(refused.to_string().contains("PORTOLAN_MASTER_KEY"), "{refused}");
}
