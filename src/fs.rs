//! Files that are either complete or not there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// How the names of files that are being written begin.
const WRITING: &str = ".writing-";

/// Write `path` through `fill`: into a temporary file beside it, renamed when all of it is on
/// disk, so that a full disk or a kill never leaves half a file under the final name. Creates
/// missing folders.
///
/// # Errors
/// Names `path` with whatever failed.
pub fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let write = || -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.prefix(WRITING).tempfile_in(folder)?;
        let mut out = BufWriter::new(file.as_file_mut());
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
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
