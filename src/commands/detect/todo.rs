//! What is left to do of the photos that are found.

use std::path::Path;

use super::exists;
use super::run::Shared;
use super::search::Search;
use super::sources::Photo;
use super::work::Outputs;
use crate::cli::DetectArgs;
use crate::interrupt;
use crate::output::{Layout, Stamp};

/// Gives the photos that no earlier call has done, whose files are not those that the results are
/// about, or whose results are not all there. Ends early on Ctrl-C.
pub struct Todo<'a> {
    /// Where they come from.
    pub search: Search,
    journal: &'a Shared,
    outputs: Outputs,
    out: &'a Path,
    /// Photos given so far.
    pub given: usize,
    /// Photos left out so far.
    pub skipped: usize,
    /// Those of `given` whose files have changed.
    pub changed: usize,
}

impl<'a> Todo<'a> {
    /// Of what `search` finds.
    pub fn new(search: Search, journal: &'a Shared, args: &'a DetectArgs) -> Self {
        Self {
            search,
            journal,
            outputs: Outputs::new(args),
            out: args.out(),
            given: 0,
            skipped: 0,
            changed: 0,
        }
    }

    /// Settles what becomes of an earlier result.
    fn is_done(&mut self, photo: &Photo) -> bool {
        let Some(earlier) = self.journal.lock().take(&photo.name()) else {
            return false;
        };
        let layout = Layout::new(self.out, &photo.relative);
        if earlier.stamp != Stamp::of(&photo.path) {
            self.changed += 1;
            for file in layout.all(earlier.done.size, earlier.done.faces) {
                // What cannot be removed is replaced, or reported when that fails.
                let _ = std::fs::remove_file(file);
            }
            return false;
        }
        self.journal.lock().keep(photo.place, &earlier);
        let files = self.outputs.files(&layout, earlier.done);
        files.iter().all(|file| exists(file))
    }
}

impl Iterator for Todo<'_> {
    type Item = Photo;

    fn next(&mut self) -> Option<Photo> {
        while !interrupt::requested() {
            let photo = self.search.next()?;
            if !self.is_done(&photo) {
                self.given += 1;
                return Some(photo);
            }
            self.skipped += 1;
        }
        None
    }
}
