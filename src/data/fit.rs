//! Whether labels fit the photo that they are said to belong to.
//!
//! Faces that the photo's edge cuts have points, and parts of their boxes, outside of it. Of 56,000
//! boxes and 15,000 faces with points of WIDER FACE, WFLW and 300-W none reaches further than this:
//! points by 0.67 of the longer side of their box and by 0.14 of that of the photo; boxes lie inside
//! by 0.76 of their area, and are 1.1 times as long as the photo. The limits leave room beyond
//! that; what they refuse belongs to another photo, to another size of it, or to no photo.

use anyhow::Result;

use super::list::{Fault, Faults, Listed};
use super::{FaceLabel, Reason};
use crate::geometry::BoxXyxy;

/// Longest side of a box, in longer sides of the photo.
const LONGEST: f32 = 3.0;
/// Share of a box that lies inside the photo at least.
const INSIDE: f32 = 0.05;
/// A point may lie outside by the longer side of its box, and by this range of the photo's.
const REACH: [f32; 2] = [0.25, 1.0];

/// Leave out the faces that do not fit into a photo of `size` = `[width, height]` pixels, or the
/// whole photo where `all_faces` are listed: a face left out would count as background. Gives
/// whether anything is left of the photo.
pub(super) fn check(
    photo: &mut Listed,
    size: [u32; 2],
    all_faces: bool,
    faults: &mut Faults<'_>,
) -> Result<bool> {
    let mut good = Vec::with_capacity(photo.faces.len());
    let had_faces = !photo.faces.is_empty();
    for face in std::mem::take(&mut photo.faces) {
        match misfit(&face.label, size) {
            None => good.push(face),
            Some(text) => {
                faults.found(face.place, Fault::new(Reason::Outside, text))?;
                if all_faces {
                    return Ok(false);
                }
            }
        }
    }
    photo.faces = good;
    Ok(!(had_faces && photo.faces.is_empty()))
}

/// What does not fit, if anything.
fn misfit(face: &FaceLabel, size: [u32; 2]) -> Option<String> {
    let [width, height] = size.map(|v| v as f32);
    let longer = width.max(height);
    let b = face.box_xyxy;
    let [box_width, box_height] = [b.width().abs(), b.height().abs()];
    let reach = box_width.max(box_height); // ignores what is not a number
    let reach = reach.clamp(REACH[0] * longer, REACH[1] * longer);
    for (i, point) in face.landmarks.iter().enumerate() {
        let [x, y] = point.at;
        let outside = (-x).max(x - width).max(-y).max(y - height);
        if point.labelled && outside > reach {
            return Some(format!(
                "point {i} (from 0) lies at ({x}, {y}), {outside:.0} pixels outside the photo of \
                 {width} x {height}"
            ));
        }
    }
    let [x1, y1, x2, y2] = <[f32; 4]>::from(b);
    // Not a number, which is never small enough, when a corner is beyond all numbers.
    let small = |side: f32| side <= LONGEST * longer;
    if !(small(box_width) && small(box_height)) {
        return Some(format!(
            "the box from ({x1}, {y1}) to ({x2}, {y2}) is too large for the photo of {width} x \
             {height} pixels"
        ));
    }
    let photo = BoxXyxy::new(0.0, 0.0, width, height);
    let outside = b.has_size() && b.intersection(&photo) < INSIDE * b.area();
    outside.then(|| {
        format!(
            "the box from ({x1}, {y1}) to ({x2}, {y2}) lies outside the photo of {width} x \
             {height} pixels"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Landmarks;

    fn boxed(b: [f32; 4]) -> Option<String> {
        misfit(&FaceLabel::boxed(b.into()), [400, 200])
    }

    #[test]
    fn boxes_at_the_edge_fit_and_others_do_not() {
        for fits in [
            [0.0, 0.0, 400.0, 200.0],
            [-60.0, -60.0, 80.0, 80.0],
            [350.0, 150.0, 500.0, 300.0],
            [-390.0, -390.0, 800.0, 800.0],
            // Without size, and so ignored.
            [0.0, 0.0, 0.0, 0.0],
            [900.0, 900.0, 900.0, 940.0],
        ] {
            assert_eq!(boxed(fits), None, "{fits:?}");
        }
        for outside in [
            [400.0, 0.0, 440.0, 40.0],
            [-50.0, -50.0, -10.0, -10.0],
            [399.0, 10.0, 439.0, 50.0],
            [5000.0, 20.0, 5040.0, 60.0],
        ] {
            let text = boxed(outside).unwrap();
            assert!(text.contains("outside the photo of 400 x 200"), "{text}");
        }
        for large in [
            [0.0, 0.0, 1e38, 40.0],
            [-1e38, -1e38, 1e38, 1e38],
            [0.0, 0.0, f32::INFINITY, 40.0],
            [f32::NAN, 0.0, 10.0, 40.0],
            [1e30, 0.0, 0.0, 40.0],
        ] {
            let text = boxed(large).unwrap();
            assert!(text.contains("too large"), "{text}");
        }
    }

    #[test]
    fn points_may_leave_the_photo_a_little() {
        let with = |b: [f32; 4], at| {
            let face = FaceLabel {
                landmarks: Landmarks::all([[50.0, 50.0], at]),
                ..FaceLabel::boxed(b.into())
            };
            misfit(&face, [400, 200])
        };
        let [small, large] = [[0.0, 10.0, 30.0, 50.0], [0.0, 0.0, 390.0, 200.0]];
        // A quarter of the photo, or the length of the face.
        assert_eq!(with(small, [-100.0, 20.0]), None);
        assert_eq!(with(large, [20.0, 580.0]), None);
        let text = with(small, [-101.0, 20.0]).unwrap();
        assert!(text.starts_with("point 1 (from 0)"), "{text}");
        assert!(with(large, [20.0, 595.0]).is_some());
        // However large the box is said to be.
        assert!(with([0.0, 0.0, 1e30, 1e30], [5000.0, 20.0]).is_some());
        assert!(with(small, [20.0, 5000.0]).is_some());
        let mut face = FaceLabel::boxed(small.into());
        face.landmarks = Landmarks::all([[5000.0, 20.0]]).masked(|_| false);
        assert_eq!(misfit(&face, [400, 200]), None);
    }
}
