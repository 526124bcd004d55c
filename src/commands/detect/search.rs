//! From the PATHs given to photos, one after the other as they are found.

use std::path::{Path, PathBuf};

use super::passed::Passed;
use super::pattern::Matches;
use super::progress::Progress;
use super::sources::{Kind, Photo, Source};
use super::walk::{self, Found};

/// Gives photos in the order of the PATHs, those of folders sorted by name, and reads no folder
/// before the last one is used up. Says what cannot be read as it comes upon it.
pub struct Search {
    found: Box<dyn Iterator<Item = Found<Photo>> + Send>,
    first: Option<Photo>,
    progress: Progress,
    /// Files of folders that are not taken for photos, so far.
    pub passed: Passed,
    /// How much could not be read, so far.
    pub problems: usize,
    /// There is nothing left to find.
    pub over: bool,
    photos: usize,
}

impl Search {
    /// In `sources`, with `recursive` also in the folders within folders; `out` is passed over where
    /// it lies within a folder that is read.
    pub fn new(sources: Vec<Source>, recursive: bool, out: &Path, progress: Progress) -> Self {
        let out = out.canonicalize().ok();
        let all = move |source| in_source(source, recursive, out.as_deref());
        Self {
            found: Box::new(sources.into_iter().flat_map(all)),
            first: None,
            progress,
            passed: Passed::default(),
            problems: 0,
            over: false,
            photos: 0,
        }
    }

    /// Whether there is a photo; searches until there is.
    pub fn finds_any(&mut self) -> bool {
        self.first = self.next();
        self.first.is_some()
    }

    /// Say that something cannot be read.
    pub fn tell(&mut self, problem: &str) {
        self.problems += 1;
        self.progress.tell(format!("failed: {problem}"));
    }

    fn numbered(&mut self, photo: Photo) -> Photo {
        let place = self.photos;
        self.photos += 1;
        Photo { place, ..photo }
    }
}

impl Iterator for Search {
    type Item = Photo;

    fn next(&mut self) -> Option<Photo> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            match self.found.next() {
                Some(Found::Photo(photo)) => return Some(self.numbered(photo)),
                Some(Found::Passed(passed)) => self.passed.add(&passed),
                Some(Found::Problem(text)) => self.tell(&text),
                None => {
                    self.over = true;
                    return None;
                }
            }
        }
    }
}

fn in_source(
    source: Source,
    recursive: bool,
    out: Option<&Path>,
) -> impl Iterator<Item = Found<Photo>> + Send + use<> {
    let found: Box<dyn Iterator<Item = Found> + Send> = match &source.kind {
        Kind::File(file) => Box::new(std::iter::once(Found::Photo(file.clone()))),
        Kind::Folder(folder) => Box::new(walk::photos(folder, recursive, out)),
        Kind::Pattern { base, rest } => Box::new(Matches::new(base, rest.clone(), recursive, out)),
    };
    let photo = move |path: PathBuf| Photo {
        relative: source.relative(&path),
        path,
        place: 0,
    };
    found.map(move |found| match found {
        Found::Photo(path) => Found::Photo(photo(path)),
        Found::Passed(passed) => Found::Passed(passed),
        Found::Problem(text) => Found::Problem(text),
    })
}
