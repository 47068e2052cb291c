//! The master key and the keys made from it, one per purpose.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hkdf::Hkdf;
use portolan_core::Random;
use secrecy::zeroize::{Zeroize, Zeroizing};
use sha2::Sha256;

const FILE_NAME: &str = "master.key";
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;

/// Written above the key: whoever finds the file learns what it is.
const FILE_HEADER: &str = "\
# Portolan's master key. KEEP A COPY OF THIS FILE IN A SAFE PLACE, APART FROM THE DATABASE'S BACKUPS.
# Without it no stored credential can be opened again, by nobody. Whoever has it and the database can
# open all of them. Readable by its owner only; never send it, never commit it.
";

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Values sealed in the database.
    SealedValues,
    /// Authenticates compiled plugins in their cache.
    PluginCache,
    /// Signs the cursors of lists.
    Cursor,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::SealedValues => "portolan v1 sealed values",
            Self::PluginCache => "portolan v1 plugin compile cache",
            Self::Cursor => "portolan v1 list cursors",
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
    #[error("{0} holds no master key: it must be 32 bytes in base64")]
    Malformed(String),
}

/// Holds the master key; makes the others from it.
pub struct KeyRing {
    master: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyRing(…)")
    }
}

impl KeyRing {
    /// The key from the environment where it names one, else from `master.key` in the data folder. The
    /// file is made on first start, readable by its owner only.
    pub fn load_or_create(
        data_dir: &Path,
        from_environment: Option<&str>,
        random: &dyn Random,
    ) -> Result<Self, KeyRingError> {
        if let Some(text) = from_environment {
            return Self::parse(text).ok_or_else(|| KeyRingError::Malformed("the environment".to_owned()));
        }
        let path = data_dir.join(FILE_NAME);
        match Self::create_file(&path, random) {
            Ok(ring) => {
                tracing::warn!(
                    "made a new master key at {}: keep a copy in a safe place, without it stored credentials are lost",
                    path.display()
                );
                Ok(ring)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read_file(&path),
            Err(source) => Err(KeyRingError::File { path, source }),
        }
    }

    /// Fails with `AlreadyExists` where there is one: an existing key is never written over.
    fn create_file(path: &Path, random: &dyn Random) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut master = Zeroizing::new([0_u8; KEY_BYTES]);
        random.fill(&mut *master);
        let text = Zeroizing::new(format!("{FILE_HEADER}{}\n", BASE64.encode(*master)));
        file.write_all(text.as_bytes())?;
        // Values sealed a moment from now must not outlive the key.
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(Self { master })
    }

    fn read_file(path: &Path) -> Result<Self, KeyRingError> {
        let failed = |source| KeyRingError::File { path: path.to_owned(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyRingError::Exposed(path.to_owned()));
            }
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        Self::parse(&text).ok_or_else(|| KeyRingError::Malformed(path.display().to_string()))
    }

    /// The first line that is no comment, as base64.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let bytes = Zeroizing::new(BASE64.decode(line).ok()?);
        let master: [u8; KEY_BYTES] = bytes.as_slice().try_into().ok()?;
        Some(Self { master: Zeroizing::new(master) })
    }

    /// The key for a purpose; always the same one.
    pub fn derive(&self, purpose: Purpose) -> DerivedKey {
        let mut key = DerivedKey([0; KEY_BYTES]);
        self.expand(purpose.label(), &mut key.0);
        key
    }

    /// Names the master key without telling it: stored beside what it has sealed.
    pub(crate) fn key_id(&self) -> [u8; KEY_ID_BYTES] {
        let mut id = [0; KEY_ID_BYTES];
        self.expand("portolan v1 key id", &mut id);
        id
    }

    fn expand(&self, label: &str, output: &mut [u8]) {
        let hkdf = Hkdf::<Sha256>::new(None, &*self.master);
        hkdf.expand(label.as_bytes(), output).expect("at most 255 blocks of output");
    }
}

#[cfg(test)]
mod tests;
