//! What a pattern matches, as if the shell had listed it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::walk::{Entries, Entry, Found, photos};
use crate::output::portable_name;

/// The files that match, whatever their names, and the photos in the folders that match. That
/// nothing does is a problem.
pub struct Matches {
    base: PathBuf,
    pattern: glob::Pattern,
    recursive: bool,
    out: Option<PathBuf>,
    entries: Entries,
    /// Of the folder that matched last.
    inside: Option<Box<dyn Iterator<Item = Found> + Send>>,
    /// Where a folder and what it holds may both match.
    taken: Option<HashSet<PathBuf>>,
    none_so_far: bool,
}

impl Matches {
    /// Below `base`. `out`, written out in full, is left out.
    pub fn new(base: &Path, pattern: glob::Pattern, recursive: bool, out: Option<&Path>) -> Self {
        let text = pattern.as_str();
        let any_depth = text.contains("**");
        let depth = (!any_depth).then(|| text.split('/').count());
        Self {
            entries: Entries::new(base, depth, out),
            base: base.to_owned(),
            pattern,
            recursive,
            out: out.map(Path::to_owned),
            inside: None,
            taken: any_depth.then(HashSet::new),
            none_so_far: true,
        }
    }

    fn matches(&self, path: &Path) -> bool {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let relative = path.strip_prefix(&self.base).unwrap_or(path);
        self.pattern.matches_with(&portable_name(relative), options)
    }

    /// The next one, whether it was there before or not.
    fn step(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.inside.as_mut().and_then(Iterator::next) {
                return Some(found);
            }
            self.inside = None;
            match self.entries.next()? {
                Entry::Problem(text) => return Some(Found::Problem(text)),
                Entry::File(path) if self.matches(&path) => return Some(Found::Photo(path)),
                Entry::Folder(path) if self.matches(&path) => {
                    let inside = photos(&path, self.recursive, self.out.as_deref());
                    self.inside = Some(Box::new(inside));
                }
                Entry::File(_) | Entry::Folder(_) => {}
            }
        }
    }

    fn is_new(&mut self, found: &Found) -> bool {
        match (found, &mut self.taken) {
            (Found::Photo(path), Some(taken)) => taken.insert(path.clone()),
            _ => true,
        }
    }
}

impl Iterator for Matches {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while let Some(found) = self.step() {
            if self.is_new(&found) {
                self.none_so_far &= matches!(found, Found::Passed(_));
                return Some(found);
            }
        }
        let nothing = std::mem::take(&mut self.none_so_far);
        nothing.then(|| {
            let whole = self.base.join(self.pattern.as_str());
            Found::Problem(format!("nothing matches {}", whole.display()))
        })
    }
}
