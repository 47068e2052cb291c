//! Walking the chain: numbers without a gap, hashes that fit, a head that is the end, anchors that are met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use portolan_db::entity::{audit_event, audit_head};
use portolan_db::{DbError, TenantTx};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::anchor::{Anchor, signers_of, stored_anchors};
use super::chain::{BEGINNING, hash_of};
use crate::key_ring::KeyRing;

/// Events that are read at once.
const BATCH: u64 = 1_000;

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Events that are as they were written, from the first on.
    pub events: i64,
    /// Signed heads that were met among them.
    pub anchors: u64,
    /// Up to here the events are held by a signature.
    pub anchored_seq: Option<i64>,
    /// Keys that sign for this tenant, in hex.
    pub public_keys: Vec<String>,
    /// The first place that does not hold.
    pub broken: Option<Broken>,
}

/// A place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub seq: i64,
    pub fault: Fault,
}

/// What is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The event is missing, though later ones are there.
    Missing,
    /// It does not name the hash of the one before it.
    NotBehind,
    /// It is not what was written.
    Changed,
    /// The head names another end.
    Head,
    /// An anchor has no signature that fits.
    Forged,
    /// An anchor was signed by a key that is none of the tenant's.
    Stranger,
    /// An anchor saw another event here.
    Rewritten,
    /// An anchor saw an event here; the chain ends before.
    CutOff,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match self.fault {
            Fault::Missing => write!(formatter, "event {seq} is missing"),
            Fault::NotBehind => write!(formatter, "event {seq} does not follow the one before it"),
            Fault::Changed => write!(formatter, "event {seq} is not what was written"),
            Fault::Head => write!(formatter, "the chain ends at event {seq}, and its head names another end"),
            Fault::Forged => write!(formatter, "the anchor of event {seq} has no signature that fits"),
            Fault::Stranger => {
                write!(
                    formatter,
                    "the anchor of event {seq} was signed by a key that is none of this company's"
                )
            }
            Fault::Rewritten => {
                write!(
                    formatter,
                    "event {seq} is another one than the anchor saw: everything up to it is in doubt"
                )
            }
            Fault::CutOff => write!(formatter, "event {seq} was signed and is gone: the end was cut off"),
        }
    }
}

/// A walk along the chain, event by event.
pub(super) struct Walk {
    /// The last event that holds, and its hash.
    seq: i64,
    hash: String,
    anchors: BTreeMap<i64, Vec<Anchor>>,
    met: u64,
    anchored_seq: Option<i64>,
}

impl Default for Walk {
    fn default() -> Self {
        Self::behind(0, BEGINNING.to_owned())
    }
}

impl Walk {
    /// Goes on behind an event that is known to hold.
    pub fn behind(seq: i64, hash: String) -> Self {
        Self { seq, hash, anchors: BTreeMap::new(), met: 0, anchored_seq: None }
    }

    /// Looks out for these on the way.
    ///
    /// Errors: one that nobody of `keys` has signed.
    pub fn expecting(anchors: &[Anchor], keys: &BTreeSet<String>) -> Result<Self, Broken> {
        let mut walk = Self::default();
        for anchor in anchors {
            let broken = |fault| Broken { seq: anchor.seq, fault };
            if !anchor.is_signed() {
                return Err(broken(Fault::Forged));
            }
            if !keys.contains(&anchor.public_key) {
                return Err(broken(Fault::Stranger));
            }
            walk.anchors.entry(anchor.seq).or_default().push(anchor.clone());
        }
        Ok(walk)
    }

    /// The next event of the table.
    pub fn step(&mut self, event: &audit_event::Model) -> Result<(), Broken> {
        let next = self.seq + 1;
        if event.seq != next {
            return Err(Broken { seq: next, fault: Fault::Missing });
        }
        let broken = |fault| Err(Broken { seq: next, fault });
        if event.previous_hash != self.hash {
            return broken(Fault::NotBehind);
        }
        if event.hash != hash_of(event) {
            return broken(Fault::Changed);
        }
        for anchor in self.anchors.remove(&next).unwrap_or_default() {
            if anchor.hash != event.hash {
                return broken(Fault::Rewritten);
            }
            self.met += 1;
            self.anchored_seq = Some(next);
        }
        self.seq = next;
        self.hash.clone_from(&event.hash);
        Ok(())
    }

    /// There is no further event.
    pub fn end(&self, head: Option<&audit_head::Model>) -> Result<(), Broken> {
        if let Some(seq) = self.anchors.keys().next() {
            return Err(Broken { seq: *seq, fault: Fault::CutOff });
        }
        let stands = match head {
            Some(head) => head.seq == self.seq && head.hash == self.hash,
            None => self.seq == 0,
        };
        if stands { Ok(()) } else { Err(Broken { seq: self.seq, fault: Fault::Head }) }
    }

    /// Steps along what the transaction sees, to its end or to where it breaks.
    pub async fn read(&mut self, tx: &TenantTx) -> Result<Result<(), Broken>, DbError> {
        loop {
            let events = tx
                .find::<audit_event::Entity>()
                .filter(audit_event::Column::Seq.gt(self.seq))
                .order_by_asc(audit_event::Column::Seq)
                .limit(BATCH)
                .all(tx)
                .await?;
            for event in &events {
                if let Err(broken) = self.step(event) {
                    return Ok(Err(broken));
                }
            }
            if events.is_empty() {
                return Ok(Ok(()));
            }
        }
    }
}

/// Looks at the whole chain of a tenant, in one snapshot, against the anchors that the database keeps and those that were
/// kept elsewhere.
pub async fn verify(tx: &TenantTx, ring: &KeyRing, elsewhere: &[Anchor]) -> Result<Verification, DbError> {
    let public_keys: Vec<String> =
        signers_of(ring, tx).await?.into_iter().map(|signer| signer.public_key).collect();
    let mut anchors = stored_anchors(tx).await?;
    anchors.extend(elsewhere.iter().filter(|anchor| anchor.tenant == tx.tenant()).cloned());
    let head = tx.find::<audit_head::Entity>().one(tx).await?;
    let mut found = Verification { events: 0, anchors: 0, anchored_seq: None, public_keys, broken: None };
    let mut walk = match Walk::expecting(&anchors, &found.public_keys.iter().cloned().collect()) {
        Ok(walk) => walk,
        Err(broken) => return Ok(Verification { broken: Some(broken), ..found }),
    };
    let walked = walk.read(tx).await?;
    found.broken = walked.and_then(|()| walk.end(head.as_ref())).err();
    found.events = walk.seq;
    found.anchors = walk.met;
    found.anchored_seq = walk.anchored_seq;
    Ok(found)
}
