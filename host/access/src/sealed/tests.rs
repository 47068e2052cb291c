use portolan_core::{ManualClock, SeededRandom, SystemRandom, TenantId, UserId};
use sea_orm::prelude::Uuid;
use tempfile::TempDir;

use super::{DataKey, SealError, SealedBy, SealedCell};
use crate::KeyRing;

fn ring() -> KeyRing {
    let folder = TempDir::new().expect("folder");
    KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("key")
}

fn id(seed: u64) -> Uuid {
    UserId::generate(&ManualClock::default(), &SeededRandom::new(seed)).0
}

fn tenant(seed: u64) -> TenantId {
    TenantId(id(seed))
}

fn data_key(seed: u64) -> DataKey {
    DataKey::generate(id(seed), &SystemRandom)
}

fn cell(tenant: TenantId) -> SealedCell<'static> {
    SealedCell { table: "connection_secret", column: "sealed", tenant, row: "a/token" }
}

fn elsewhere() -> [SealedCell<'static>; 5] {
    let own = cell(tenant(1));
    [
        SealedCell { table: "session", ..own },
        SealedCell { column: "config", ..own },
        SealedCell { tenant: tenant(2), ..own },
        SealedCell { row: "b/token", ..own },
        // The parts joined are the same text; the cells are not.
        SealedCell { table: "connection_secrets", column: "ealed", ..own },
    ]
}

#[test]
fn a_value_opens_in_its_own_cell() {
    let key = data_key(7);
    for plain in [&b""[..], b"shpat_secret", &[7; 10_000]] {
        let sealed = key.seal(cell(tenant(1)), plain, &SystemRandom).expect("seal");
        assert_eq!(key.open(cell(tenant(1)), &sealed).expect("open"), plain);
        assert_eq!(SealedBy::of(&sealed), Some(SealedBy::DataKey(key.id)));
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|window| window == plain));
    }
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let key = data_key(7);
    let seal = || key.seal(cell(tenant(1)), b"same", &SystemRandom).expect("seal");
    assert_ne!(seal(), seal());
}

#[test]
fn a_moved_value_is_refused() {
    let (key, ring) = (data_key(7), ring());
    let sealed = key.seal(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    let old = ring.seal_old(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    for cell in elsewhere() {
        assert_eq!(key.open(cell, &sealed), Err(SealError::Refused), "{cell:?}");
        assert_eq!(ring.open_old(cell, &old), Err(SealError::Refused), "{cell:?}");
    }
}

/// The key's id is part of what is sealed: the same key under another name opens nothing.
#[test]
fn a_value_is_bound_to_the_name_of_its_key() {
    let key = data_key(7);
    let renamed = DataKey { id: id(8), key: key.key.clone() };
    let mut sealed = key.seal(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    assert_eq!(renamed.open(cell(tenant(1)), &sealed), Err(SealError::Refused));
    sealed[1..17].copy_from_slice(renamed.id.as_bytes());
    assert_eq!(renamed.open(cell(tenant(1)), &sealed), Err(SealError::Refused));
}

#[test]
fn every_changed_byte_is_noticed() {
    let key = data_key(7);
    let sealed = key.seal(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(key.open(cell(tenant(1)), &changed).is_err(), "byte {index}");
    }
    for length in 0..sealed.len() {
        assert!(key.open(cell(tenant(1)), &sealed[..length]).is_err(), "length {length}");
    }
}

#[test]
fn a_wrapped_key_opens_for_its_own_tenant_and_name() {
    let (ring, key) = (ring(), data_key(7));
    let wrapped = ring.wrap(tenant(1), &key, &SystemRandom).expect("wrap");
    let again = ring.unwrap(tenant(1), key.id, &wrapped).expect("unwrap");
    assert_eq!(again.key, key.key);
    assert!(!wrapped.windows(8).any(|window| key.key.windows(8).any(|part| part == window)));
    assert!(ring.unwrap(tenant(2), key.id, &wrapped).is_err());
    assert!(ring.unwrap(tenant(1), id(8), &wrapped).is_err());
    for index in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[index] ^= 1;
        assert!(ring.unwrap(tenant(1), key.id, &changed).is_err(), "byte {index}");
    }
}

#[test]
fn another_master_key_is_named_as_the_cause() {
    let (ours, theirs) = (ring(), ring());
    let sealed = theirs.seal_old(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    let missing = SealError::OtherMasterKey(theirs.active_id());
    assert_eq!(ours.open_old(cell(tenant(1)), &sealed), Err(missing.clone()));
    let wrapped = theirs.wrap(tenant(1), &data_key(7), &SystemRandom).expect("wrap");
    assert_eq!(ours.unwrap(tenant(1), id(7), &wrapped).err(), Some(missing));
}

/// Bytes that the first version sealed, computed independently (Python, RFC draft-irtf-cfrg-xchacha-03):
/// master key 00..1f, nonce 00..17. They open for ever.
#[test]
fn a_value_of_the_first_version_opens() {
    let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let folder = TempDir::new().expect("folder");
    let ring = KeyRing::load_or_create(folder.path(), Some(text), &SystemRandom).expect("ring");
    let tenant = TenantId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    let sealed = from_hex(include_str!("first_version.hex").trim());
    assert_eq!(ring.open_old(cell(tenant), &sealed).expect("open"), b"open-sesame");
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex"))
        .collect()
}
