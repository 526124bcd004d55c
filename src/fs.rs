//! Files that are either complete or not there, and folders that belong to one program at a time.

mod lock;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use lock::{FolderLock, NAME as LOCK_NAME};

/// How the names of files that are being written begin.
const WRITING: &str = ".writing-";

/// Write `path` through `fill`: into a temporary file beside it, renamed when all of it is on
/// disk, so that neither a full disk nor a kill nor a power cut leaves half a file under the final
/// name, or none where there was one. Creates missing folders. The user's umask says who may read
/// it.
///
/// # Errors
/// Names `path` with whatever failed.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
) -> Result<()> {
    write(path, fill, Sync::Yes)
}

/// [`write_atomic`] for what can be made again, such as pictures: it does not wait for the disk,
/// so that a power cut may lose it.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_unsynced(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
) -> Result<()> {
    write(path, fill, Sync::No)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sync {
    Yes,
    No,
}

fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
    sync: Sync,
) -> Result<()> {
    let folder = folder_of(path);
    let write = || -> Result<()> {
        let made = missing_folders(folder);
        std::fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        // What the umask leaves of it, as for any other file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(WRITING).tempfile_in(folder)?;
        let mut out = BufWriter::new(file.as_file_mut());
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        if sync == Sync::Yes {
            sync_file(file.as_file(), file.path())?;
        }
        file.persist(path)?;
        if sync == Sync::Yes {
            sync_folder(folder)?;
            made.iter()
                .try_for_each(|made| sync_folder(folder_of(made)))?;
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// `folder` and those above it that are not there, the innermost first.
fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let missing = folder
        .ancestors()
        .take_while(|f| !f.as_os_str().is_empty() && !f.exists());
    missing.map(Path::to_owned).collect()
}

fn sync_file(file: &File, path: &Path) -> std::io::Result<()> {
    #[cfg(test)]
    tests::SYNCED.with_borrow_mut(|synced| synced.push(path.to_owned()));
    let _ = path;
    file.sync_all()
}

/// Make a rename in `folder` last. Only Unix can; some file systems refuse, and then do so by
/// themselves.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match sync_file(&File::open(folder)?, folder) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// Say now, and not after hours of work, that nothing can be written into `folder`. Leaves no
/// trace; a folder that is not there yet may be made later.
///
/// # Errors
/// When `folder`, or one above it, is a file or cannot be written to.
pub fn check_folder(folder: &Path) -> Result<()> {
    let context = || format!("cannot write into {}", folder.display());
    let missing = missing_folders(folder);
    let there = missing
        .last()
        .map_or(folder, |outermost| folder_of(outermost));
    let there = if there.as_os_str().is_empty() {
        Path::new(".")
    } else {
        there
    };
    ensure!(
        there.is_dir(),
        "{}: {} is not a folder",
        context(),
        there.display()
    );
    tempfile::Builder::new()
        .prefix(WRITING)
        .tempfile_in(there)
        .with_context(context)?;
    Ok(())
}

/// [`check_folder`] for the folder of a file that is to be written.
///
/// # Errors
/// As [`check_folder`], and when `file` is a folder.
pub fn check_parent(file: &Path) -> Result<()> {
    ensure!(
        !file.is_dir(),
        "cannot write {}: it is a folder",
        file.display()
    );
    check_folder(folder_of(file))
}

/// Remove what writers that were killed left in `folder` and the folders within. Call only while
/// nothing else writes there. What cannot be removed stays.
pub fn remove_unfinished(folder: &Path) {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_file()) {
        let name = entry.file_name().as_encoded_bytes();
        if name.starts_with(WRITING.as_bytes()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        pub static SYNCED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    }

    /// The files and folders that `work` has waited for, by name; a temporary one as "new".
    fn synced(work: impl FnOnce()) -> Vec<String> {
        SYNCED.take();
        work();
        let name = |path: PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(WRITING) {
                "new".into()
            } else {
                name
            }
        };
        SYNCED.take().into_iter().map(name).collect()
    }

    #[test]
    fn the_file_and_every_folder_that_changed_are_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let path = dir.path().join("a/b/c.bin");
        let fill = |out: &mut BufWriter<&mut File>| Ok(out.write_all(b"x")?);
        let waited = synced(|| write_atomic(&path, fill).unwrap());
        assert_eq!(waited, ["new".to_owned(), "b".into(), "a".into(), root]);
        assert_eq!(synced(|| write_atomic(&path, fill).unwrap()), ["new", "b"]);
        assert!(synced(|| write_atomic_unsynced(&path, fill).unwrap()).is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn a_folder_is_checked_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        check_folder(&dir.path().join("not/there")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for bad in [file.clone(), file.join("below")] {
            let error = format!("{:#}", check_folder(&bad).unwrap_err());
            assert!(error.contains("is not a folder"), "{error}");
        }
    }
}
