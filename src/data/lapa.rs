//! LaPa's files of points (Liu et al., AAAI 2020; <https://github.com/JDAI-CV/lapa-dataset>).
//!
//! `landmarks/NAME.txt` belongs to `images/NAME.jpg`. Its first line says how many points follow, 106; each
//! of the others has x and y, pixels counted from 0, taken as they are. The bounds of the points stand
//! in for a box. The order is that of [`Scheme::lapa106`](crate::geometry::Scheme::lapa106).

use std::path::Path;

use super::Reason;
use super::files::{self, Format, Parsed};
use super::list::{self, Fault, Place, Units};
use super::pts::{expected, listed, pair};
use crate::geometry::{Landmarks, Point};

/// As the reader of files knows it.
pub(super) const FORMAT: Format = Format {
    endings: &["txt"],
    suffix: "",
    units: Units::Pixels,
    parse,
};

fn parse(_: &Path, bytes: &[u8]) -> Parsed {
    let text = files::decode(bytes)?;
    let mut lines = list::lines(&text);
    let Some((counted, count)) = lines.next() else {
        let text = "the file is empty; the number of points is expected";
        return Err((Place::Whole, Fault::new(Reason::WrongCount, text)));
    };
    let at = |line| move |fault| (Place::Line(line), fault);
    let wanted: usize =
        (count.parse()).map_err(|_| (counted.into(), expected("the number of points", count)))?;
    let points = lines.map(|(line, content)| {
        let numbers = list::numbers(content).map_err(at(line))?;
        pair(&numbers).map_err(at(line))
    });
    let points: Vec<Point> = points.collect::<Result<_, _>>()?;
    if points.len() != wanted || wanted == 0 {
        let text = format!("{} points, but the first line says {wanted}", points.len());
        return Err((counted.into(), Fault::new(Reason::WrongCount, text)));
    }
    Ok(vec![listed(Landmarks::all(points))])
}
