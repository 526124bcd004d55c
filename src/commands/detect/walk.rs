//! Reading folders.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::passed::Passed;
use crate::imaging::is_photo_name;

/// Files, and what could not be read.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Sorted by name within each folder.
    pub files: Vec<PathBuf>,
    /// With the reason each.
    pub problems: Vec<String>,
    /// Files of folders that are not taken for photos.
    pub passed: Passed,
}

impl Found {
    /// One file.
    pub fn file(path: &Path) -> Self {
        Self {
            files: vec![path.to_owned()],
            ..Self::default()
        }
    }
}

/// The photos in a folder, with `recursive` also those in the folders within.
pub fn walk(folder: &Path, recursive: bool, out: Option<&Path>) -> Found {
    let mut found = entries(folder, (!recursive).then_some(1), out);
    let passed = &mut found.passed;
    found.files.retain(|path| {
        let is_folder = path.is_dir();
        if is_folder && !recursive {
            passed.folder();
        }
        !is_folder && passed.is_photo(path)
    });
    found
}

/// Everything in a folder (down to `depth`, or all), folders before what they hold. Links are
/// followed; `out` is left out.
pub fn entries(folder: &Path, depth: Option<usize>, out: Option<&Path>) -> Found {
    let mut found = Found::default();
    let root = folder.canonicalize().ok();
    let mut walk = WalkDir::new(folder)
        .follow_links(true)
        .min_depth(1)
        .max_depth(depth.unwrap_or(usize::MAX))
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = walk.next() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                let place = entry.path().canonicalize().ok();
                // A link to a folder above the one we began with is no loop for `walkdir` yet.
                let above = entry.path_is_symlink() && encloses(place.as_deref(), root.as_deref());
                if above && depth.is_none() {
                    let shown = entry.path().display();
                    found.problems.push(format!(
                        "cannot read {shown}: a loop, it links to a folder above"
                    ));
                }
                if above || place.is_some_and(|place| Some(place.as_path()) == out) {
                    walk.skip_current_dir();
                } else {
                    found.files.push(entry.into_path());
                }
            }
            Ok(entry) => found.files.push(entry.into_path()),
            Err(error) if concerns(&error, depth) => {
                found.problems.push(describe(&error));
            }
            Err(_) => {}
        }
    }
    found
}

fn encloses(outer: Option<&Path>, inner: Option<&Path>) -> bool {
    matches!((outer, inner), (Some(outer), Some(inner)) if inner.starts_with(outer))
}

fn describe(error: &walkdir::Error) -> String {
    match (error.path(), error.io_error()) {
        (Some(path), Some(reason)) => format!("cannot read {}: {reason}", path.display()),
        _ => format!("cannot read {error}"),
    }
}

/// A link back up matters only when folders within folders are read; a link to nowhere only when
/// it is called like a photo.
fn concerns(error: &walkdir::Error, depth: Option<usize>) -> bool {
    if error.loop_ancestor().is_some() {
        return depth.is_none();
    }
    let nowhere = error.io_error().map(std::io::Error::kind) == Some(ErrorKind::NotFound);
    let named = error.path().and_then(Path::file_name);
    !nowhere || named.is_some_and(is_photo_name)
}
