//! WFLW lists: one face a line.
//!
//! `x0 y0 ... x97 y97  x1 y1 x2 y2  pose expression illumination make-up occlusion blur  name`
//! (Wu et al., "Look at Boundary", CVPR 2018). Several lines may name the same photo.
//!
//! Nobody says what a whole number means there: an edge between pixels, as here, or a pixel's centre,
//! half a pixel further. Numbers are taken as they are: the shipped network, which sees the same
//! place in a photo and in its mirror image, errs by +0.2 and +0.1 pixels (x, y) on the eyes and
//! mouths of 248 faces that people labelled; half a pixel added would make that -0.3 and -0.4.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, ensure};

use super::head_poses::HeadPoses;
use super::list::{self, Fault, Faults, List, Listed, ListedFace};
use super::{FaceLabel, Reason};
use crate::geometry::{BoxXyxy, Landmarks, Point};
use crate::text;

/// Points of the format.
pub(super) const POINTS: usize = 98;
/// Coordinates, rectangle, attributes.
const NUMBERS: usize = 2 * POINTS + 4 + 6;

/// How unsure the points of each line are, and what follows from it.
pub(super) struct Disagreement {
    per_line: Vec<f32>,
    /// From where on they are not used.
    max: Option<f32>,
    /// Where they count half.
    half: Option<f32>,
}

impl Disagreement {
    /// Read the file beside a list: one number a line, in the order of the list.
    pub(super) fn read(path: &Path, max: Option<f32>, half: Option<f32>) -> Result<Self> {
        let text = text::read(path)?;
        let mut per_line = Vec::new();
        for (line, token) in list::lines(&text) {
            match list::number(token) {
                Ok(value) => per_line.push(value),
                Err(f) => anyhow::bail!("{}:{line}: {}", path.display(), f.text),
            }
        }
        Ok(Self {
            per_line,
            max,
            half,
        })
    }

    /// What the face of this index is worth: its landmarks go, or count less, and how unsure they are.
    /// Gives whether they stay.
    fn judge(&self, index: usize, label: &mut FaceLabel) -> bool {
        // That there are as many numbers as faces is asked for in the end.
        let value = self.per_line.get(index).copied().unwrap_or_default();
        if self.max.is_some_and(|max| value > max) {
            label.clear_landmarks();
            return false;
        }
        label.doubt = value;
        if let Some(half) = self.half {
            label.trust = trust(value, half);
        }
        true
    }
}

/// How much points count that their makers disagree about by `value`, `half` being where they count
/// half: `1 / (1 + (value / half)^2)`. Where errors of two kinds add up in squares, one that all
/// points have and one that grows with the disagreement, this is the share of the former: the weight
/// of a measurement by its variance.
fn trust(value: f32, half: f32) -> f32 {
    1.0 / (1.0 + (value / half).powi(2))
}

/// The photos of a list, in the order in which it names them first.
pub(super) fn parse(
    text: &str,
    list: &List<'_>,
    disagreement: Option<&Disagreement>,
    poses: Option<&HeadPoses>,
    faults: &mut Faults<'_>,
) -> Result<Vec<Listed>> {
    let mut photos: Vec<Listed> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::new();
    let (mut faces, mut unsure, mut no_rect) = (0, 0, 0);
    for (line, content) in list::lines(text) {
        faces += 1;
        let (name, mut label) = match parse_line(content) {
            Ok(parsed) => parsed,
            Err(fault) => {
                faults.found(line, fault)?;
                continue;
            }
        };
        if let Some(d) = disagreement {
            unsure += usize::from(!d.judge(faces - 1, &mut label));
        }
        label.pose = poses.and_then(|poses| poses.get(faces - 1));
        no_rect += usize::from(!label.box_xyxy.has_size());
        let at = *index.entry(name).or_insert_with(|| {
            photos.push(list.photo(name, line, Vec::new()));
            photos.len() - 1
        });
        photos[at].faces.push(ListedFace {
            place: line.into(),
            label,
        });
    }
    if let Some(poses) = poses {
        poses.check(faces)?;
    }
    if let Some(d) = disagreement {
        ensure!(
            d.per_line.len() == faces,
            "data.*.disagreement has {} numbers, but its list has {faces} faces; it needs one a line",
            d.per_line.len()
        );
        if let Some(max) = d.max {
            faults.note(&format!(
                "{unsure} faces keep their box only (disagreement above {max})"
            ));
        }
    }
    if no_rect > 0 {
        faults.note(&format!(
            "{no_rect} rectangles without size replaced by the bounds of their points"
        ));
    }
    Ok(photos)
}

/// A line of a list, with its end: 98 `landmarks`, rectangle, attributes, name of the photo.
pub fn wflw_line(
    landmarks: &[Point],
    box_xyxy: &BoxXyxy,
    attributes: [bool; 6],
    name: &str,
) -> String {
    let mut line = String::new();
    // Writing to a String does not fail.
    for [x, y] in landmarks {
        let _ = write!(line, "{x:.3} {y:.3} ");
    }
    for corner in <[f32; 4]>::from(*box_xyxy) {
        let _ = write!(line, "{corner:.1} ");
    }
    for attribute in attributes {
        let _ = write!(line, "{} ", u8::from(attribute));
    }
    line.push_str(name);
    line.push('\n');
    line
}

fn parse_line(line: &str) -> Result<(&str, FaceLabel), Fault> {
    let (values, name) = split(line)?;
    let (points, rest) = values.split_at(2 * POINTS);
    let landmarks = Landmarks::all(points.chunks_exact(2).map(|p| [p[0], p[1]]));
    let mut attributes = [false; 6];
    for (out, &value) in attributes.iter_mut().zip(&rest[4..]) {
        *out = list::flag(value)?;
    }
    let rect = BoxXyxy::new(rest[0], rest[1], rest[2], rest[3]);
    let bounds = landmarks.bounds().unwrap_or(rect);
    let face = FaceLabel {
        landmarks,
        attributes: Some(attributes),
        ..FaceLabel::boxed(if rect.has_size() { rect } else { bounds })
    };
    Ok((name, face))
}

/// The numbers in front, and the rest of the line: the name, which may hold spaces.
fn split(line: &str) -> Result<(Vec<f32>, &str), Fault> {
    let mut values = Vec::with_capacity(NUMBERS);
    let mut rest = line;
    while values.len() < NUMBERS {
        let rest_trimmed = rest.trim_start();
        let end = rest_trimmed
            .find(char::is_whitespace)
            .unwrap_or(rest_trimmed.len());
        let (token, after) = rest_trimmed.split_at(end);
        if after.is_empty() {
            let text = format!(
                "{} numbers before the image name instead of {NUMBERS} (196 coordinates, 4 of the \
                 rectangle, 6 attributes)",
                values.len()
            );
            return Err(Fault::new(Reason::WrongCount, text));
        }
        values.push(list::number(token)?);
        rest = after;
    }
    let name = rest.trim();
    if name.is_empty() || name.split_whitespace().all(|t| t.parse::<f32>().is_ok()) {
        let text = format!("no image name after the {NUMBERS} numbers");
        return Err(Fault::new(Reason::WrongCount, text));
    }
    Ok((values, name))
}
