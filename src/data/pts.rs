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
//! box; the bounds of the points stand in for it. Menpo's files are the same (Zafeiriou et al., CVPR
//! Workshops 2017), and so are those of 300-VW, a file for each frame of a video (see
//! [`super::beside`]).

use std::path::Path;

use super::files::{self, Format, Parsed};
use super::list::{self, Fault, ListedFace, Place, Units};
use super::{FaceLabel, Reason};
use crate::geometry::{Landmarks, Point, from_pts};

/// As the reader of files knows it.
pub(super) const FORMAT: Format = Format {
    endings: &["pts"],
    suffix: "",
    units: Units::Pixels,
    parse,
};

fn parse(_: &Path, bytes: &[u8]) -> Parsed {
    let text = files::decode(bytes)?;
    let block = block(&text)?;
    if let Some(&(line, field)) = block.fields.first() {
        return Err((line.into(), expected("`{`", field)));
    }
    let point = |&(line, content): &(usize, &str)| {
        let place = Place::Line(line);
        let numbers = list::numbers(content).map_err(|fault| (place, fault))?;
        let [x, y] = pair(&numbers).map_err(|fault| (place, fault))?;
        Ok(from_pts([x, y]))
    };
    let points: Vec<Point> = block.points.iter().map(point).collect::<Result<_, _>>()?;
    Ok(vec![listed(Landmarks::all(points))])
}

/// A face that is all there is in its file; the bounds of its points are its box.
pub(super) fn listed(landmarks: Landmarks) -> ListedFace {
    let bounds = landmarks.bounds().unwrap_or_default();
    ListedFace {
        place: Place::Whole,
        label: FaceLabel {
            landmarks,
            ignored: !bounds.has_size(),
            ..FaceLabel::boxed(bounds)
        },
    }
}

/// What stands in a file, with the numbers of the lines.
pub(super) struct Block<'a> {
    /// Lines between the number of points and the points.
    pub fields: Vec<(usize, &'a str)>,
    /// The points, as many as the file says.
    pub points: Vec<(usize, &'a str)>,
}

/// Take a file of this form apart.
pub(super) fn block(text: &str) -> Result<Block<'_>, (Place, Fault)> {
    let mut lines = list::lines(text);
    let last = text.lines().count().max(1);
    let mut next = |expected: &str| {
        lines.next().ok_or_else(|| {
            let text = format!("the file ends where {expected} is expected");
            (last.into(), Fault::new(Reason::WrongCount, text))
        })
    };
    let (line, version) = next("`version: 1`")?;
    if field(version, "version").is_none() {
        return Err((line.into(), expected("`version: 1`", version)));
    }
    let (counted, count) = next("`n_points: 68`")?;
    let count: usize = field(count, "n_points")
        .and_then(|v| v.parse().ok())
        .ok_or_else(|| (counted.into(), expected("`n_points: 68`", count)))?;
    let mut fields = Vec::new();
    loop {
        match next("`{`")? {
            (_, "{") => break,
            (line, content) if content.contains(':') => fields.push((line, content)),
            (line, content) => return Err((line.into(), expected("`{`", content))),
        }
    }
    let mut points = Vec::new();
    loop {
        match next("`}`")? {
            (_, "}") => break,
            point => points.push(point),
        }
    }
    if points.len() != count || count == 0 {
        let text = format!("{} points, but n_points says {count}", points.len());
        return Err((counted.into(), Fault::new(Reason::WrongCount, text)));
    }
    Ok(Block { fields, points })
}

/// What a line says of `key`, if anything.
pub(super) fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    (found.trim() == key).then(|| value.trim())
}

/// Two values of a line.
pub(super) fn pair<T: Copy>(values: &[T]) -> Result<[T; 2], Fault> {
    match *values {
        [x, y] => Ok([x, y]),
        _ => {
            let text = format!("{} numbers instead of x and y", values.len());
            Err(Fault::new(Reason::WrongCount, text))
        }
    }
}

/// Something else stands in a line.
pub(super) fn expected(what: &str, found: &str) -> Fault {
    let text = format!("`{found}` stands where {what} is expected");
    Fault::new(Reason::Malformed, text)
}
