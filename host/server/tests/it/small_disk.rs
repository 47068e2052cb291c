//! A disk of a test's own that is small enough to fill.

use std::fs::{File, create_dir_all, remove_file};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory; unmounted when it goes out of scope.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one on this folder; says so and gives `None` where mounting is not permitted.
    pub fn mount(folder: &Path, size_kib: u32) -> Option<Self> {
        create_dir_all(folder).expect("folder");
        let size = format!("size={size_kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self { folder: folder.to_owned() });
        }
        println!("skipped: a small disk cannot be mounted here, it takes a root's rights");
        None
    }

    /// Writes until not one byte more fits.
    pub fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).expect("ballast");
        for block in [1 << 20, 64 << 10, 4 << 10, 1_usize] {
            loop {
                match ballast.write_all(&vec![7; block]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("ballast: {error}"),
                }
            }
        }
    }

    pub fn make_room(&self) {
        remove_file(self.ballast()).expect("ballast");
    }

    pub fn grow_to(&self, size_kib: u32) {
        let size = format!("remount,size={size_kib}k");
        let grown = Command::new("mount").args(["-o", &size]).arg(&self.folder).status();
        assert!(grown.expect("mount").success(), "the disk grows");
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is just being killed may still hold it.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            println!("{} stays mounted", self.folder.display());
        }
    }
}
