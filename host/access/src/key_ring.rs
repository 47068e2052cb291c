//! The key ring: one master key outside the database, one derived key per purpose, values sealed
//! to the very row and column that hold them.
//!
//! Losing the master key loses every secret; whoever has it and the database has them all. It lies
//! in a file of its own, readable by the server alone, and belongs into a backup of its own.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use portolan_core::{Random, TenantId};
use sha2::Sha256;

const FORMAT_VERSION: u8 = 1;
const KEY_ID: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// What a derived key is for: one leaked key opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Seals secrets of connections.
    Sealing,
    /// Authenticates compiled plugins on disk.
    PluginCache,
    /// Signs page cursors.
    Cursor,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Sealing => b"portolan sealing 1",
            Self::PluginCache => b"portolan plugin cache 1",
            Self::Cursor => b"portolan cursor 1",
        }
    }
}

/// Which cell a sealed value belongs to: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct SealedCell<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub tenant: TenantId,
    pub row: &'a str,
}

impl SealedCell<'_> {
    fn associated_data(&self) -> Vec<u8> {
        // Lengths keep two different cells from spelling the same bytes.
        let tenant = self.tenant.to_string();
        let mut data = vec![FORMAT_VERSION, KEY_ID];
        for part in [self.table, self.column, &tenant, self.row] {
            data.extend((part.len() as u64).to_le_bytes());
            data.extend(part.as_bytes());
        }
        data
    }
}

/// What can go wrong with keys and sealed values.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the master key {path} cannot be read or written: {source}")]
    Storage { path: String, source: std::io::Error },
    #[error(
        "the master key {path} is damaged: restore it from its backup; without it no secret can be opened"
    )]
    Damaged { path: String },
    #[error(
        "a sealed value does not open: it was changed, moved to another row, or sealed under another master key"
    )]
    Sealed,
}

/// Holds the master key; hands out derived keys.
pub struct KeyRing {
    master: [u8; KEY_BYTES],
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyRing(…)")
    }
}

impl KeyRing {
    pub fn from_master_key(master: [u8; KEY_BYTES]) -> Self {
        Self { master }
    }

    /// Reads the master key, or creates it on the first start, readable by the owner alone.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let storage = |source| KeyError::Storage { path: path.display().to_string(), source };
        if !path.exists() {
            let mut master = [0_u8; KEY_BYTES];
            random.fill(&mut master);
            write_key_file(path, &master).map_err(storage)?;
            tracing::warn!(
                path = %path.display(),
                "created the master key: keep a copy of this file apart from the database; without it no secret can be opened"
            );
            return Ok(Self { master });
        }
        let text = fs::read_to_string(path).map_err(storage)?;
        let master =
            parse_hex(text.trim()).ok_or_else(|| KeyError::Damaged { path: path.display().to_string() })?;
        Ok(Self { master })
    }

    /// The key for one purpose.
    pub fn derive(&self, purpose: Purpose) -> [u8; KEY_BYTES] {
        self.mac(purpose.label()).into()
    }

    fn mac(&self, label: &[u8]) -> hmac::digest::Output<Sha256> {
        // HMAC takes keys of any length: the slice is never refused.
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.master).expect("any key length");
        mac.update(label);
        mac.finalize().into_bytes()
    }

    /// Seals a value for one cell: version, key id, nonce, ciphertext.
    pub fn seal(&self, cell: SealedCell<'_>, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        random.fill(&mut nonce);
        let data = cell.associated_data();
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &data })
            .map_err(|_| KeyError::Sealed)?;
        let mut sealed = vec![FORMAT_VERSION, KEY_ID];
        sealed.extend(nonce);
        sealed.extend(ciphertext);
        Ok(sealed)
    }

    /// Opens a value that was sealed for this very cell.
    pub fn open(&self, cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let rest = sealed.strip_prefix(&[FORMAT_VERSION, KEY_ID]).ok_or(KeyError::Sealed)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES).ok_or(KeyError::Sealed)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| KeyError::Sealed)?;
        let data = cell.associated_data();
        self.cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad: &data })
            .map_err(|_| KeyError::Sealed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive(Purpose::Sealing).into())
    }
}

fn write_key_file(path: &Path, master: &[u8; KEY_BYTES]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(crate::token::hex(master).as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn parse_hex(text: &str) -> Option<[u8; KEY_BYTES]> {
    if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
        return None;
    }
    let mut key = [0_u8; KEY_BYTES];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use portolan_core::SeededRandom;
    use uuid::Uuid;

    use super::*;

    fn cell(row: &str) -> SealedCell<'_> {
        SealedCell { table: "connection_secret", column: "sealed", tenant: TenantId(Uuid::nil()), row }
    }

    #[test]
    fn a_sealed_value_opens_in_its_own_cell_only() {
        let (ring, random) = (KeyRing::from_master_key([7; 32]), SeededRandom::new(1));
        let sealed = ring.seal(cell("a"), b"shpat_secret", &random).expect("seal");
        assert_eq!(ring.open(cell("a"), &sealed).expect("open"), b"shpat_secret");
        assert!(matches!(ring.open(cell("b"), &sealed), Err(KeyError::Sealed)));
        assert!(matches!(KeyRing::from_master_key([8; 32]).open(cell("a"), &sealed), Err(KeyError::Sealed)));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (ring, random) = (KeyRing::from_master_key([7; 32]), SeededRandom::new(1));
        let sealed = ring.seal(cell("a"), b"secret", &random).expect("seal");
        for index in 0..sealed.len() {
            let mut tampered = sealed.clone();
            tampered[index] ^= 1;
            assert!(ring.open(cell("a"), &tampered).is_err(), "byte {index}");
            assert!(ring.open(cell("a"), &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn the_master_key_is_created_once_and_read_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("keys/master.key");
        let random = SeededRandom::new(3);
        let first = KeyRing::load_or_create(&path, &random).expect("create");
        let again = KeyRing::load_or_create(&path, &random).expect("read");
        assert_eq!(first.derive(Purpose::PluginCache), again.derive(Purpose::PluginCache));
        assert_ne!(first.derive(Purpose::PluginCache), first.derive(Purpose::Cursor));
        assert_eq!(fs::metadata(&path).expect("metadata").permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short").expect("write");
        assert!(matches!(KeyRing::load_or_create(&path, &random), Err(KeyError::Damaged { .. })));
    }
}
