use portolan_core::{SeededRandom, SystemRandom, TenantId, UserId};
use tempfile::TempDir;

use super::{SealError, SealedCell};
use crate::KeyRing;

fn ring() -> KeyRing {
    let folder = TempDir::new().expect("folder");
    KeyRing::load_or_create(folder.path(), None, &SystemRandom).expect("key")
}

fn tenant(seed: u64) -> TenantId {
    let id = UserId::generate(&portolan_core::ManualClock::default(), &SeededRandom::new(seed));
    TenantId(id.0)
}

fn cell(tenant: TenantId) -> SealedCell<'static> {
    SealedCell { table: "connection_secret", column: "sealed", tenant, row: "a/token" }
}

#[test]
fn a_value_opens_in_its_own_cell() {
    let ring = ring();
    for plain in [&b""[..], b"shpat_secret", &[7; 10_000]] {
        let sealed = ring.seal(cell(tenant(1)), plain, &SystemRandom).expect("seal");
        assert_eq!(ring.open(cell(tenant(1)), &sealed).expect("open"), plain);
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|window| window == plain));
    }
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let ring = ring();
    let seal = || ring.seal(cell(tenant(1)), b"same", &SystemRandom).expect("seal");
    assert_ne!(seal(), seal());
}

#[test]
fn a_moved_value_is_refused() {
    let ring = ring();
    let own = cell(tenant(1));
    let sealed = ring.seal(own, b"secret", &SystemRandom).expect("seal");
    let elsewhere = [
        SealedCell { table: "session", ..own },
        SealedCell { column: "config", ..own },
        SealedCell { tenant: tenant(2), ..own },
        SealedCell { row: "b/token", ..own },
        // The parts joined are the same text; the cells are not.
        SealedCell { table: "connection_secrets", column: "ealed", ..own },
    ];
    for cell in elsewhere {
        assert_eq!(ring.open(cell, &sealed), Err(SealError::Refused), "{cell:?}");
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let ring = ring();
    let sealed = ring.seal(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(ring.open(cell(tenant(1)), &changed).is_err(), "byte {index}");
    }
    for length in 0..sealed.len() {
        assert!(ring.open(cell(tenant(1)), &sealed[..length]).is_err(), "length {length}");
    }
}

#[test]
fn another_master_key_is_named_as_the_cause() {
    let sealed = ring().seal(cell(tenant(1)), b"secret", &SystemRandom).expect("seal");
    assert_eq!(ring().open(cell(tenant(1)), &sealed), Err(SealError::OtherKey));
}
