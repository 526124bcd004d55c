//! 300-W `.pts` files: the points of one face, its photo beside it.
//!
//! ```text
//! version: 1
//! n_points: 68
//! {
//! 69.873 114.753
//! ...
//! }
//! ```
//! Coordinates are Matlab's, half a pixel ahead of ours (see [`from_pts`]). A `.pts` file has no
//! box; the bounds of the points stand in for it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::beside::Beside;
use super::list::{self, Fault, Faults, Listed, ListedFace};
use super::{Converter, FaceLabel, Reason, Report};
use crate::config::OnError;
use crate::geometry::{BoxXyxy, Landmarks, Point, Scheme, from_pts};
use crate::{imaging, text};

/// All `.pts` files of a folder (with its subfolders) or a glob, sorted.
pub(super) fn files(list: &Path, faults: &mut Faults<'_>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if list.is_dir() {
        for entry in walkdir::WalkDir::new(list).follow_links(true) {
            match entry {
                Ok(entry) => found.push(entry.into_path()),
                Err(error) if error.depth() == 0 => {
                    return Err(error).with_context(|| format!("cannot list {}", list.display()));
                }
                Err(error) => {
                    let message = format!("cannot list {}: {error}", list.display());
                    faults.left_out(Reason::Unreadable, message)?;
                }
            }
        }
        found.retain(|path| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("pts"))
        });
    } else {
        let pattern = list
            .to_str()
            .with_context(|| format!("{} is not valid UTF-8", list.display()))?;
        let paths = glob::glob(pattern)
            .with_context(|| format!("{pattern} is neither a folder nor a glob"))?;
        for path in paths {
            match path {
                Ok(path) => found.push(path),
                Err(error) => {
                    let message = format!("cannot list {pattern}: {error}");
                    faults.left_out(Reason::Unreadable, message)?;
                }
            }
        }
    }
    let all = found.len();
    found.retain(|path| !path.file_name().is_some_and(imaging::is_sidecar));
    if found.len() < all {
        let sidecars = all - found.len();
        faults.note(&format!(
            "{sidecars} files that macOS keeps beside others (._*) left out"
        ));
    }
    ensure!(
        !found.is_empty(),
        "{}: no .pts files; give a folder that holds some, or a glob",
        list.display()
    );
    found.sort();
    Ok(found)
}

/// Reads `.pts` files one after the other.
pub(super) struct Reader<'a> {
    /// The folder or glob that they come from.
    list: &'a Path,
    /// The model's landmarks.
    scheme: &'a Scheme,
    on_error: OnError,
    beside: Beside,
    box_only: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(list: &'a Path, scheme: &'a Scheme, on_error: OnError) -> Self {
        Self {
            list,
            scheme,
            on_error,
            beside: Beside::default(),
            box_only: 0,
        }
    }

    /// The photos of `files` with their faces, points in the model's scheme.
    pub(super) fn read(mut self, files: &[PathBuf], report: &mut Report) -> Result<Vec<Listed>> {
        let mut photos = Vec::with_capacity(files.len());
        for file in files {
            match self.photo(file) {
                Ok(photo) => photos.push(photo),
                Err((line, fault)) => {
                    Faults::new(file, self.on_error, report).found(line, fault)?;
                }
            }
        }
        if self.box_only > 0 {
            Faults::new(self.list, self.on_error, report).note(&format!(
                "{} faces give their box only; their points have no known relation to {}",
                self.box_only,
                self.scheme.name()
            ));
        }
        Ok(photos)
    }

    fn photo(&mut self, file: &Path) -> Result<Listed, (usize, Fault)> {
        let mut label = parse(&read(file)?)?;
        match converter(label.landmarks.len(), self.scheme)? {
            Some(converter) => {
                let converted = converter.apply(&label.landmarks);
                label.landmarks =
                    converted.map_err(|e| (2, Fault::new(Reason::WrongCount, e.to_string())))?;
            }
            None => {
                label.clear_landmarks();
                self.box_only += 1;
            }
        }
        let path = self.beside.photo_of(file).map_err(|fault| (1, fault))?;
        let name = path.strip_prefix(self.list).unwrap_or(&path);
        Ok(Listed {
            name: name.to_string_lossy().into(),
            list: file.into(),
            line: 1,
            faces: vec![ListedFace { line: 1, label }],
            path,
        })
    }
}

fn read(file: &Path) -> Result<String, (usize, Fault)> {
    let fault = |line, text| (line, Fault::new(Reason::Unreadable, text));
    // Opening a pipe would wait for a writer.
    if !file.is_file() {
        return Err(fault(1, "not a regular file".into()));
    }
    let bytes = std::fs::read(file).map_err(|e| fault(1, format!("cannot be read: {e}")))?;
    text::decode(bytes).map_err(|e| fault(e.line, e.to_string()))
}

/// The face of a file, pixels of the photo; or the line and what is wrong in it.
pub(super) fn parse(text: &str) -> Result<FaceLabel, (usize, Fault)> {
    let mut lines = list::lines(text);
    let last = text.lines().count().max(1);
    let mut next = |expected: &str| {
        lines.next().ok_or_else(|| {
            let text = format!("the file ends where {expected} is expected");
            (last, Fault::new(Reason::WrongCount, text))
        })
    };
    let (line, version) = next("`version: 1`")?;
    if field(version, "version").is_none() {
        return Err((line, expected("`version: 1`", version)));
    }
    let (counted, count) = next("`n_points: 68`")?;
    let count: usize = field(count, "n_points")
        .and_then(|v| v.parse().ok())
        .ok_or_else(|| (counted, expected("`n_points: 68`", count)))?;
    let (line, open) = next("`{`")?;
    if open != "{" {
        return Err((line, expected("`{`", open)));
    }
    let mut points = Vec::new();
    loop {
        let (line, content) = next("`}`")?;
        if content == "}" {
            break;
        }
        points.push(point(content).map_err(|fault| (line, fault))?);
    }
    if points.len() != count || count == 0 {
        let text = format!("{} points, but n_points says {count}", points.len());
        return Err((counted, Fault::new(Reason::WrongCount, text)));
    }
    let bounds = BoxXyxy::around(&points).unwrap_or_default();
    Ok(FaceLabel {
        landmarks: Landmarks::all(points),
        ignored: !bounds.has_size(),
        ..FaceLabel::boxed(bounds)
    })
}

/// How `points` points of a file serve the scheme: 68 are 300-W, otherwise they must be the
/// scheme's own.
fn converter(points: usize, to: &Scheme) -> Result<Option<Converter>, (usize, Fault)> {
    if points == to.len() {
        return Ok(Converter::between(to, to));
    }
    let ibug = Scheme::ibug68();
    if points == ibug.len() {
        return Ok(Converter::between(&ibug, to));
    }
    let text = format!(
        "{points} points; 300-W files have {}, and {} has {}",
        ibug.len(),
        to.name(),
        to.len()
    );
    Err((2, Fault::new(Reason::WrongCount, text)))
}

fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    (found.trim() == key).then(|| value.trim())
}

fn point(line: &str) -> Result<Point, Fault> {
    match list::numbers(line)?.as_slice() {
        &[x, y] => Ok(from_pts([x, y])),
        other => {
            let text = format!("{} numbers instead of x and y", other.len());
            Err(Fault::new(Reason::WrongCount, text))
        }
    }
}

fn expected(what: &str, found: &str) -> Fault {
    let text = format!("`{found}` stands where {what} is expected");
    Fault::new(Reason::Malformed, text)
}
