//! The master keys and the keys made from them, one per purpose.
//!
//! One master key is active: what is new is done with it. Older ones are kept, to read what they have sealed,
//! until nothing needs them. They stand in a file (or in the environment), never in the database.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hkdf::Hkdf;
use portolan_core::{Random, hex};
use secrecy::zeroize::{Zeroize, Zeroizing};
use sha2::Sha256;

mod key_file;

const FILE_NAME: &str = "master.key";
const KEY_BYTES: usize = 32;
pub(crate) const KEY_ID_BYTES: usize = 8;

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Values that were sealed before tenants had data keys.
    SealedValues,
    /// Wraps the data keys of tenants.
    DataKeys,
    /// Values that belong to no tenant.
    HouseValues,
    /// Authenticates compiled plugins in their cache.
    PluginCache,
    /// Signs the cursors of lists.
    Cursor,
    /// Names privacy requests by what was asked, so that the same is not asked twice.
    PrivacyRequests,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::SealedValues => "portolan v1 sealed values",
            Self::DataKeys => "portolan v1 data keys",
            Self::HouseValues => "portolan v1 house values",
            Self::PluginCache => "portolan v1 plugin compile cache",
            Self::Cursor => "portolan v1 list cursors",
            Self::PrivacyRequests => "portolan v1 privacy requests",
        }
    }
}

/// A key for one purpose. Wiped when it goes away.
#[derive(Clone)]
pub struct DerivedKey([u8; KEY_BYTES]);

impl DerivedKey {
    pub const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl Deref for DerivedKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DerivedKey(…)")
    }
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    #[error("the master key at {path} cannot be read or made: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "the master key at {0} can be read by others: run `chmod 600` on it, and consider it known if they did"
    )]
    Exposed(PathBuf),
    #[error("{0} holds no master key: each line that is no comment must be 32 bytes in base64")]
    Malformed(String),
    #[error(
        "the master keys come from PORTOLAN_MASTER_KEY, which only you can change: put the new key on a line \
         above the others, in every place that sets it, restart, then run this again"
    )]
    FromEnvironment,
    #[error("there is no master key {0}; `portolan secrets status` lists them")]
    Unknown(MasterKeyId),
    #[error("{0} is the active master key: rotate first with `portolan secrets rotate`")]
    Active(MasterKeyId),
}

/// Names a master key without telling it: stands in front of what it has sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId(pub(crate) [u8; KEY_ID_BYTES]);

impl fmt::Display for MasterKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKeyId({self})")
    }
}

/// The text is no id of a master key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a master key's id has 16 digits and letters from a to f, as `portolan secrets status` shows it")]
pub struct InvalidMasterKeyId;

impl FromStr for MasterKeyId {
    type Err = InvalidMasterKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 2 * KEY_ID_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidMasterKeyId);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| InvalidMasterKeyId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// One master key.
pub(crate) struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl MasterKey {
    fn generate(random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        random.fill(&mut *key);
        Self(key)
    }

    pub fn id(&self) -> MasterKeyId {
        let mut id = [0; KEY_ID_BYTES];
        self.expand("portolan v1 key id", &mut id);
        MasterKeyId(id)
    }

    pub fn derive(&self, purpose: Purpose) -> DerivedKey {
        let mut key = DerivedKey([0; KEY_BYTES]);
        self.expand(purpose.label(), &mut key.0);
        key
    }

    fn expand(&self, label: &str, output: &mut [u8]) {
        let hkdf = Hkdf::<Sha256>::new(None, &*self.0);
        hkdf.expand(label.as_bytes(), output).expect("at most 255 blocks of output");
    }
}

/// Master keys, the active one first; at least one.
type Keys = Vec<MasterKey>;

/// Holds the master keys; makes the others from them.
pub struct KeyRing {
    /// `None` where they come from the environment.
    file: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyRing(…)")
    }
}

impl KeyRing {
    /// The keys from the environment where it names some, else from `master.key` in the data folder. The
    /// file is made on first start, readable by its owner only.
    pub fn load_or_create(
        data_dir: &Path,
        from_environment: Option<&str>,
        random: &dyn Random,
    ) -> Result<Self, KeyRingError> {
        if let Some(text) = from_environment {
            let keys = parse(text).ok_or_else(|| KeyRingError::Malformed("the environment".to_owned()))?;
            return Ok(Self { file: None, keys: RwLock::new(Arc::new(keys)) });
        }
        let path = data_dir.join(FILE_NAME);
        let keys = match key_file::create(&path, random) {
            Ok(key) => {
                tracing::warn!(
                    "made a new master key at {}: keep a copy in a safe place, without it stored credentials are lost",
                    path.display()
                );
                vec![key]
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => key_file::read(&path)?,
            Err(source) => return Err(KeyRingError::File { path, source }),
        };
        Ok(Self { file: Some(path), keys: RwLock::new(Arc::new(keys)) })
    }

    /// The active master key's key for a purpose.
    pub fn derive(&self, purpose: Purpose) -> DerivedKey {
        self.active().derive(purpose)
    }

    /// Every master key's key for a purpose, the active one first: for what an older one may have made.
    pub fn derive_all(&self, purpose: Purpose) -> Vec<DerivedKey> {
        self.keys().iter().map(|key| key.derive(purpose)).collect()
    }

    pub fn active_id(&self) -> MasterKeyId {
        self.active().id()
    }

    /// All of them, the active one first.
    pub fn ids(&self) -> Vec<MasterKeyId> {
        self.keys().iter().map(MasterKey::id).collect()
    }

    /// Reads the file again: another process may have put a key in or taken one out.
    pub fn reload(&self) -> Result<(), KeyRingError> {
        if let Some(path) = &self.file {
            self.set(key_file::read(path)?);
        }
        Ok(())
    }

    /// Puts a new key above the others. It is on disk before anything is done with it.
    pub fn add_key(&self, random: &dyn Random) -> Result<MasterKeyId, KeyRingError> {
        let path = self.file.as_ref().ok_or(KeyRingError::FromEnvironment)?;
        let _alone = key_file::lock(path)?;
        let mut keys = key_file::read(path)?;
        keys.insert(0, MasterKey::generate(random));
        key_file::replace(path, &keys)?;
        self.set(keys);
        Ok(self.active_id())
    }

    /// Takes a key out for good. Whether anything needs it, the caller has looked.
    pub(crate) fn remove_key(&self, id: MasterKeyId) -> Result<(), KeyRingError> {
        let path = self.file.as_ref().ok_or(KeyRingError::FromEnvironment)?;
        let _alone = key_file::lock(path)?;
        let mut keys = key_file::read(path)?;
        match keys.iter().position(|key| key.id() == id) {
            None => return Err(KeyRingError::Unknown(id)),
            Some(0) => return Err(KeyRingError::Active(id)),
            Some(place) => drop(keys.remove(place)),
        }
        key_file::replace(path, &keys)?;
        self.set(keys);
        Ok(())
    }

    /// Does something with the key of this id; `None` where there is none, also after a look at the file.
    pub(crate) fn with_key<T>(&self, id: MasterKeyId, work: impl Fn(&MasterKey) -> T) -> Option<T> {
        let find = || self.keys().iter().find(|key| key.id() == id).map(&work);
        find().or_else(|| {
            if let Err(error) = self.reload() {
                tracing::warn!(%error, "the master keys cannot be read again");
            }
            find()
        })
    }

    pub(crate) fn with_active_key<T>(&self, work: impl Fn(&MasterKey) -> T) -> T {
        work(&self.active())
    }

    fn active(&self) -> impl Deref<Target = MasterKey> {
        Active(self.keys())
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

struct Active(Arc<Keys>);

impl Deref for Active {
    type Target = MasterKey;

    fn deref(&self) -> &MasterKey {
        self.0.first().expect("a ring is never made without a key")
    }
}

/// Every line that is no comment is a key in base64; `None` where one is not, or there is none.
fn parse(text: &str) -> Option<Keys> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Option<Keys> = lines
        .map(|line| {
            let bytes = Zeroizing::new(BASE64.decode(line).ok()?);
            let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().ok()?;
            Some(MasterKey(Zeroizing::new(key)))
        })
        .collect();
    keys.filter(|keys| !keys.is_empty())
}

#[cfg(test)]
mod tests;
