//! Compiled artefacts on disk. An artefact is native code, so a file is only used when it carries
//! a tag made with the server's key over its content and everything that it was compiled from and by.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::options::CacheKey;

const TAG_BYTES: usize = 32;

/// A component as native code, just compiled.
pub struct Artefact(Vec<u8>);

/// Compiles. Blocks for as long as that takes, and stores nothing: whether it is a plugin at all shows later.
pub fn compile(engine: &Engine, component: &[u8]) -> wasmtime::Result<(Component, Artefact)> {
    let artefact = engine.precompile_component(component)?;
    Ok((deserialize(engine, &artefact)?, Artefact(artefact)))
}

/// The folder of compiled artefacts.
#[derive(Debug, Clone)]
pub struct ArtefactCache {
    folder: PathBuf,
    key: CacheKey,
}

impl ArtefactCache {
    pub fn new(folder: PathBuf, key: CacheKey) -> Self {
        Self { folder, key }
    }

    /// The compiled component from its artefact, where there is one that is authentic and fits this engine.
    pub fn load(&self, engine: &Engine, sha256: &str) -> Option<Component> {
        self.read(engine, &self.path_of(engine, sha256), sha256)
    }

    /// Keeps an artefact for the next start.
    pub fn store(&self, engine: &Engine, sha256: &str, artefact: &Artefact) {
        let path = self.path_of(engine, sha256);
        if let Err(error) = self.write(engine, &path, sha256, &artefact.0) {
            // A full disk costs compiling time at the next start, nothing else.
            tracing::warn!(path = %path.display(), %error, "failed to store a compiled plugin");
        }
    }

    /// Where the artefact lies: another engine version has another file.
    pub fn path_of(&self, engine: &Engine, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}-{:016x}.bin", engine_fingerprint(engine)))
    }

    fn read(&self, engine: &Engine, path: &Path, sha256: &str) -> Option<Component> {
        let file = std::fs::read(path).ok()?;
        let (tag, artefact) = file.split_at_checked(TAG_BYTES)?;
        if self.mac(engine, sha256, artefact).verify_slice(tag).is_err() {
            tracing::warn!(path = %path.display(), "a compiled plugin is not authentic: compiling it again");
            return None;
        }
        match deserialize(engine, artefact) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled plugin does not fit: compiling it again");
                None
            }
        }
    }

    /// Written aside and renamed: a crash leaves no half file under the name.
    fn write(&self, engine: &Engine, path: &Path, sha256: &str, artefact: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let tag = self.mac(engine, sha256, artefact).finalize().into_bytes();
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&tag)?;
        file.write_all(artefact)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    fn mac(&self, engine: &Engine, sha256: &str, artefact: &[u8]) -> Hmac<Sha256> {
        // A fixed prefix and fixed lengths keep one input from reading as another.
        // HMAC fills a short key up with zeros; filled up here, it has the one length that cannot fail.
        let mut block = [0_u8; 64];
        block[..32].copy_from_slice(self.key.bytes());
        let mut mac = Hmac::<Sha256>::new((&block).into());
        mac.update(b"portolan compiled plugin 1\0");
        mac.update(&engine_fingerprint(engine).to_be_bytes());
        mac.update(&(sha256.len() as u64).to_be_bytes());
        mac.update(sha256.as_bytes());
        mac.update(artefact);
        mac
    }
}

/// Engine version, its settings and this crate's version in one number.
fn engine_fingerprint(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    hasher.finish()
}

#[expect(unsafe_code, reason = "the artefact was just compiled here, or carries the server key's tag")]
fn deserialize(engine: &Engine, artefact: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: wasmtime requires that the bytes come from its own `precompile_component`, unmodified.
    // Callers pass bytes that it returned a moment ago, or whose HMAC under the server key was verified.
    unsafe { Component::deserialize(engine, artefact) }
}
