//! Faces at any angle.
//!
//! A network that learned upright faces finds those on their side seldom, and their points hardly ever.
//! With [`DetectOptions::any_angle`] the photo is looked at on its sides and upside down too. And a face
//! whose points are not to be trusted is looked at again in crops turned by quarters: the confidences
//! tell which way is up.

use std::f32::consts::FRAC_PI_2;

use image::{RgbImage, imageops};

use super::cascade::Cascade;
use super::detector::Detector;
use super::{Around, Clock, DetectOptions};
use crate::error::Result;
use crate::geometry::{Face, FaceCrop, Point};

/// Crops of a face that is not sure which way is up: by quarters of a turn.
const QUARTERS: u8 = 4;

/// By how much the mean confidence of a turned look must be higher to be believed. Upright faces that are
/// dark or hidden would turn by chance otherwise.
const SURER: f32 = 0.1;

/// Faces of the copies of a photo that are turned by one, two and three quarters, in its own pixels.
pub(super) fn of_copies(
    detector: &Detector,
    photo: &RgbImage,
    options: &DetectOptions,
    clock: &Clock,
) -> Result<Vec<Vec<Face>>> {
    let size = [photo.width() as f32, photo.height() as f32];
    let copy = |quarters: u8| -> Result<Vec<Face>> {
        let turned = clockwise(photo, quarters);
        let found = detector.run(detector.prepare(&turned, options)?, options, clock)?;
        let found = detector.look_closer(&turned, found, options, clock)?;
        Ok(found
            .into_iter()
            .map(|face| back(face, quarters, size))
            .collect())
    };
    (1..QUARTERS).map(copy).collect()
}

/// The photo turned by one, two or three quarters.
fn clockwise(photo: &RgbImage, quarters: u8) -> RgbImage {
    match quarters {
        1 => imageops::rotate90(photo),
        2 => imageops::rotate180(photo),
        _ => imageops::rotate270(photo),
    }
}

/// A face on a copy that is turned clockwise by some `quarters`, in pixels of the photo of that size.
fn back(mut face: Face, quarters: u8, [width, height]: [f32; 2]) -> Face {
    let point = |[x, y]: Point| match quarters {
        1 => [y, height - x],
        2 => [width - x, height - y],
        _ => [width - y, x],
    };
    let b = face.box_xyxy;
    let ([x1, y1], [x2, y2]) = (point([b.x1, b.y1]), point([b.x2, b.y2]));
    face.box_xyxy = [x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2)].into();
    for landmark in &mut face.landmarks {
        *landmark = point(*landmark);
    }
    face
}

/// Look again, every way round, at those of the `faces` whose points are not to be trusted.
pub(super) fn settle(aligners: &Cascade, photo: &RgbImage, faces: &mut [Face]) -> Result<()> {
    let mut chosen = Vec::new();
    let mut crops = Vec::new();
    for (index, face) in faces.iter().enumerate() {
        if face.is_unsure()
            && let Some(crop) = aligners.crop_of_box(face.box_xyxy, Around::Face)
        {
            chosen.push(index);
            crops.extend((0..QUARTERS).map(|quarters| turned(crop, quarters)));
        }
    }
    let found = aligners.align(photo, crops)?;
    for (index, ways) in chosen.into_iter().zip(found.chunks(QUARTERS.into())) {
        for aligned in ways.iter().flatten() {
            let face = aligned.clone().given_to(&faces[index]);
            if surer(&face, &faces[index]) {
                faces[index] = face;
            }
        }
    }
    Ok(())
}

fn surer(new: &Face, old: &Face) -> bool {
    let pair = new.confidence().zip(old.confidence());
    pair.is_some_and(|(new, old)| new > old + SURER)
}

fn turned(crop: FaceCrop, quarters: u8) -> FaceCrop {
    FaceCrop {
        angle: crop.angle + f32::from(quarters) * FRAC_PI_2,
        ..crop
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn faces_of_turned_copies_lie_where_they_lie_in_the_photo() {
        // A red pixel, and a face of that pixel with its centre as the landmark.
        let mut photo = RgbImage::new(7, 4);
        photo.put_pixel(5, 1, Rgb([255, 0, 0]));
        for quarters in 1..QUARTERS {
            let copy = clockwise(&photo, quarters);
            let mut pixels = copy.enumerate_pixels();
            let (x, y, _) = pixels.find(|(_, _, pixel)| pixel.0[0] > 0).unwrap();
            let [x, y] = [x as f32, y as f32];
            let face = Face {
                box_xyxy: [x, y, x + 1.0, y + 1.0].into(),
                score: 0.5,
                landmarks: vec![[x + 0.5, y + 0.5]],
                landmark_scores: None,
                pose: None,
            };
            let face = back(face, quarters, [7.0, 4.0]);
            assert_eq!(<[f32; 4]>::from(face.box_xyxy), [5.0, 1.0, 6.0, 2.0]);
            assert_eq!(face.landmarks, [[5.5, 1.5]], "{quarters}");
        }
    }

    #[test]
    fn a_turned_look_must_be_surer_by_far() {
        let face = |confidence| Face {
            box_xyxy: [0.0, 0.0, 1.0, 1.0].into(),
            score: 0.5,
            landmarks: vec![[0.0, 0.0]],
            landmark_scores: Some(vec![confidence]),
            pose: None,
        };
        assert!(surer(&face(0.75), &face(0.5)) && !surer(&face(0.55), &face(0.5)));
    }
}
