//! Files of a folder that are not taken for photos: nobody should have to miss them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::imaging::{is_photo_name, is_sidecar, unreadable_ending};
use crate::output::{is_own_file, is_own_picture};

/// Endings of other files that are named; the rest is summed up.
const NAMED: usize = 4;

/// How many files of which kinds were passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Photos of kinds that cannot be read, by ending.
    unreadable: BTreeMap<String, usize>,
    /// What macOS writes beside files on foreign disks.
    sidecars: usize,
    /// What an earlier call has written.
    own: usize,
    /// No photos by their names, by ending.
    others: BTreeMap<String, usize>,
    folders: usize,
}

impl Passed {
    /// A file found in a folder; `None` when it is taken for a photo.
    pub fn file(path: &Path) -> Option<Self> {
        let mut passed = Self::default();
        let name = path.file_name().unwrap_or_default();
        if is_own_file(name) || is_own_picture(path, is_photo_name) {
            passed.own = 1;
        } else if is_sidecar(name) {
            passed.sidecars = 1;
        } else if is_photo_name(name) {
            return None;
        } else if let Some(ending) = unreadable_ending(name) {
            passed.unreadable.insert(ending, 1);
        } else {
            let ending = Path::new(name).extension().unwrap_or_default();
            let ending = ending.to_string_lossy().to_ascii_lowercase();
            passed.others.insert(ending, 1);
        }
        Some(passed)
    }

    /// A folder that is not read.
    pub fn one_folder() -> Self {
        Self {
            folders: 1,
            ..Self::default()
        }
    }

    /// Add what else was passed over.
    pub fn add(&mut self, other: &Self) {
        for (all, new) in [
            (&mut self.unreadable, &other.unreadable),
            (&mut self.others, &other.others),
        ] {
            for (ending, count) in new {
                *all.entry(ending.clone()).or_default() += count;
            }
        }
        self.sidecars += other.sidecars;
        self.own += other.own;
        self.folders += other.folders;
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.unreadable.is_empty() {
            let kinds = self
                .unreadable
                .iter()
                .map(|(ending, count)| format!("{count} .{ending}"));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            parts.push(format!(
                "{kinds} (photos, but of kinds that have to be converted first)"
            ));
        }
        if self.sidecars > 0 {
            parts.push(format!("{} of macOS", counted(self.sidecars, "._* file")));
        }
        if !self.others.is_empty() {
            let count: usize = self.others.values().sum();
            parts.push(format!(
                "{} ({})",
                counted(count, "other file"),
                common(&self.others)
            ));
        }
        if self.own > 0 {
            parts.push(format!(
                "{} of an earlier call",
                counted(self.own, "result")
            ));
        }
        if self.folders > 0 {
            parts.push(format!(
                "{} (read with --recursive)",
                counted(self.folders, "folder")
            ));
        }
        write!(f, "not read: {}", parts.join("; "))
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The most common endings.
fn common(endings: &BTreeMap<String, usize>) -> String {
    let mut sorted: Vec<_> = endings.iter().collect();
    sorted.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
    let (named, rest) = sorted.split_at(NAMED.min(sorted.len()));
    let mut texts: Vec<String> = named
        .iter()
        .map(|(ending, count)| match ending.as_str() {
            "" => format!("{count} without ending"),
            _ => format!("{count} .{ending}"),
        })
        .collect();
    if !rest.is_empty() {
        let count: usize = rest.iter().map(|&(_, count)| count).sum();
        texts.push(format!("{count} of {} more kinds", rest.len()));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_photo_or_counted() {
        let mut passed = Passed::default();
        let mut photos = 0;
        for name in [
            "a.jpg",
            "b.JFIF",
            "c.heic",
            "d.HEIC",
            "e.avif",
            "._a.jpg",
            "a.jpg.drawn.jpg",
            "notes.txt",
            "README",
            "clip.mov",
            "x.txt",
            "detections.jsonl",
        ] {
            match Passed::file(Path::new(name)) {
                Some(one) => passed.add(&one),
                None => photos += 1,
            }
        }
        passed.add(&Passed::one_folder());
        assert_eq!(photos, 2);
        let text = passed.to_string();
        for part in [
            "1 .avif, 2 .heic",
            "1 ._* file of",
            "4 other files (2 .txt, 1 without ending, 1 .mov)",
            "2 results",
            "1 folder ",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let mut twice = passed.clone();
        twice.add(&passed);
        assert!(twice.to_string().contains("2 .avif, 4 .heic"), "{twice}");
        assert!(Passed::default().is_empty() && !passed.is_empty());
    }
}
