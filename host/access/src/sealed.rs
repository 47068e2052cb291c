//! Values that rest sealed in the database: XChaCha20-Poly1305, bound to their cell.
//!
//! ```text
//! 1 | master key id (8)  | nonce (24) | ciphertext and tag     wrapped data keys; values of no tenant; values of before data keys
//! 2 | data key id (16)   | nonce (24) | ciphertext and tag     values
//! 3 |                      nonce (24) | ciphertext and tag     values that a key of their own row seals
//! ```
//!
//! The associated data name table, column, tenant, row and key, so that a value copied into another cell
//! does not open there. (Values of before data keys are bound to the first four; rotation seals them anew.)

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use portolan_core::{Random, TenantId};
use sea_orm::prelude::Uuid;
use secrecy::zeroize::Zeroizing;

use crate::key_ring::{KEY_ID_BYTES, KeyRing, MasterKeyId, Purpose};

const BY_MASTER_KEY: u8 = 1;
const BY_DATA_KEY: u8 = 2;
const BY_OWN_KEY: u8 = 3;
const DATA_KEY_BYTES: usize = 32;
const DATA_KEY_ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedCell<'name> {
    pub table: &'name str,
    pub column: &'name str,
    pub tenant: TenantId,
    /// The row's key inside the tenant.
    pub row: &'name str,
}

/// What a sealed value says it was sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedBy {
    MasterKey(MasterKeyId),
    DataKey(Uuid),
}

/// Where a sealed value belongs that no tenant owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HouseCell<'name> {
    pub table: &'name str,
    pub column: &'name str,
    /// The row's key.
    pub row: &'name str,
}

/// Why a value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error(
        "the sealed value was made with the master key {0}, which is not here: restore the key file that belongs to this database"
    )]
    OtherMasterKey(MasterKeyId),
    #[error(
        "the data key {0} of the sealed value is gone: it was erased, or the table tenant_key is of another backup"
    )]
    NoDataKey(Uuid),
    #[error("the sealed value is damaged or was moved from another place")]
    Refused,
    #[error("the value is too large to be sealed")]
    TooLarge,
}

impl SealedBy {
    /// Reads the header; `None` where it is none of ours.
    pub fn of(sealed: &[u8]) -> Option<Self> {
        match sealed.split_first()? {
            (&BY_MASTER_KEY, rest) => {
                Some(Self::MasterKey(MasterKeyId(*rest.first_chunk::<KEY_ID_BYTES>()?)))
            }
            (&BY_DATA_KEY, rest) => {
                Some(Self::DataKey(Uuid::from_bytes(*rest.first_chunk::<DATA_KEY_ID_BYTES>()?)))
            }
            _ => None,
        }
    }

    /// The bytes that stand in front of everything that this key has sealed.
    pub(crate) fn header(self) -> Vec<u8> {
        match self {
            Self::MasterKey(id) => [&[BY_MASTER_KEY][..], &id.0].concat(),
            Self::DataKey(id) => [&[BY_DATA_KEY][..], id.as_bytes()].concat(),
        }
    }
}

impl SealedCell<'_> {
    fn associated_data(&self, key_id: Option<&[u8]>) -> Vec<u8> {
        let tenant = self.tenant.to_string();
        let parts = [self.table, self.column, &tenant, self.row].map(str::as_bytes);
        after_their_lengths(parts.into_iter().chain(key_id))
    }
}

impl HouseCell<'_> {
    fn associated_data(&self, key: MasterKeyId) -> Vec<u8> {
        let parts = ["house", self.table, self.column, self.row].map(str::as_bytes);
        after_their_lengths(parts.into_iter().chain([&key.0[..]]))
    }
}

/// Each part after its length: no two cells have the same bytes.
fn after_their_lengths<'part>(parts: impl Iterator<Item = &'part [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

/// What seals the values of one tenant.
pub(crate) struct DataKey {
    pub id: Uuid,
    key: Zeroizing<[u8; DATA_KEY_BYTES]>,
}

impl DataKey {
    pub fn generate(id: Uuid, random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; DATA_KEY_BYTES]);
        random.fill(&mut *key);
        Self { id, key }
    }

    /// Seals a value for one cell; twice the same value gives different bytes.
    pub fn seal(
        &self,
        cell: SealedCell<'_>,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let associated_data = cell.associated_data(Some(self.id.as_bytes()));
        encrypt(&self.key, SealedBy::DataKey(self.id), &associated_data, plain, random)
    }

    /// Opens a value in its own cell.
    pub fn open(&self, cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let associated_data = cell.associated_data(Some(self.id.as_bytes()));
        decrypt(&self.key, SealedBy::DataKey(self.id), &associated_data, sealed)
    }
}

impl KeyRing {
    /// Wraps a data key with the active master key.
    pub(crate) fn wrap(
        &self,
        tenant: TenantId,
        key: &DataKey,
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        self.with_active_key(|master| {
            let id = master.id();
            let associated_data = wrapped_cell(tenant, &key.id.to_string()).associated_data(Some(&id.0));
            let wrapping = master.derive(Purpose::DataKeys);
            encrypt(wrapping.bytes(), SealedBy::MasterKey(id), &associated_data, &*key.key, random)
        })
    }

    /// The data key that some master key has wrapped.
    pub(crate) fn unwrap(&self, tenant: TenantId, id: Uuid, wrapped: &[u8]) -> Result<DataKey, SealError> {
        let Some(SealedBy::MasterKey(master)) = SealedBy::of(wrapped) else { return Err(SealError::Refused) };
        let opened = self.with_key(master, |key| {
            let associated_data = wrapped_cell(tenant, &id.to_string()).associated_data(Some(&master.0));
            let wrapping = key.derive(Purpose::DataKeys);
            decrypt(wrapping.bytes(), SealedBy::MasterKey(master), &associated_data, wrapped)
        });
        let plain = Zeroizing::new(opened.ok_or(SealError::OtherMasterKey(master))??);
        let key = plain.as_slice().try_into().map_err(|_| SealError::Refused)?;
        Ok(DataKey { id, key: Zeroizing::new(key) })
    }

    /// Seals a value that belongs to no tenant with the active master key.
    pub(crate) fn seal_for_house(
        &self,
        cell: HouseCell<'_>,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        self.with_active_key(|master| {
            let id = master.id();
            let sealing = master.derive(Purpose::HouseValues);
            let by = SealedBy::MasterKey(id);
            encrypt(sealing.bytes(), by, &cell.associated_data(id), plain, random)
        })
    }

    /// Opens such a value in its own cell, whichever master key it says it was sealed with.
    pub(crate) fn open_for_house(&self, cell: HouseCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some(SealedBy::MasterKey(id)) = SealedBy::of(sealed) else { return Err(SealError::Refused) };
        let opened = self.with_key(id, |key| {
            let sealing = key.derive(Purpose::HouseValues);
            decrypt(sealing.bytes(), SealedBy::MasterKey(id), &cell.associated_data(id), sealed)
        });
        opened.ok_or(SealError::OtherMasterKey(id))?
    }

    /// Opens a value that a master key itself has sealed, as all were before tenants had data keys.
    pub(crate) fn open_old(&self, cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let Some(SealedBy::MasterKey(master)) = SealedBy::of(sealed) else { return Err(SealError::Refused) };
        let opened = self.with_key(master, |key| {
            let sealing = key.derive(Purpose::SealedValues);
            decrypt(sealing.bytes(), SealedBy::MasterKey(master), &cell.associated_data(None), sealed)
        });
        opened.ok_or(SealError::OtherMasterKey(master))?
    }

    /// Seals as it was done before tenants had data keys: for tests of what such databases go through.
    #[cfg(any(test, feature = "testing"))]
    pub fn seal_old(
        &self,
        cell: SealedCell<'_>,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        self.with_active_key(|master| {
            let sealing = master.derive(Purpose::SealedValues);
            let by = SealedBy::MasterKey(master.id());
            encrypt(sealing.bytes(), by, &cell.associated_data(None), plain, random)
        })
    }
}

/// Seals a value with a key that its own row holds.
pub(crate) fn seal_with(
    key: &[u8; 32],
    cell: SealedCell<'_>,
    plain: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    encrypt_after(&[BY_OWN_KEY], key, &cell.associated_data(None), plain, random)
}

/// Opens such a value in its own cell.
pub(crate) fn open_with(key: &[u8; 32], cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    decrypt_after(&[BY_OWN_KEY], key, &cell.associated_data(None), sealed)
}

/// The cell of a wrapped data key.
fn wrapped_cell(tenant: TenantId, row: &str) -> SealedCell<'_> {
    SealedCell { table: "tenant_key", column: "wrapped", tenant, row }
}

fn encrypt(
    key: &[u8; 32],
    by: SealedBy,
    associated_data: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    encrypt_after(&by.header(), key, associated_data, plain, random)
}

fn encrypt_after(
    header: &[u8],
    key: &[u8; 32],
    associated_data: &[u8],
    plain: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0_u8; NONCE_BYTES];
    random.fill(&mut nonce);
    let payload = Payload { msg: plain, aad: associated_data };
    let cipher = XChaCha20Poly1305::new(key.into());
    let ciphertext = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::TooLarge)?;
    Ok([header, &nonce, &ciphertext].concat())
}

fn decrypt(
    key: &[u8; 32],
    by: SealedBy,
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    decrypt_after(&by.header(), key, associated_data, sealed)
}

fn decrypt_after(
    header: &[u8],
    key: &[u8; 32],
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let rest = sealed.strip_prefix(header).ok_or(SealError::Refused)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Refused)?;
    let payload = Payload { msg: ciphertext, aad: associated_data };
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Refused)
}

#[cfg(test)]
mod tests;
