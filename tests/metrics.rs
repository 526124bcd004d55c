//! The evaluator photo by photo: what counts, what does not, and in which figure.

use retinamark::data::FaceLabel;
use retinamark::geometry::{BoxXyxy, Face, Landmarks, Point, Scheme};
use retinamark::metrics::{Evaluator, FaceError, Measured, Options, Truth};

/// Eyes 20 pixels apart.
const POINTS: [Point; 5] = [
    [10.0, 10.0],
    [30.0, 10.0],
    [20.0, 20.0],
    [12.0, 30.0],
    [28.0, 30.0],
];

fn label(x: f32) -> FaceLabel {
    FaceLabel {
        landmarks: Landmarks::all(POINTS.map(|p| [p[0] + x, p[1]])),
        ..FaceLabel::boxed(BoxXyxy::from_xywh(x, 0.0, 40.0, 40.0))
    }
}

/// A detection whose points are all `off` pixels too far to the right.
fn found(x: f32, off: f32) -> Face {
    Face {
        box_xyxy: BoxXyxy::from_xywh(x, 0.0, 40.0, 40.0),
        score: 0.9,
        landmarks: POINTS.map(|p| [p[0] + x + off, p[1]]).to_vec(),
        landmark_scores: None,
        pose: None,
    }
}

fn evaluator(subsets: &[&str]) -> Evaluator {
    let options = Options {
        subsets: subsets.iter().map(|&name| name.to_owned()).collect(),
        ..Options::default()
    };
    Evaluator::new(&Scheme::five(), options)
}

fn photo(faces: &[FaceLabel]) -> Truth<'_> {
    Truth {
        faces,
        complete: true,
        scale: 1.0,
        subsets: &[],
    }
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
}

#[test]
fn errors_are_shares_of_the_distance_between_the_eyes() {
    let mut evaluator = evaluator(&[]);
    let faces = [label(0.0), label(100.0), label(200.0)];
    let measured = evaluator.add(photo(&faces), &[found(200.0, 4.0), found(0.0, 1.0)]);
    let expected = [(Some(1), 0.05), (None, 1.0), (Some(0), 0.2)];
    for (index, (m, (detection, nme))) in measured.iter().zip(expected).enumerate() {
        assert_eq!((m.face, m.detection), (index, detection));
        near(m.nme, nme);
    }
    let report = evaluator.finish();
    let all = &report.alignment.as_ref().unwrap().all;
    assert_eq!((report.photos, all.faces), (1, 3));
    near(all.recall, 2.0 / 3.0);
    near(all.nme_joint, 1.25 / 3.0);
    near(all.nme_median, 0.2);
    near(all.fr, 2.0 / 3.0);
    near(all.auc, 0.5 / 3.0);
    near(report.ap().unwrap(), 2.0 / 3.0);
}

#[test]
fn what_is_no_face_is_not_measured() {
    let ignored = FaceLabel {
        ignored: true,
        ..label(0.0)
    };
    let flat = FaceLabel {
        box_xyxy: BoxXyxy::from_xywh(0.0, 0.0, 40.0, 0.0),
        ..label(0.0)
    };
    let bare = FaceLabel::boxed(label(0.0).box_xyxy);
    let no_eye = FaceLabel {
        landmarks: label(0.0).landmarks.masked(|p| p != POINTS[0]),
        ..label(0.0)
    };
    let other_scheme = FaceLabel {
        landmarks: Landmarks::all(POINTS.into_iter().chain([[0.0, 0.0]])),
        ..label(0.0)
    };
    for (face, unmeasured) in [
        (ignored, None),
        (flat, None),
        (bare, None),
        (no_eye, Some(1)),
        (other_scheme, Some(1)),
    ] {
        let mut evaluator = evaluator(&[]);
        let nothing: Vec<Measured> = Vec::new();
        assert_eq!(evaluator.add(photo(&[face]), &[found(0.0, 0.0)]), nothing);
        // With a face beside it the report says how many could not be measured.
        evaluator.add(photo(&[label(0.0)]), &[]);
        let alignment = evaluator.finish().alignment.unwrap();
        assert_eq!(alignment.unmeasured, unmeasured.unwrap_or(0));
        assert_eq!(alignment.all.faces, 1);
    }
}

#[test]
fn only_completely_labelled_photos_enter_the_ap() {
    let mut evaluator = evaluator(&[]);
    let ignored = FaceLabel {
        ignored: true,
        ..label(300.0)
    };
    evaluator.add(photo(&[label(0.0), ignored]), &[found(0.0, 0.0)]);
    let incomplete = Truth {
        complete: false,
        ..photo(&[])
    };
    evaluator.add(incomplete, &[found(0.0, 0.0), found(100.0, 0.0)]);
    let ap = evaluator.finish().ap.unwrap();
    assert_eq!((ap.photos, ap.faces), (1, 1));
    near(ap.ap, 1.0);
}

#[test]
fn each_subset_has_the_ap_of_its_own_faces() {
    let mut evaluator = evaluator(&["easy", "hard", "none"]);
    let faces = [label(0.0), label(100.0), label(200.0)];
    let truth = Truth {
        subsets: &[0b11, 0b10, 0b10],
        ..photo(&faces)
    };
    evaluator.add(truth, &[found(0.0, 0.0), found(100.0, 0.0)]);
    // A photo without a word about subsets belongs to none.
    evaluator.add(photo(&faces[..1]), &[]);
    let ap = evaluator.finish().ap.unwrap();
    let by_name = |name: &str| {
        let subset = ap.subsets.iter().find(|subset| subset.name == name);
        subset.unwrap().ap
    };
    near(ap.ap, 0.5);
    near(by_name("easy").unwrap(), 1.0);
    near(by_name("hard").unwrap(), 2.0 / 3.0);
    assert_eq!(by_name("none"), None);
}

#[test]
fn other_poses_are_told_apart_only_where_there_are_large_ones() {
    let names = |attributes: [bool; 6]| {
        let mut evaluator = evaluator(&[]);
        let face = |attributes| FaceLabel {
            attributes: Some(attributes),
            ..label(0.0)
        };
        evaluator.add(photo(&[face(attributes)]), &[]);
        evaluator.add(photo(&[face([false; 6])]), &[found(0.0, 0.0)]);
        let alignment = evaluator.finish().alignment.unwrap();
        let subsets = alignment.subsets.into_iter();
        let all: Vec<_> = subsets.map(|s| (s.name, s.summary.nme_joint)).collect();
        all
    };
    let large = names([true, false, false, false, false, false]);
    let expected = [
        ("large pose".to_owned(), 1.0),
        ("other pose".to_owned(), 0.0),
    ];
    assert_eq!(large, expected);
    let second = names([false, true, false, false, false, false]);
    assert_eq!(second.len(), 1, "{second:?}");
}

#[test]
fn a_missed_face_has_the_whole_error() {
    let missed = FaceError {
        nme: None,
        attributes: None,
    };
    near(missed.joint(), 1.0);
}
