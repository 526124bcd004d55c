//! Tests of the predictor and of the files that `detect` writes.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::RgbImage;
use retinamark::anchors::{Anchors, Coder};
use retinamark::config::Config;
use retinamark::device;
use retinamark::geometry::Face;
use retinamark::infer::{DetectOptions, InputSize, Predictor};
use retinamark::model::{Network, RetinaFace, weights};

use crate::support::tempdir;

/// Weights of an untrained network, made once for all tests: it sees faces everywhere.
pub fn random_weights() -> &'static Path {
    static FILE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = FILE.get_or_init(|| {
        let dir = tempdir();
        let path = dir.path().join("random.safetensors");
        let config = Config::default();
        let model = RetinaFace::new(&config, &device::by_name("flex").unwrap()).unwrap();
        weights::save(&model, &config, &path).unwrap();
        (dir, path)
    });
    path
}

/// A colourful picture; `seed` makes them differ.
pub fn picture(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let v = |a: u32, b: u32| ((x * a + y * b + seed * 37) % 256) as u8;
        image::Rgb([v(3, 1), v(1, 5), v(7, 2)])
    })
}

fn predictor() -> Predictor {
    Predictor::load(random_weights(), &device::by_name("flex").unwrap()).unwrap()
}

fn options(size: u32) -> DetectOptions {
    DetectOptions {
        size: InputSize::Fixed(size),
        second_size: None,
        score: 0.0,
        nms_iou: 0.4,
        top_k: 5000,
        max_faces: 20,
        landmark_votes: 1,
        any_angle: false,
    }
}

fn assert_same(a: &[Face], b: &[Face]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let numbers = |f: &Face| {
            let corners: [f32; 4] = f.box_xyxy.into();
            let points = f.landmarks.iter().flatten().copied();
            let all: Vec<f32> = corners.into_iter().chain([f.score]).chain(points).collect();
            all
        };
        assert_near(&numbers(a), &numbers(b));
    }
}

/// Memory of earlier runs is used again, whatever their sizes were.
#[test]
fn results_do_not_depend_on_the_photos_before() {
    let used = predictor();
    let options = options(96);
    let sizes = [(90, 60), (60, 90), (1, 1), (90, 60), (33, 200), (90, 61)];
    for (&(w, h), seed) in sizes.iter().zip(0..) {
        let photo = picture(w, h, seed);
        let found = used.detect(&photo, &options).unwrap();
        assert!(!found.is_empty());
        assert_same(&predictor().detect(&photo, &options).unwrap(), &found);
    }
}

#[test]
fn many_threads_share_one_predictor() {
    let predictor = predictor();
    let photo = picture(80, 50, 1);
    let alone = predictor.detect(&photo, &options(64)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_same(&alone, &predictor.detect(&photo, &options(64)).unwrap()));
        }
    });
}

#[test]
fn boxes_lie_on_the_photo_and_the_padding_has_none() {
    let predictor = predictor();
    for (width, height) in [(300, 40), (40, 300), (1, 1), (7, 1000), (64, 64), (101, 67)] {
        for size in [InputSize::Fixed(96), InputSize::Full] {
            let options = DetectOptions {
                size,
                max_faces: 750,
                ..options(96)
            };
            let photo = picture(width, height, 3);
            for face in predictor.detect(&photo, &options).unwrap() {
                let b = face.box_xyxy;
                assert!(b.has_size() && (0.0..=1.0).contains(&face.score));
                assert!(b.x1 >= 0.0 && b.y1 >= 0.0, "{b:?}");
                assert!(b.x2 <= width as f32 && b.y2 <= height as f32, "{b:?}");
                assert_eq!(face.landmarks.len(), predictor.scheme().len());
            }
        }
    }
}

/// The same numbers by hand: the network on the plain pixels, the best anchor decoded, and the
/// letterbox undone by dividing by the scale.
#[test]
fn a_face_is_decoded_as_by_hand() {
    let device = device::by_name("flex").unwrap();
    let (model, config) = weights::load(random_weights(), &device).unwrap();
    let model = model.fold().unwrap();
    let photo = picture(32, 16, 5); // at 64: scaled by 2 to 64 x 32, no padding
    let scaled = retinamark::imaging::resize(&photo, [64, 32]).unwrap();
    let mut pixels = vec![0.0; 3 * 64 * 32];
    retinamark::imaging::fill_tensor(&scaled, &config.input, [64, 32], &mut pixels);
    let data = burn::tensor::TensorData::new(pixels, [1, 3, 32, 64]);
    let outputs = model.forward(burn::tensor::Tensor::<4>::from_data(data, &device));
    let rows = |t: burn::tensor::Tensor<3>| t.try_into_vec_as::<f32>().unwrap();
    let landmarks = rows(model.landmark_deltas(&outputs));
    let (logits, deltas) = (rows(outputs.logits), rows(outputs.box_deltas));
    let score = |i: usize| 1.0 / (1.0 + (logits[2 * i] - logits[2 * i + 1]).exp());
    let anchors = Anchors::generate(&config.anchors, [64, 32]);
    let coder = Coder::of_deltas(config.anchors.variances);
    let decode = |i: usize| {
        let delta = [0, 1, 2, 3].map(|k| deltas[4 * i + k]);
        coder.decode_box(anchors.boxes_cxcywh()[i], delta)
    };
    // Boxes centred outside the photo are not faces.
    let inside = |i: &usize| {
        let [x, y] = decode(*i).centre();
        (0.0..64.0).contains(&x) && (0.0..32.0).contains(&y)
    };
    let best = (0..logits.len() / 2)
        .filter(inside)
        .min_by(|&a, &b| score(b).total_cmp(&score(a))) // of equal ones the first
        .unwrap();

    let found = predictor().detect(&photo, &options(64)).unwrap().remove(0);
    let expected = decode(best).transformed(0.5, [0.0, 0.0]).clip(32.0, 16.0);
    assert_near(
        &<[f32; 4]>::from(found.box_xyxy),
        &<[f32; 4]>::from(expected),
    );
    assert_near(&[found.score], &[score(best)]);
    let l = predictor().scheme().len();
    assert_eq!(found.landmarks.len(), l);
    for (i, p) in found.landmarks.iter().enumerate() {
        let at = (best * l + i) * 2;
        let delta = [landmarks[at], landmarks[at + 1]];
        let q = coder.decode_point(anchors.boxes_cxcywh()[best], delta);
        assert_near(p, &q.map(|v| v / 2.0));
    }
}

fn assert_near(a: &[f32], b: &[f32]) {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-3 * (1.0 + b.abs());
    assert!(
        a.len() == b.len() && a.iter().zip(b).all(near),
        "{a:?} {b:?}"
    );
}

#[test]
fn score_and_number_of_faces_are_limits() {
    let predictor = predictor();
    let photo = picture(64, 64, 9);
    let all = predictor.detect(&photo, &options(64)).unwrap();
    assert!(all.is_sorted_by(|a, b| a.score >= b.score));
    let few = DetectOptions {
        max_faces: 2,
        ..options(64)
    };
    assert_same(&all[..2], &predictor.detect(&photo, &few).unwrap());
    let high = options(64).with_score(1.0);
    assert!(predictor.detect(&photo, &high).unwrap().is_empty());
}

#[test]
fn a_photo_without_pixels_is_an_error() {
    let empty = RgbImage::new(0, 5);
    assert!(predictor().detect(&empty, &options(64)).is_err());
}

#[test]
fn two_sizes_give_the_best_of_both() {
    let predictor = predictor();
    let photo = picture(120, 90, 4);
    let look = |first: u32, second: Option<u32>| {
        let mut options = options(first);
        options.second_size = second.map(InputSize::Fixed);
        predictor.detect(&photo, &options).unwrap()
    };
    let (small, large, both) = (look(64, None), look(128, None), look(64, Some(128)));
    assert!(!small.is_empty() && !large.is_empty());
    assert!(both.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for face in &both {
        assert!(small.contains(face) || large.contains(face));
    }
    // What no better face of either size overlaps is there.
    let mut all = [small, large].concat();
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut expected: Vec<Face> = Vec::new();
    for face in all {
        let overlaps = |b: &Face| face.box_xyxy.iou(&b.box_xyxy) > options(64).nms_iou;
        if expected.len() < 20 && !expected.iter().any(overlaps) {
            expected.push(face);
        }
    }
    assert_eq!(both, expected);
}
