//! Values that rest sealed in the database: XChaCha20-Poly1305, bound to their cell.
//!
//! `version (1) | key id (8) | nonce (24) | ciphertext and tag`. The associated data name table, column,
//! tenant and row, so that a value copied into another cell does not open there.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use portolan_core::{Random, TenantId};

use crate::key_ring::{KeyRing, Purpose};

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedCell<'name> {
    pub table: &'name str,
    pub column: &'name str,
    pub tenant: TenantId,
    /// The row's key inside the tenant.
    pub row: &'name str,
}

/// Why a value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error(
        "the sealed value was made with another master key: restore the key file that belongs to this database"
    )]
    OtherKey,
    #[error("the sealed value is damaged or was moved from another place")]
    Refused,
    #[error("the value is too large to be sealed")]
    TooLarge,
}

impl SealedCell<'_> {
    /// Each part after its length: no two cells have the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        let tenant = self.tenant.to_string();
        let mut bytes = Vec::new();
        for part in [self.table, self.column, &tenant, self.row] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl KeyRing {
    /// Seals a value for one cell; twice the same value gives different bytes.
    pub fn seal(
        &self,
        cell: SealedCell<'_>,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        random.fill(&mut nonce);
        let associated_data = cell.associated_data();
        let payload = Payload { msg: plain, aad: &associated_data };
        let ciphertext =
            self.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::TooLarge)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens a value in its own cell.
    pub fn open(&self, cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (header, ciphertext) = sealed.split_at_checked(HEADER_BYTES).ok_or(SealError::Refused)?;
        let (version, rest) = header.split_at(1);
        let (key_id, nonce) = rest.split_at(KEY_ID_BYTES);
        if version != [VERSION] {
            return Err(SealError::Refused);
        }
        if key_id != self.key_id() {
            return Err(SealError::OtherKey);
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Refused)?;
        let associated_data = cell.associated_data();
        let payload = Payload { msg: ciphertext, aad: &associated_data };
        self.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Refused)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.derive(Purpose::SealedValues).bytes().into())
    }
}

#[cfg(test)]
mod tests;
