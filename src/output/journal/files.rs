//! The files that a call keeps in its folder beside the pictures.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fs::LOCK_NAME;
use crate::output::provenance;

/// The record of a call: one line a photo.
pub const RECORD: &str = "detections.jsonl";
/// The same record where the user did not ask for it; resuming needs it.
pub const RECORD_HIDDEN: &str = ".detections.jsonl";
/// The table of all faces.
pub const TABLE: &str = "detections.csv";
/// The page of all photos.
pub const GALLERY: &str = "gallery.html";
/// The record while the call runs.
pub(super) const PART: &str = "detections.jsonl.part";

/// What a call leaves, all of it.
pub(super) const OF_A_CALL: [&str; 6] = [
    RECORD,
    TABLE,
    GALLERY,
    RECORD_HIDDEN,
    PART,
    provenance::NAME,
];

/// The first file in `out` that an earlier call left there.
pub fn existing_record(out: &Path) -> Option<PathBuf> {
    [RECORD, TABLE, GALLERY, RECORD_HIDDEN, PART]
        .map(|name| out.join(name))
        .into_iter()
        .find(|path| path.symlink_metadata().is_ok())
}

/// Whether a file bears the name of one that a call keeps in its folder beside the pictures.
pub fn is_own_file(name: &OsStr) -> bool {
    OF_A_CALL.iter().chain([&LOCK_NAME]).any(|own| name == *own)
}

/// Remove a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
