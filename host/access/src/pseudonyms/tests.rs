use std::collections::HashSet;

use portolan_core::id::new_uuid;
use portolan_core::{SystemClock, SystemRandom, TenantId};
use proptest::prelude::*;

use super::*;

fn connection() -> ConnectionId {
    ConnectionId(new_uuid(&SystemClock, &SystemRandom))
}

proptest! {
    #[test]
    fn a_pseudonym_is_of_its_id_its_connection_and_its_key(seed in any::<[u8; 32]>(), other in any::<[u8; 32]>(),
        left in ".{1,40}", right in ".{1,40}") {
        prop_assume!(seed != other && left != right);
        let (key, harbour, market) = (PseudonymKey::from_seed(&seed), connection(), connection());
        let pseudonym = key.pseudonym(harbour, &left);
        prop_assert_eq!(&pseudonym, &PseudonymKey::from_seed(&seed).pseudonym(harbour, &left));
        prop_assert!(pseudonym.starts_with(PSEUDONYM_PREFIX) && pseudonym.len() == 24);
        prop_assert!(pseudonym.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        let others = [
            key.pseudonym(harbour, &right),
            key.pseudonym(market, &left),
            PseudonymKey::from_seed(&other).pseudonym(harbour, &left),
        ];
        prop_assert!(others.iter().all(|other| *other != pseudonym));
    }

    #[test]
    fn an_identity_opens_with_its_persons_key_in_its_persons_row_alone(identity in ".{0,60}", place in 0_usize..200) {
        let (key, stranger) = (PersonKey::generate(&SystemRandom), PersonKey::generate(&SystemRandom));
        let tenant = TenantId(new_uuid(&SystemClock, &SystemRandom));
        let (here, there) = (SealedPerson { tenant, row: "1" }, SealedPerson { tenant, row: "2" });
        let sealed = key.seal_identity(here, &identity, &SystemRandom).expect("sealed");
        prop_assert_eq!(key.open_identity(here, &sealed), Ok(identity));
        prop_assert_eq!(key.open_identity(there, &sealed), Err(SealError::Refused));
        prop_assert_eq!(stranger.open_identity(here, &sealed), Err(SealError::Refused));
        let mut damaged = sealed.clone();
        let place = place % damaged.len();
        damaged[place] ^= 1;
        prop_assert_eq!(key.open_identity(here, &damaged), Err(SealError::Refused));
    }
}

#[test]
fn many_customers_have_many_pseudonyms() {
    let (key, connection) = (PseudonymKey::from_seed(&[7; 32]), connection());
    let all: HashSet<String> = (0..20_000).map(|id| key.pseudonym(connection, &id.to_string())).collect();
    assert_eq!(all.len(), 20_000);
}
