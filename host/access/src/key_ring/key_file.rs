//! The file of the master keys: written whole and in one go, so that no crash and no second process loses one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use portolan_core::Random;
use secrecy::zeroize::Zeroizing;

use super::{KeyRingError, MasterKey, parse};

/// Written above the key: whoever finds the file learns what it is.
const FILE_HEADER: &str = "\
# Portolan's master key. KEEP A COPY OF THIS FILE IN A SAFE PLACE, APART FROM THE DATABASE'S BACKUPS.
# Without it no stored credential can be opened again, by nobody. Whoever has it and the database can
# open all of them. Readable by its owner only; never send it, never commit it.
# The first key is the active one. Keys below it are kept to read what they have sealed; take one out with
# `portolan secrets remove-key`, which looks first whether anything needs it.
";

/// A file with one new key. Fails with `AlreadyExists` where there is one: an existing key is never written over.
pub fn create(path: &Path, random: &dyn Random) -> io::Result<MasterKey> {
    let mut file = open_new(path)?;
    let key = MasterKey::generate(random);
    write(&mut file, std::slice::from_ref(&key))?;
    sync_folder(path)?;
    Ok(key)
}

pub fn read(path: &Path) -> Result<Vec<MasterKey>, KeyRingError> {
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
    parse(&text).ok_or_else(|| KeyRingError::Malformed(path.display().to_string()))
}

/// Other keys in the place of those that are there: written aside, then renamed.
pub fn replace(path: &Path, keys: &[MasterKey]) -> Result<(), KeyRingError> {
    let written = || {
        let aside = path.with_extension("key.new");
        // Left by a crash before the rename: nothing was done with what it holds.
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write(&mut open_new(&aside)?, keys)?;
        fs::rename(&aside, path)?;
        sync_folder(path)
    };
    written().map_err(|source| KeyRingError::File { path: path.to_owned(), source })
}

/// Held by whoever changes the file, until it is dropped.
pub fn lock(path: &Path) -> Result<File, KeyRingError> {
    let taken = || {
        let file =
            File::options().create(true).truncate(false).write(true).open(path.with_extension("key.lock"))?;
        file.lock()?;
        Ok(file)
    };
    taken().map_err(|source| KeyRingError::File { path: path.to_owned(), source })
}

fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Values sealed a moment from now must not outlive the keys: they are on disk when this ends.
fn write(file: &mut File, keys: &[MasterKey]) -> io::Result<()> {
    let mut text = Zeroizing::new(FILE_HEADER.to_owned());
    for key in keys {
        text.push_str(&Zeroizing::new(BASE64.encode(*key.0)));
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
