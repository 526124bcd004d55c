//! More looks than one: small faces in large photos, and faces that do not stand upright.

use image::{RgbImage, imageops};
use retinamark::device;
use retinamark::geometry::{Face, Point};
use retinamark::imaging::{self, Limits};
use retinamark::infer::{DetectOptions, InputSize, Predictor};
use retinamark::model::weights;

use crate::support::at_home;

fn predictor() -> Predictor {
    let device = device::by_name("flex").unwrap();
    Predictor::load(&weights::find(None).unwrap(), &device).unwrap()
}

fn photo() -> RgbImage {
    let path = at_home("data/sample/astronaut.png");
    imaging::load_rgb(&path, &Limits::default()).unwrap()
}

fn options(predictor: &Predictor) -> DetectOptions {
    DetectOptions::from(&predictor.config().detect)
}

/// The only face found.
fn only(faces: Vec<Face>) -> Face {
    assert_eq!(faces.len(), 1, "{faces:?}");
    faces.into_iter().next().unwrap()
}

/// The mean distance of points, in longer sides of the face.
fn apart(found: &Face, expected: &[Point], longer: f32) -> f32 {
    let pairs = found.landmarks.iter().zip(expected);
    let sum: f32 = pairs.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum();
    sum / expected.len() as f32 / longer
}

#[test]
fn auto_comes_nearer_to_small_faces() {
    let predictor = predictor();
    let mut options = options(&predictor);
    let near = only(predictor.detect(&photo(), &options).unwrap());
    // The face is nine pixels wide in the first look, and in a tile of its own at last.
    let at = [4500, 2200];
    let mut wide = RgbImage::from_pixel(6400, 3000, image::Rgb([90, 120, 90]));
    imageops::replace(&mut wide, &photo(), at[0], at[1]);
    assert!(predictor.detect(&wide, &options).unwrap().is_empty());
    options.size = InputSize::Auto;
    let found = only(predictor.detect(&wide, &options).unwrap());
    let longer = near.box_xyxy.longer_side();
    let expected = near.moved(at.map(|v| v as f32));
    assert!(found.box_xyxy.iou(&expected.box_xyxy) > 0.7, "{found:?}");
    assert!(apart(&found, &expected.landmarks, longer) < 0.03);
}

#[test]
fn auto_looks_from_afar_at_faces_that_fill_the_frame() {
    let predictor = predictor();
    let mut options = options(&predictor);
    let near = only(predictor.detect(&photo(), &options).unwrap());
    let [cx, cy, ..] = near.box_xyxy.cxcywh();
    let side = 1.02 * near.box_xyxy.longer_side();
    let start = [cx, cy].map(|v| (v - 0.5 * side) as u32);
    let close =
        imageops::crop_imm(&photo(), start[0], start[1], side as u32, side as u32).to_image();
    options.size = InputSize::Auto;
    let found = only(predictor.detect(&close, &options).unwrap());
    let expected = near.moved(start.map(|v| -(v as f32)));
    assert!(apart(&found, &expected.landmarks, side) < 0.05);
}

#[test]
fn faces_are_found_at_any_angle() {
    let predictor = predictor();
    let mut options = options(&predictor);
    let upright = only(predictor.detect(&photo(), &options).unwrap());
    let longer = upright.box_xyxy.longer_side();
    let on_its_head = imageops::rotate180(&photo());
    let expected: Vec<Point> = upright
        .landmarks
        .iter()
        .map(|p| p.map(|v| 512.0 - v))
        .collect();
    options.any_angle = true;
    let found = only(predictor.detect(&on_its_head, &options).unwrap());
    assert!(apart(&found, &expected, longer) < 0.02, "{found:?}");
    // What stands upright stays as it is.
    let again = only(predictor.detect(&photo(), &options).unwrap());
    assert!(apart(&again, &upright.landmarks, longer) < 0.01);
}
