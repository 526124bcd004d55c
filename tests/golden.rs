//! What ships, as it ships: the weights in `weights/` on the photos in `data/sample`.
//!
//! `REGENERATE=1 cargo test --test main golden::` writes the expected results anew; look at
//! `retinamark detect data/sample` before you check them in.

use std::fs;

use retinamark::infer::{DetectOptions, Predictor};
use retinamark::output::PhotoRecord;
use retinamark::{device, imaging};

use crate::support::{at_home, fixture};

/// Pixels of the photo; the largest one is 2,204 pixels high.
const NEAR: f32 = 0.5;
const SCORE: f32 = 0.01;

/// The faces of all sample photos.
fn found(weights: &str) -> Vec<PhotoRecord> {
    let device = device::by_name("flex").unwrap();
    let predictor = Predictor::load(&at_home("weights").join(weights), &device).unwrap();
    let options = DetectOptions::from(&predictor.config().detect);
    let look = |name: &str| {
        let path = at_home("data/sample").join(name);
        let photo = imaging::load_rgb(&path, &imaging::Limits::default()).unwrap();
        let faces = predictor.detect(&photo, &options).unwrap();
        PhotoRecord::new(name.into(), photo.dimensions().into(), &faces)
    };
    [
        "astronaut.png",
        "biden.jpg",
        "obama.jpg",
        "obama_speech.jpg",
    ]
    .map(look)
    .to_vec()
}

fn check(weights: &str) {
    check_within(weights, [NEAR, SCORE]);
}

fn check_within(weights: &str, [pixels, score]: [f32; 2]) {
    let golden = fixture("golden").join(format!("{weights}.jsonl"));
    let found = found(weights);
    if std::env::var_os("REGENERATE").is_some() {
        let lines = found
            .iter()
            .map(|photo| serde_json::to_string(photo).unwrap() + "\n");
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        return fs::write(&golden, lines.collect::<String>()).unwrap();
    }
    let text = fs::read_to_string(&golden).expect("REGENERATE=1 writes it");
    let expected: Vec<PhotoRecord> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let name = &found.image;
        assert_eq!(
            (name, found.width, found.height),
            (&expected.image, expected.width, expected.height)
        );
        assert_eq!(found.faces.len(), expected.faces.len(), "{name}");
        for (face, golden) in found.faces.iter().zip(&expected.faces) {
            near(name, &face.box_xyxy, &golden.box_xyxy, pixels);
            near(
                name,
                face.landmarks.as_flattened(),
                golden.landmarks.as_flattened(),
                pixels,
            );
            near(name, &[face.score], &[golden.score], score);
            let scores = [&face.landmark_scores, &golden.landmark_scores];
            let [own, theirs] = scores.map(|scores| scores.as_deref().unwrap());
            near(name, own, theirs, score);
        }
    }
}

#[track_caller]
fn near(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance,
            "{name}: number {i} is {a}, not {b}"
        );
    }
}

#[test]
fn the_shipped_weights_find_what_they_found() {
    check("retinamark-scrfd500m-wflw98.safetensors");
}

#[test]
fn the_weights_of_retinafaces_shape_find_what_they_found() {
    check("retinamark-mobilenet0.25-wflw98-f16.safetensors");
}

#[test]
fn the_shipped_weights_of_16_bits_find_what_they_found() {
    check("retinamark-scrfd500m-wflw98-f16.safetensors");
}

/// A number on the edge between two bytes may become either: more differs than with other
/// instruction sets otherwise.
#[test]
fn the_shipped_weights_of_8_bits_find_what_they_found() {
    let weights = "retinamark-scrfd500m-wflw98-int8.safetensors";
    check_within(weights, [4.0 * NEAR, 5.0 * SCORE]);
}
