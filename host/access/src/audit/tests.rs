//! Whatever is done to a chain afterwards is found, given its anchors.

use std::collections::BTreeSet;

use portolan_core::{Instant, SeededRandom, TenantId};
use portolan_db::entity::{audit_event, audit_head};
use proptest::prelude::*;
use uuid::Uuid;

use super::chain::{BEGINNING, hash_of};
use super::verify::Walk;
use super::*;

const TENANT: TenantId = TenantId(Uuid::from_u128(7));

/// A chain as its table and its head hold it, and what was signed of it.
#[derive(Clone)]
struct Chain {
    events: Vec<audit_event::Model>,
    head: audit_head::Model,
    anchors: Vec<Anchor>,
    keys: BTreeSet<String>,
}

impl Chain {
    /// `length` events, signed at some of them and at the end.
    fn new(length: usize, signed_every: usize) -> Self {
        let event = |number: usize| audit_event::Model {
            tenant_id: TENANT.0,
            seq: number as i64 + 1,
            at: 1_780_000_000_000_000 + number as i64,
            actor_kind: "person".to_owned(),
            actor_id: Some(Uuid::from_u128(number as u128 % 3)),
            session_id: number.is_multiple_of(2).then(|| Uuid::from_u128(9)),
            action: "sync.start".to_owned(),
            subject_kind: "sync".to_owned(),
            subject_id: format!("{number}"),
            before: None,
            after: Some(format!("{{\"number\":{number}}}")),
            address: "192.0.2.7".to_owned(),
            request_id: format!("{number:016x}"),
            previous_hash: String::new(),
            hash: String::new(),
        };
        let mut chain = Self {
            events: (0..length).map(event).collect(),
            head: audit_head::Model { tenant_id: TENANT.0, seq: 0, hash: BEGINNING.to_owned() },
            anchors: Vec::new(),
            keys: BTreeSet::new(),
        };
        chain.hash_from(0);
        let signer = signer(1);
        chain.keys.insert(signer.public_key.clone());
        let signed = |number: &usize| (number + 1).is_multiple_of(signed_every) || number + 1 == length;
        for number in (0..length).filter(signed) {
            let event = &chain.events[number];
            chain.anchors.push(signer.sign(TENANT, event.seq, &event.hash, Instant(event.at)));
        }
        chain
    }

    /// Numbers and hashes everything anew from there, as whoever owns the database can.
    fn hash_from(&mut self, first: usize) {
        for number in first..self.events.len() {
            let previous = number.checked_sub(1).map(|before| self.events[before].hash.clone());
            let event = &mut self.events[number];
            event.seq = number as i64 + 1;
            event.previous_hash = previous.unwrap_or_else(|| BEGINNING.to_owned());
            event.hash = hash_of(event);
        }
        self.mend_head();
    }

    fn mend_head(&mut self) {
        let last = self.events.last();
        self.head.seq = last.map_or(0, |last| last.seq);
        self.head.hash = last.map_or_else(|| BEGINNING.to_owned(), |last| last.hash.clone());
    }

    fn verify(&self, anchors: &[Anchor]) -> Result<i64, Broken> {
        let mut walk = Walk::expecting(anchors, &self.keys)?;
        // The database gives them in the order of their numbers.
        let mut events: Vec<_> = self.events.iter().collect();
        events.sort_by_key(|event| event.seq);
        events.into_iter().try_for_each(|event| walk.step(event))?;
        walk.end(Some(&self.head))?;
        Ok(self.head.seq)
    }
}

fn signer(seed: u64) -> Signer {
    let mut bytes = [0; 32];
    portolan_core::Random::fill(&SeededRandom::new(seed), &mut bytes);
    Signer::from_seed(&bytes).expect("a seed")
}

/// What somebody with the database in their hands does to it.
#[derive(Debug, Clone)]
enum Tampering {
    Edit { at: usize, field: usize, rehash: bool },
    Delete { at: usize },
    Insert { at: usize },
    Reorder { at: usize, with: usize },
    Truncate { keep: usize },
    HeadOnly,
}

fn tampering(length: usize) -> impl Strategy<Value = (Tampering, bool)> {
    let place = 0..length;
    let change = prop_oneof![
        (place.clone(), 0..12_usize, any::<bool>()).prop_map(|(at, field, rehash)| Tampering::Edit {
            at,
            field,
            rehash
        }),
        place.clone().prop_map(|at| Tampering::Delete { at }),
        place.clone().prop_map(|at| Tampering::Insert { at }),
        (place.clone(), 1..length)
            .prop_map(move |(at, step)| Tampering::Reorder { at, with: (at + step) % length }),
        place.prop_map(|keep| Tampering::Truncate { keep }),
        Just(Tampering::HeadOnly),
    ];
    // And afterwards makes the rest fit, or not.
    (change, any::<bool>())
}

fn edit(event: &mut audit_event::Model, field: usize) {
    match field {
        0 => event.at += 1,
        1 => event.actor_kind.push('x'),
        2 => event.actor_id = None,
        3 => event.session_id = Some(Uuid::from_u128(77)),
        4 => event.action = "sync.cancel".to_owned(),
        5 => event.subject_kind.push('x'),
        6 => event.subject_id.push('x'),
        7 => event.before = Some(String::new()),
        8 => event.after = None,
        9 => event.address.clear(),
        10 => event.request_id.clear(),
        // A letter moves over the border of two fields.
        _ => {
            let moved = event.subject_id.remove(0);
            event.subject_kind.push(moved);
        }
    }
}

fn tamper(chain: &mut Chain, tampering: &Tampering, rechain: bool) {
    let first = match *tampering {
        Tampering::Edit { at, field, rehash } => {
            edit(&mut chain.events[at], field);
            if rehash {
                chain.events[at].hash = hash_of(&chain.events[at]);
            }
            at
        }
        Tampering::Delete { at } => {
            chain.events.remove(at);
            at
        }
        Tampering::Insert { at } => {
            let mut added = chain.events[at].clone();
            added.subject_id = "invented".to_owned();
            added.hash = hash_of(&added);
            chain.events[at..].iter_mut().for_each(|event| event.seq += 1);
            chain.events.insert(at, added);
            at
        }
        Tampering::Reorder { at, with } => {
            let (one, other) = (chain.events[at].seq, chain.events[with].seq);
            chain.events.swap(at, with);
            chain.events[at].seq = one;
            chain.events[with].seq = other;
            at.min(with)
        }
        Tampering::Truncate { keep } => {
            chain.events.truncate(keep);
            keep
        }
        Tampering::HeadOnly => {
            chain.head.seq += 1;
            chain.events.len()
        }
    };
    if rechain && !matches!(tampering, Tampering::HeadOnly) {
        chain.hash_from(first);
    }
}

const LENGTH: usize = 24;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn whatever_is_done_to_a_chain_is_found_by_its_anchors(
        (tampering, rechain) in tampering(LENGTH),
        signed_every in 1..=LENGTH,
    ) {
        let mut chain = Chain::new(LENGTH, signed_every);
        prop_assert_eq!(chain.verify(&chain.anchors), Ok(LENGTH as i64));
        tamper(&mut chain, &tampering, rechain);
        prop_assert!(chain.verify(&chain.anchors).is_err(), "{:?}, hashed anew: {}", tampering, rechain);
    }

    #[test]
    fn an_anchor_that_was_changed_is_no_anchor(at in 0..6_usize, seq in 1..100_i64) {
        let mut anchor = signer(1).sign(TENANT, seq, BEGINNING, Instant(5));
        prop_assert!(anchor.is_signed());
        prop_assert_eq!(Anchor::parse(&anchor.to_line()), Some(anchor.clone()));
        match at {
            0 => anchor.tenant = TenantId(Uuid::from_u128(8)),
            1 => anchor.seq += 1,
            2 => anchor.hash.replace_range(0..1, "1"),
            3 => anchor.at = Instant(6),
            4 => anchor.public_key = signer(2).public_key,
            _ => anchor.signature.replace_range(0..2, if anchor.signature.starts_with("00") { "01" } else { "00" }),
        }
        prop_assert!(!anchor.is_signed());
    }
}

#[test]
fn without_anchors_only_what_was_not_hashed_anew_is_found() {
    let mut chain = Chain::new(LENGTH, 1);
    tamper(&mut chain, &Tampering::Edit { at: 3, field: 4, rehash: false }, false);
    assert_eq!(chain.verify(&[]), Err(Broken { seq: 4, fault: Fault::Changed }));
    tamper(&mut chain, &Tampering::Edit { at: 3, field: 9, rehash: false }, true);
    assert_eq!(chain.verify(&[]), Ok(LENGTH as i64), "this is what anchors are for");
    assert_eq!(chain.verify(&chain.anchors), Err(Broken { seq: 4, fault: Fault::Rewritten }));
}

#[test]
fn the_first_broken_place_is_named() {
    let broken = |change: &dyn Fn(&mut Chain)| {
        let mut chain = Chain::new(LENGTH, 8);
        change(&mut chain);
        chain.verify(&chain.anchors).expect_err("broken")
    };
    let gone = broken(&|chain| drop(chain.events.remove(4)));
    assert_eq!(gone, Broken { seq: 5, fault: Fault::Missing });
    let cut = broken(&|chain| tamper(chain, &Tampering::Truncate { keep: 10 }, true));
    assert_eq!(cut, Broken { seq: 16, fault: Fault::CutOff });
    let head = broken(&|chain| chain.head.hash = BEGINNING.to_owned());
    assert_eq!(head, Broken { seq: LENGTH as i64, fault: Fault::Head });
    let stranger = broken(&|chain| {
        tamper(chain, &Tampering::Edit { at: 0, field: 0, rehash: true }, true);
        let forger = signer(2);
        let sign = |anchor: &Anchor| {
            let event = &chain.events[anchor.seq as usize - 1];
            forger.sign(TENANT, event.seq, &event.hash, anchor.at)
        };
        chain.anchors = chain.anchors.iter().map(sign).collect();
    });
    assert_eq!(stranger, Broken { seq: 8, fault: Fault::Stranger });
}
