//! Where an evaluation looks for the faces.

use anyhow::Result;
use image::RgbImage;

use crate::data::FaceLabel;
use crate::geometry::{BoxXyxy, Face};
use crate::infer::{Around, Predictor};

/// Who says where the faces are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes {
    /// The detector: the joint protocol.
    Detected,
    /// The bounds of the true landmarks; the aligner alone is measured (top-down, as most
    /// published figures of landmark networks are).
    Truth,
    /// The boxes of the list (its rectangles, or those of a WIDER list beside it); likewise.
    List,
}

/// What the aligner sees in the bounds of the true landmarks of each face that has some. A result
/// has the box of its label, so that it stands for it in the joint protocol.
///
/// # Errors
/// When there is no aligner, or the device fails.
pub fn align_truths(
    predictor: &Predictor,
    photo: &RgbImage,
    labels: &[FaceLabel],
) -> Result<Vec<Face>> {
    let bounds = |face: &FaceLabel| face.landmarks.bounds();
    align(predictor, photo, labels, Around::Landmarks, bounds)
}

/// The same in the box of each label.
pub(super) fn align_listed(
    predictor: &Predictor,
    photo: &RgbImage,
    labels: &[FaceLabel],
) -> Result<Vec<Face>> {
    let bounds = |face: &FaceLabel| Some(face.box_xyxy);
    align(predictor, photo, labels, Around::Face, bounds)
}

fn align(
    predictor: &Predictor,
    photo: &RgbImage,
    labels: &[FaceLabel],
    around: Around,
    bounds: impl Fn(&FaceLabel) -> Option<BoxXyxy>,
) -> Result<Vec<Face>> {
    let faces = labels.iter().filter(|f| !f.ignored && f.has_landmarks());
    let (faces, boxes): (Vec<&FaceLabel>, Vec<BoxXyxy>) =
        faces.filter_map(|f| Some((f, bounds(f)?))).unzip();
    let found = faces
        .into_iter()
        .zip(predictor.align(photo, &boxes, around)?);
    let own_box = |(label, face): (&FaceLabel, Option<Face>)| {
        Some(Face {
            box_xyxy: label.box_xyxy,
            ..face?
        })
    };
    Ok(found.filter_map(own_box).collect())
}
