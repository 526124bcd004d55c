//! Crops of faces with normalised points, as `retinamark extract` writes them: one `.npts` or `.cpts` file
//! a crop, the picture beside it.
//!
//! ```text
//! version: 1
//! n_points: 98
//! attributes: 0 1 0 0 0 0
//! pose: 0.1 -0.4 0.02
//! {
//! 0.214286 0.310000
//! nan nan
//! ...
//! }
//! ```
//! The form is that of `.pts` (see [`super::pts`]). Points of `.npts` are shares of the picture's width and
//! height, from 0 at its left and upper edge to 1; `.cpts` has -1 and 1 at the edges. They may lie
//! outside. `nan` stands where nobody labelled a point. The lines between are there where the list that
//! the face comes from has them: WFLW's attributes, and pitch, yaw and roll (see [`HeadPose`]).

use std::fmt::Write;
use std::path::Path;

use super::files::{self, Format, Parsed};
use super::list::{self, Fault, Place, Units};
use super::pts::{block, expected, field, listed, pair};
use super::{FaceLabel, Reason};
use crate::geometry::{HeadPose, Landmarks, Point};

/// As the reader of files knows it.
pub(super) const FORMAT: Format = Format {
    endings: &["npts", "cpts"],
    suffix: "",
    units: Units::Shares,
    parse,
};

/// How points of crops are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CropRange {
    /// `.npts`, 0 to 1.
    Unit,
    /// `.cpts`, -1 to 1.
    Centred,
}

impl CropRange {
    /// Ending of its files, no dot.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Unit => "npts",
            Self::Centred => "cpts",
        }
    }

    fn of(file: &Path) -> Self {
        let centred = |e: &std::ffi::OsStr| e.eq_ignore_ascii_case(Self::Centred.ending());
        match file.extension().is_some_and(centred) {
            true => Self::Centred,
            false => Self::Unit,
        }
    }
}

/// The text of a file for a face on a square crop of `side` pixels.
pub fn crop_text(face: &FaceLabel, side: f32, range: CropRange) -> String {
    let mut text = format!("version: 1\nn_points: {}\n", face.landmarks.len());
    // Writing to a string cannot fail.
    if let Some(attributes) = face.attributes {
        let flags = attributes.map(|a| u8::from(a).to_string()).join(" ");
        let _ = writeln!(text, "attributes: {flags}");
    }
    if let Some(HeadPose { pitch, yaw, roll }) = face.pose {
        let _ = writeln!(text, "pose: {pitch:.6} {yaw:.6} {roll:.6}");
    }
    text.push_str("{\n");
    for point in face.landmarks.iter() {
        let [x, y] = point.at.map(|v| match range {
            CropRange::Unit => v / side,
            CropRange::Centred => 2.0 * v / side - 1.0,
        });
        let _ = match point.labelled {
            true => writeln!(text, "{x:.6} {y:.6}"),
            false => writeln!(text, "nan nan"),
        };
    }
    text.push_str("}\n");
    text
}

fn parse(file: &Path, bytes: &[u8]) -> Parsed {
    let text = files::decode(bytes)?;
    let block = block(&text)?;
    let range = CropRange::of(file);
    let at = |line| move |fault| (Place::Line(line), fault);
    let points = block.points.iter();
    let points = points.map(|&(line, content)| point(content, range).map_err(at(line)));
    let mut face = listed(points.collect::<Result<Landmarks, _>>()?);
    for (line, content) in block.fields {
        note(&mut face.label, content).map_err(at(line))?;
    }
    Ok(vec![face])
}

/// A point as a share of the picture, and whether it is labelled.
fn point(content: &str, range: CropRange) -> Result<(Point, bool), Fault> {
    let words: Vec<&str> = content.split_whitespace().collect();
    let words = pair(&words)?;
    if words.iter().all(|word| word.eq_ignore_ascii_case("nan")) {
        return Ok(([0.0; 2], false));
    }
    let [x, y] = words.map(list::number);
    let share = |v: f32| match range {
        CropRange::Unit => v,
        CropRange::Centred => (v + 1.0) / 2.0,
    };
    Ok(([share(x?), share(y?)], true))
}

/// Take down what a line between the number of points and the points says.
fn note(face: &mut FaceLabel, line: &str) -> Result<(), Fault> {
    if let Some(values) = field(line, "attributes") {
        let flags = list::numbers(values)?.into_iter().map(list::flag);
        let flags: Vec<bool> = flags.collect::<Result<_, _>>()?;
        let count = flags.len();
        face.attributes = Some(
            flags
                .try_into()
                .map_err(|_| wrong_count(count, "6 attributes"))?,
        );
    } else if let Some(values) = field(line, "pose") {
        let values = list::numbers(values)?;
        let &[pitch, yaw, roll] = values.as_slice() else {
            return Err(wrong_count(values.len(), "pitch, yaw and roll"));
        };
        face.pose = Some(HeadPose { pitch, yaw, roll });
    } else {
        return Err(expected("`attributes:`, `pose:` or `{`", line));
    }
    Ok(())
}

fn wrong_count(count: usize, what: &str) -> Fault {
    Fault::new(
        Reason::WrongCount,
        format!("{count} numbers instead of {what}"),
    )
}
