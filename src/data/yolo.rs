//! YOLO pose labels: a text file for each photo, a line for each face.
//!
//! `class cx cy w h  x y v ...` or `class cx cy w h  x y ...`, everything but `class` and `v` in widths and
//! heights of the photo (<https://docs.ultralytics.com/datasets/pose/>). `labels/NAME.txt` belongs to
//! `images/NAME.jpg`. An empty file says that the photo has no face, and faces that no line names
//! count as background, as they do there. `v` is 0 where a point is not labelled; without `v` negative
//! coordinates say so. Whether there is a `v` is told by the numbers: then every third one behind the box
//! is 0, 1 or 2. Classes are not told apart.

use std::path::Path;

use super::files::{self, Format, Parsed};
use super::list::{self, Fault, ListedFace, Place, Units};
use super::{FaceLabel, Reason};
use crate::geometry::{BoxXyxy, Landmarks};

/// As the reader of files knows it.
pub(super) const FORMAT: Format = Format {
    endings: &["txt"],
    suffix: "",
    units: Units::Shares,
    parse,
};

/// Class and box.
const HEAD: usize = 5;

fn parse(_: &Path, bytes: &[u8]) -> Parsed {
    let text = files::decode(bytes)?;
    let faces = list::lines(&text).map(|(line, content)| {
        let place = Place::Line(line);
        let label = face(content).map_err(|fault| (place, fault))?;
        Ok(ListedFace { place, label })
    });
    faces.collect()
}

fn face(line: &str) -> Result<FaceLabel, Fault> {
    let values = list::numbers(line)?;
    let Some(([_, cx, cy, w, h], points)) = values.split_first_chunk::<HEAD>() else {
        return Err(wrong_count(values.len()));
    };
    let box_xyxy = BoxXyxy::from_cxcywh([*cx, *cy, *w, *h]);
    Ok(FaceLabel {
        landmarks: landmarks(points).ok_or_else(|| wrong_count(values.len()))?,
        ignored: !box_xyxy.has_size(),
        ..FaceLabel::boxed(box_xyxy)
    })
}

/// `None` when the numbers come neither in twos nor in threes.
fn landmarks(values: &[f32]) -> Option<Landmarks> {
    let is_flag = |v: &f32| [0.0, 1.0, 2.0].contains(v);
    let threes = values.len().is_multiple_of(3) && values.iter().skip(2).step_by(3).all(is_flag);
    let points: Landmarks = match threes {
        true => (values.chunks_exact(3).map(|p| ([p[0], p[1]], p[2] > 0.0))).collect(),
        false if values.len().is_multiple_of(2) => {
            let points = values.chunks_exact(2);
            points
                .map(|p| ([p[0], p[1]], p[0] >= 0.0 && p[1] >= 0.0))
                .collect()
        }
        false => return None,
    };
    Some(if points.any_labelled() {
        points
    } else {
        Landmarks::none()
    })
}

fn wrong_count(count: usize) -> Fault {
    let text = format!(
        "{count} numbers instead of 5 (class, centre and size of the box) and 2 or 3 for each point (x y, \
         x y v)"
    );
    Fault::new(Reason::WrongCount, text)
}
