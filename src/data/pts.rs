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
//! Coordinates count from 1 (Sagonas et al., "300 Faces in-the-Wild", 2013). A `.pts` file has no
//! box; the bounds of the points stand in for it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::list::{self, Fault};
use super::{FaceLabel, Reason};
use crate::geometry::{BoxXyxy, Point};

/// Endings of the photo beside the points.
const PHOTOS: [&str; 8] = ["jpg", "png", "jpeg", "JPG", "PNG", "JPEG", "bmp", "webp"];

/// All `.pts` files of a folder (with its subfolders) or a glob, sorted.
pub(super) fn files(list: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if list.is_dir() {
        for entry in walkdir::WalkDir::new(list).follow_links(true) {
            let entry = entry.with_context(|| format!("cannot list {}", list.display()))?;
            if entry.path().extension().is_some_and(|e| e == "pts") {
                found.push(entry.into_path());
            }
        }
    } else {
        let pattern = list
            .to_str()
            .with_context(|| format!("{} is not valid UTF-8", list.display()))?;
        let paths = glob::glob(pattern)
            .with_context(|| format!("{pattern} is neither a folder nor a glob"))?;
        for path in paths {
            found.push(path.with_context(|| format!("cannot list {pattern}"))?);
        }
    }
    ensure!(
        !found.is_empty(),
        "{}: no .pts files; give a folder that holds some, or a glob",
        list.display()
    );
    found.sort();
    Ok(found)
}

/// The photo beside a `.pts` file.
pub(super) fn photo_of(file: &Path) -> Option<PathBuf> {
    let mut candidates = PHOTOS.iter().map(|ending| file.with_extension(ending));
    candidates.find(|p| p.is_file())
}

/// The face of a file, its points counted from 0; or the line and what is wrong in it.
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
    Ok(face(points))
}

fn face(landmarks: Vec<Point>) -> FaceLabel {
    let mut face = FaceLabel::boxed(BoxXyxy::around(&landmarks).unwrap_or_default());
    face.ignored = !face.box_xyxy.has_size();
    face.labelled = vec![true; landmarks.len()];
    face.landmarks = landmarks;
    face
}

fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    (found.trim() == key).then(|| value.trim())
}

fn point(line: &str) -> Result<Point, Fault> {
    match list::numbers(line)?.as_slice() {
        &[x, y] => Ok([x - 1.0, y - 1.0]),
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
