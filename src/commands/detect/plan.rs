//! From the PATHs given to a list of photos.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::passed::Passed;
use super::walk::{Found, walk};
use crate::imaging::is_photo_name;
use crate::output::portable_name;

/// A photo to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Where it is.
    pub path: PathBuf,
    /// Its place in the results.
    pub relative: PathBuf,
    /// The same as text.
    pub name: String,
}

/// What a call is to do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of the PATHs; folders sorted by name. No two have the same `relative`.
    pub photos: Vec<Photo>,
    /// What could not be read while looking for photos, with the reason.
    pub problems: Vec<String>,
    /// Files of the folders that are not taken for photos.
    pub passed: Passed,
}

/// Look for photos. `out` is passed over where it lies within a folder that is read.
///
/// # Errors
/// When a pattern is malformed.
pub fn plan(paths: &[PathBuf], recursive: bool, out: &Path) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut labels = HashSet::new();
    let out = out.canonicalize().ok();
    for path in paths {
        let source = match source(path) {
            Ok(source) => source,
            Err(error) => {
                plan.problems.push(format!("{error:#}"));
                continue;
            }
        };
        let label = (paths.len() > 1).then(|| unique_label(&source, &mut labels));
        let found = match &source {
            Source::File(file) => Found::file(file),
            Source::Folder(folder) => walk(folder, recursive, out.as_deref()),
            Source::Pattern { base, rest } => expand(base, rest, recursive, out.as_deref())?,
        };
        plan.problems.extend(found.problems);
        plan.passed.add(&found.passed);
        plan.photos.extend(
            found
                .files
                .into_iter()
                .map(|file| photo(file, &source, label.as_deref())),
        );
    }
    Ok(plan)
}

/// What a PATH is.
#[derive(Debug)]
enum Source {
    File(PathBuf),
    Folder(PathBuf),
    /// A glob pattern: the folders before its first wildcard, and the rest.
    Pattern {
        base: PathBuf,
        rest: String,
    },
}

fn source(path: &Path) -> Result<Source> {
    match path.metadata() {
        Ok(data) if data.is_dir() => Ok(Source::Folder(path.to_owned())),
        Ok(_) => Ok(Source::File(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            split_pattern(path).ok_or(error).context("no such file")
        }
        Err(error) => Err(error.into()),
    }
    .with_context(|| format!("cannot read {}", path.display()))
}

/// `None` when there is no wildcard in the path.
fn split_pattern(path: &Path) -> Option<Source> {
    let wild = |part: &OsStr| {
        let bytes = part.as_encoded_bytes();
        bytes.iter().any(|b| matches!(b, b'*' | b'?' | b'['))
    };
    let parts: Vec<_> = path.components().collect();
    let first = parts.iter().position(|part| wild(part.as_os_str()))?;
    let base: PathBuf = parts[..first].iter().collect();
    let rest: Vec<_> = parts[first..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let here = base.as_os_str().is_empty();
    Some(Source::Pattern {
        base: if here { PathBuf::from(".") } else { base },
        rest: rest.join("/"),
    })
}

/// What a pattern matches, files whatever their name, as if the shell had listed them.
fn expand(base: &Path, rest: &str, recursive: bool, out: Option<&Path>) -> Result<Found> {
    let shown = || format!("in the pattern {}/{rest}", base.display());
    let pattern = glob::Pattern::new(rest).with_context(shown)?;
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let depth = (!rest.contains("**")).then(|| rest.split('/').count());
    let mut found = super::walk::entries(base, depth, out);
    let mut taken = HashSet::new();
    let mut files = Vec::new();
    for path in std::mem::take(&mut found.files) {
        let relative = path.strip_prefix(base).unwrap_or(&path);
        if !pattern.matches_with(&portable_name(relative), options) {
            continue;
        }
        if path.is_dir() {
            let inside = walk(&path, recursive, out);
            found.problems.extend(inside.problems);
            found.passed.add(&inside.passed);
            files.extend(inside.files);
        } else {
            files.push(path);
        }
    }
    files.retain(|path| taken.insert(path.clone()));
    if files.is_empty() && found.problems.is_empty() {
        let pattern = base.join(rest);
        found
            .problems
            .push(format!("nothing matches {}", pattern.display()));
    }
    found.files = files;
    Ok(found)
}

fn photo(file: PathBuf, source: &Source, label: Option<&OsStr>) -> Photo {
    let relative = match (source, label) {
        (Source::File(_), Some(label)) => PathBuf::from(label),
        (Source::File(_), None) => PathBuf::from(file.file_name().unwrap_or(file.as_os_str())),
        (Source::Folder(base) | Source::Pattern { base, .. }, label) => {
            let below = file.strip_prefix(base).unwrap_or(&file);
            label.map_or_else(|| below.to_owned(), |label| Path::new(label).join(below))
        }
    };
    Photo {
        name: portable_name(&relative),
        path: file,
        relative,
    }
}

/// The last part of a PATH; `~2`, `~3` ... (before the extension of a photo) when an earlier PATH
/// has the same.
fn unique_label(source: &Source, labels: &mut HashSet<OsString>) -> OsString {
    let (Source::File(path) | Source::Folder(path) | Source::Pattern { base: path, .. }) = source;
    let name = match path.file_name() {
        Some(name) => Some(name.to_owned()),
        // "." and ".." have a name when written out.
        None => path
            .canonicalize()
            .ok()
            .and_then(|path| path.file_name().map(OsStr::to_owned)),
    };
    let name = name.unwrap_or_else(|| "root".into());
    let mut label = name.clone();
    for number in 2.. {
        if labels.insert(label.clone()) {
            break;
        }
        label = numbered(Path::new(&name), number);
    }
    label
}

fn numbered(name: &Path, number: u32) -> OsString {
    let extension = name.extension().filter(|_| is_photo_name(name.as_os_str()));
    let stem = if extension.is_some() {
        name.file_stem().unwrap_or_default()
    } else {
        name.as_os_str()
    };
    let mut label = stem.to_owned();
    label.push(format!("~{number}"));
    if let Some(extension) = extension {
        label.push(".");
        label.push(extension);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_repeat() {
        let mut labels = HashSet::new();
        let mut of = |path: &str| {
            let label = unique_label(&Source::Folder(path.into()), &mut labels);
            label.to_string_lossy().into_owned()
        };
        assert_eq!(of("x/a.jpg"), "a.jpg");
        assert_eq!(of("y/a.jpg"), "a~2.jpg");
        assert_eq!(of("z/a.jpg"), "a~3.jpg");
        assert_eq!(of("a~2.jpg"), "a~2~2.jpg");
        assert_eq!(of("photos.d/"), "photos.d");
        assert_eq!(of("q/photos.d"), "photos.d~2");
        assert_eq!(of("/"), "root");
    }

    #[test]
    fn patterns_split_before_their_first_wildcard() {
        let split = |text: &str| match split_pattern(Path::new(text)) {
            Some(Source::Pattern { base, rest }) => Some((base, rest)),
            _ => None,
        };
        assert_eq!(split("a/b*/c.jpg"), Some(("a".into(), "b*/c.jpg".into())));
        assert_eq!(split("*.png"), Some((".".into(), "*.png".into())));
        assert_eq!(split("/x/[ab]"), Some(("/x".into(), "[ab]".into())));
        assert_eq!(split("plain.jpg"), None);
    }
}
