//! Two detections on one face.

use retinamark::infer::{DetectOptions, Predictor};
use retinamark::model::weights;
use retinamark::{device, imaging};

use crate::support::{say, shared};

/// Photos in which a box beside a face, or between two, got the points of that face.
const PHOTOS: [&str; 3] = [
    "19--Couple/19_Couple_Couple_19_123.jpg",
    "300W--helen_train/1165647416_1.jpg",
    "56--Voter/56_Voter_peoplevoting_56_1011.jpg",
];

/// Whoever counted faces in 744 of them had four too many.
#[test]
fn no_two_detections_share_their_points() {
    let Some(data) = shared("data", "RETINAMARK_DATA") else {
        return;
    };
    let device = device::by_name("flex").unwrap();
    let predictor = Predictor::load(&weights::find(None).unwrap(), &device).unwrap();
    let options = DetectOptions::from(&predictor.config().detect);
    for name in PHOTOS {
        let path = data.join("images").join(name);
        if !path.is_file() {
            say(&format!("skipped: there is no {}", path.display()));
            continue;
        }
        let photo = imaging::load_rgb(&path, &imaging::Limits::default()).unwrap();
        let faces = predictor.detect(&photo, &options).unwrap();
        assert!(!faces.is_empty(), "{name}");
        for (i, a) in faces.iter().enumerate() {
            for b in &faces[..i] {
                let pairs = a.landmarks.iter().zip(&b.landmarks);
                let apart = pairs
                    .map(|(p, q)| (p[0] - q[0]).hypot(p[1] - q[1]))
                    .sum::<f32>();
                let mean = apart / a.landmarks.len() as f32;
                let side = a.box_xyxy.side().min(b.box_xyxy.side());
                assert!(mean > 0.2 * side, "{name}: two faces {mean} pixels apart");
            }
        }
    }
}
