//! One program at a time in a folder of results.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::missing_folders;
use crate::console;

/// Name of the file that holds the lock and names its owner.
pub const NAME: &str = ".lock";

/// The sole right to write into a folder, until dropped. The system gives it back when its owner
/// dies, however that happens, so that no lock of a dead program is in the way.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    /// Holds the lock; none where the file system has no locks.
    file: Option<File>,
    /// Folders made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl FolderLock {
    /// Take `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When another program has it (names that), or the folder cannot be written to.
    pub fn take(folder: &Path) -> Result<Self> {
        let made = missing_folders(folder);
        let path = folder.join(NAME);
        let mut lock = Self {
            path,
            file: None,
            made,
        };
        let context = || format!("cannot write into {}", folder.display());
        std::fs::create_dir_all(folder).with_context(context)?;
        while !lock.try_take(folder).with_context(context)? {}
        Ok(lock)
    }

    /// `false` when the file that was locked is not the one under that name any more: its owner has
    /// just ended and removed it.
    fn try_take(&mut self, folder: &Path) -> Result<bool> {
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = file.read_to_string(&mut owner);
                bail!(
                    "{} is in use by {}: wait until that ends, or choose another folder",
                    folder.display(),
                    owner.trim()
                );
            }
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                console::note(format!(
                    "{}: this file system has no locks; do not start the program twice here",
                    folder.display()
                ));
                return Ok(true);
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let ours = same_file::Handle::from_file(file.try_clone()?)?;
        match same_file::Handle::from_path(&self.path) {
            Ok(there) if there == ours => {}
            _ => return Ok(false),
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", owner())?;
        self.file = Some(file);
        Ok(true)
    }
}

/// This program, for whoever finds the folder in use.
fn owner() -> String {
    let name = std::env::args().take(2).collect::<Vec<_>>().join(" ");
    format!("process {} ({name})", std::process::id())
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let _ = std::fs::remove_file(&self.path);
            drop(file);
        }
        // Folders that nothing was written into.
        for folder in &self.made {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let lock = FolderLock::take(&folder).unwrap();
        let error = format!("{:#}", FolderLock::take(&folder).unwrap_err());
        let me = format!("process {}", std::process::id());
        assert!(error.contains("in use") && error.contains(&me), "{error}");
        drop(lock);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        // What somebody left behind and does not hold is no obstacle.
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(NAME), "process 1").unwrap();
        let lock = FolderLock::take(&folder).unwrap();
        std::fs::write(folder.join("result"), "").unwrap();
        drop(lock);
        assert!(folder.join("result").exists() && !folder.join(NAME).exists());
    }
}
