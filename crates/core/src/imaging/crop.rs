//! Aligned crops: every face upright and of one size.

use image::RgbImage;

use super::warp;
use crate::error::{Error, Result};
use crate::geometry::{Affine, BoxXyxy, EYES_AND_MOUTH, Face, Point, Scheme};

/// Share of the crop's side that the face's box takes when its points cannot be used.
const BOX_SHARE: f32 = 0.8;

/// Colour where the crop reaches over the photo's edge.
const OUTSIDE: [u8; 3] = [0; 3];

/// The template in pixels of a crop of `side`: left eye, right eye, left and right mouth corner,
/// left being the left of the picture.
pub fn template(side: u32) -> [Point; 4] {
    EYES_AND_MOUTH.map(|p| p.map(|v| v * side as f32))
}

/// Whether the scheme says where eyes and mouth are.
pub fn has_template(scheme: &Scheme) -> bool {
    scheme.five_of(&vec![[0.0; 2]; scheme.len()]).is_some()
}

/// The map from photo pixels to the crop's: the similarity (rotation, scale, shift) that brings
/// eyes and mouth corners closest to the [`template`]. Where the points say nothing (all in one
/// place, or the scheme has no eyes) the box is centred instead. `None` for a box without size.
pub fn align(face: &Face, scheme: &Scheme, side: u32) -> Option<Affine> {
    let by_points = || {
        let [left_eye, right_eye, _, mouth_left, mouth_right] = scheme.five_of(&face.landmarks)?;
        let from = [left_eye, right_eye, mouth_left, mouth_right];
        Affine::similarity(&from, &template(side))
    };
    by_points().or_else(|| by_box(&face.box_xyxy, side))
}

fn by_box(box_xyxy: &BoxXyxy, side: u32) -> Option<Affine> {
    if !box_xyxy.has_size() {
        return None;
    }
    let side = side as f32;
    let scale = BOX_SHARE * side / box_xyxy.longer_side();
    let [cx, cy] = box_xyxy.centre();
    let shift = [side / 2.0 - cx * scale, side / 2.0 - cy * scale];
    Some(Affine::scale_shift(scale, shift))
}

/// The upright crop of a face, `side` x `side` pixels, black where it reaches over the photo.
///
/// # Errors
/// When the face's box has no size, or the photo cannot be shrunk.
pub fn aligned_crop(photo: &RgbImage, face: &Face, scheme: &Scheme, side: u32) -> Result<RgbImage> {
    let map = align(face, scheme, side)
        .ok_or_else(|| Error::Landmarks("a face without size cannot be cropped".to_owned()))?;
    warp(photo, &map, [side, side], OUTSIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(landmarks: Vec<Point>) -> Face {
        Face {
            box_xyxy: [10.0, 20.0, 50.0, 60.0].into(),
            score: 1.0,
            landmarks,
            landmark_scores: None,
            pose: None,
        }
    }

    #[test]
    fn a_turned_face_comes_upright() {
        let turn = Affine::rotation(0.7, 3.0, [40.0, 9.0]);
        let [le, re, ml, mr] = template(100).map(|p| turn.apply(p));
        let f = face(vec![le, re, [0.0, 0.0], ml, mr]);
        let map = align(&f, &Scheme::five(), 100).unwrap();
        for (found, wanted) in [le, re, ml, mr]
            .map(|p| map.apply(p))
            .iter()
            .zip(template(100))
        {
            assert!((found[0] - wanted[0]).abs() < 1e-2 && (found[1] - wanted[1]).abs() < 1e-2);
        }
    }

    #[test]
    fn without_usable_points_the_box_is_centred() {
        let map = align(&face(vec![[7.0, 7.0]; 5]), &Scheme::five(), 100).unwrap();
        assert_eq!(map.apply([30.0, 40.0]), [50.0, 50.0]);
        assert_eq!(map.apply([10.0, 20.0]), [10.0, 10.0]);
        let mut none = face(Vec::new());
        none.box_xyxy = [1.0, 1.0, 1.0, 5.0].into();
        assert!(align(&none, &Scheme::five(), 100).is_none());
    }
}
