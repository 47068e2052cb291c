//! Customers of a shop under pseudonyms, and the key that each of them has of their own.
//!
//! A pseudonym is a keyed hash of connection and channel's id: the same customer always has the same one, and nobody
//! without the tenant's pseudonym key can tell whose it is. That key stays for ever (with another one each customer would
//! become two); rotation seals it anew like any secret. What is personal is sealed with the person's own key: once that is
//! gone it opens nowhere, in no copy of the database that was made afterwards.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use portolan_core::{Clock, ConnectionId, Random, id};
use portolan_db::entity::pseudonym_key;
use portolan_db::{DbError, TenantTx};
use ring::hmac;
use sea_orm::IntoActiveModel;
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use crate::key_ring::KeyRing;
use crate::sealed::{SealError, SealedCell, open_with, seal_with};
use crate::secrets::{PERSON_KEY, PSEUDONYM_KEY, SecretsError, TenantKeys};

const KEY_BYTES: usize = 32;
/// Of the hash: two of a billion customers share one with a probability of one in 10^20.
const PSEUDONYM_BYTES: usize = 16;
/// How often key and value are read until they are of one moment.
const LOOKS: u32 = 3;
/// What every pseudonym begins with.
pub const PSEUDONYM_PREFIX: &str = "p_";
/// Says what the derived key is for; another use would have another label.
const LABEL: &[u8] = b"portolan v1 pseudonyms of customers";

/// The key that a tenant's pseudonyms are made with.
pub struct PseudonymKey(hmac::Key);

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PseudonymKey(…)")
    }
}

impl PseudonymKey {
    /// The tenant's; none where no customer has a pseudonym yet.
    ///
    /// Errors: it does not open. Another one is never made in its place: every customer would become two.
    pub async fn load(ring: &KeyRing, tx: &TenantTx) -> Result<Option<Self>, SecretsError> {
        let mut looks = 0;
        loop {
            looks += 1;
            let row = tx.find::<pseudonym_key::Entity>().one(tx).await.map_err(DbError::from)?;
            let Some(row) = row else { return Ok(None) };
            let keys = TenantKeys::load(ring, tx).await?;
            let name = row.id.to_string();
            match keys.open(PSEUDONYM_KEY.cell(tx.tenant(), &name), &row.sealed).map(Zeroizing::new) {
                Ok(seed) => return Ok(Some(Self::from_seed(&seed))),
                // In a transaction that writes, a rotation may have passed between the two reads.
                Err(SealError::NoDataKey(_)) if looks < LOOKS => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The tenant's, made where there is none. Another transaction may make it at the same moment: one of them counts.
    pub async fn load_or_make(
        ring: &KeyRing,
        tx: &TenantTx,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, SecretsError> {
        if let Some(key) = Self::load(ring, tx).await? {
            return Ok(key);
        }
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        random.fill(&mut *seed);
        let id = id::new_uuid(clock, random);
        let keys = TenantKeys::load_to_seal(ring, tx, clock, random).await?;
        let sealed = keys.seal(PSEUDONYM_KEY.cell(tx.tenant(), &id.to_string()), &*seed, random)?;
        let row = pseudonym_key::Model { tenant_id: tx.tenant().0, id, sealed, created_at: clock.now().0 };
        tx.insert_many_on_conflict_do_nothing(vec![row.into_active_model()]).await?;
        Self::load(ring, tx).await?.ok_or_else(|| SealError::Refused.into())
    }

    pub(crate) fn from_seed(seed: &[u8]) -> Self {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, seed).expand(LABEL, &mut *derived).expect("at most 255 blocks of output");
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*derived))
    }

    /// The key of a seed that a test knows.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(seed: &[u8; KEY_BYTES]) -> Self {
        Self::from_seed(seed)
    }

    /// What stands for a customer of a connection, by the channel's id in its canonical form.
    pub fn pseudonym(&self, connection: ConnectionId, customer_id: &str) -> String {
        // The connection's id has one length: no two pairs have the same bytes.
        let mut hash = hmac::Context::with_key(&self.0);
        hash.update(connection.0.as_bytes());
        hash.update(customer_id.as_bytes());
        let tag = hash.sign();
        format!("{PSEUDONYM_PREFIX}{}", URL_SAFE_NO_PAD.encode(&tag.as_ref()[..PSEUDONYM_BYTES]))
    }
}

/// A person's own key. Wiped when it goes away.
pub struct PersonKey(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for PersonKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PersonKey(…)")
    }
}

impl PersonKey {
    pub fn generate(random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random.fill(&mut *key);
        Self(key)
    }

    /// As it rests: sealed with the tenant's newest key, in its person's row alone.
    pub fn seal_self(
        &self,
        keys: &TenantKeys<'_>,
        person: SealedPerson<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        keys.seal(PERSON_KEY.cell(person.tenant, person.row), &*self.0, random)
    }

    pub fn open_self(
        keys: &TenantKeys<'_>,
        person: SealedPerson<'_>,
        sealed: &[u8],
    ) -> Result<Self, SealError> {
        let plain = Zeroizing::new(keys.open(PERSON_KEY.cell(person.tenant, person.row), sealed)?);
        let key: [u8; KEY_BYTES] = plain.as_slice().try_into().map_err(|_| SealError::Refused)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Seals who the person is.
    pub fn seal_identity(
        &self,
        person: SealedPerson<'_>,
        identity: &str,
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        seal_with(&self.0, person.identity(), identity.as_bytes(), random)
    }

    pub fn open_identity(&self, person: SealedPerson<'_>, sealed: &[u8]) -> Result<String, SealError> {
        let plain = open_with(&self.0, person.identity(), sealed)?;
        String::from_utf8(plain).map_err(|_| SealError::Refused)
    }
}

/// The row of a person, to which what is sealed in it is bound.
#[derive(Debug, Clone, Copy)]
pub struct SealedPerson<'name> {
    pub tenant: portolan_core::TenantId,
    /// The person's id as text.
    pub row: &'name str,
}

impl<'name> SealedPerson<'name> {
    fn identity(self) -> SealedCell<'name> {
        SealedCell { table: "person", column: "identity_sealed", tenant: self.tenant, row: self.row }
    }
}

#[cfg(test)]
mod tests;
