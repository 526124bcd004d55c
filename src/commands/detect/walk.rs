//! Reading folders, while others work on what was found.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::passed::Passed;
use crate::imaging::is_photo_name;

/// What a search comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T = PathBuf> {
    /// A photo.
    Photo(T),
    /// Something of a folder that is not taken for a photo.
    Passed(Passed),
    /// What could not be read, with the reason.
    Problem(String),
}

/// The photos in a folder, with `recursive` also those in the folders within, as [`Entries`] come.
pub fn photos(
    folder: &Path,
    recursive: bool,
    out: Option<&Path>,
) -> impl Iterator<Item = Found> + use<> {
    let entries = Entries::new(folder, (!recursive).then_some(1), out);
    entries.filter_map(move |entry| match entry {
        Entry::Folder(_) if recursive => None,
        Entry::Folder(_) => Some(Found::Passed(Passed::one_folder())),
        Entry::File(path) => Some(match Passed::file(&path) {
            Some(passed) => Found::Passed(passed),
            None => Found::Photo(path),
        }),
        Entry::Problem(text) => Some(Found::Problem(text)),
    })
}

/// A part of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Whatever is not a folder.
    File(PathBuf),
    /// Comes before what it holds.
    Folder(PathBuf),
    /// What could not be read, with the reason.
    Problem(String),
}

/// Everything in a folder, sorted by name within each folder. Links are followed.
#[derive(Debug)]
pub struct Entries {
    walk: walkdir::IntoIter,
    depth: Option<usize>,
    root: Option<PathBuf>,
    out: Option<PathBuf>,
}

impl Entries {
    /// Of `folder`, down to `depth` or all. `out`, written out in full, is left out.
    pub fn new(folder: &Path, depth: Option<usize>, out: Option<&Path>) -> Self {
        Self {
            walk: WalkDir::new(folder)
                .follow_links(true)
                .min_depth(1)
                .max_depth(depth.unwrap_or(usize::MAX))
                .sort_by_file_name()
                .into_iter(),
            depth,
            root: folder.canonicalize().ok(),
            out: out.map(Path::to_owned),
        }
    }

    /// `None` for what is passed over without a word.
    fn entry(&mut self, entry: walkdir::Result<walkdir::DirEntry>) -> Option<Entry> {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => self.folder(entry),
            Ok(entry) => Some(Entry::File(entry.into_path())),
            Err(error) if concerns(&error, self.depth) => Some(Entry::Problem(describe(&error))),
            Err(_) => None,
        }
    }

    fn folder(&mut self, entry: walkdir::DirEntry) -> Option<Entry> {
        let place = entry.path().canonicalize().ok();
        // A link to a folder above the one we began with is no loop for `walkdir` yet.
        let above = entry.path_is_symlink() && encloses(place.as_deref(), self.root.as_deref());
        if above || (place.is_some() && place == self.out) {
            self.walk.skip_current_dir();
            let shown = entry.path().display();
            let loops = format!("cannot read {shown}: a loop, it links to a folder above");
            return (above && self.depth.is_none()).then_some(Entry::Problem(loops));
        }
        Some(Entry::Folder(entry.into_path()))
    }
}

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let entry = self.walk.next()?;
            if let Some(entry) = self.entry(entry) {
                return Some(entry);
            }
        }
    }
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
