use super::*;
use crate::geometry::{BoxXyxy, Landmarks};

fn truth() -> FaceLabel {
    FaceLabel {
        landmarks: Landmarks::all([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0]]),
        ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 10.0, 10.0))
    }
}

fn found(b: [f32; 4], score: f32) -> Face {
    Face {
        box_xyxy: b.into(),
        score,
        landmarks: truth().landmarks.points().collect(),
        landmark_scores: None,
        pose: None,
    }
}

fn face(nme: Option<f64>) -> FaceError {
    FaceError {
        nme,
        attributes: None,
    }
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} instead of {b}");
}

#[test]
fn nme_by_hand() {
    let t = truth();
    let d = normaliser(&t, [0, 1]).unwrap();
    near(d, 10.0);
    // Errors 3, 0, 5 (3-4-5): mean 8/3, divided by 10.
    let p = [[3.0, 0.0], [10.0, 0.0], [8.0, 9.0]];
    near(nme(&t, &p, d).unwrap(), 8.0 / 30.0);
    assert_eq!(nme(&t, &p[..2], d), None);
}

#[test]
fn only_labelled_points_count() {
    let mut t = truth();
    t.landmarks = t.landmarks.masked(|p| p != [5.0, 5.0]);
    let p = [[3.0, 0.0], [10.0, 0.0], [1e6, f32::NAN]];
    near(nme(&t, &p, 10.0).unwrap(), 0.15);
    assert_eq!(normaliser(&t, [0, 2]), None);
    let mut coincide = t.clone();
    coincide.landmarks = t.landmarks.map(|_| [0.0, 0.0]);
    assert_eq!(normaliser(&coincide, [0, 1]), None);
    t.landmarks = t.landmarks.masked(|_| false);
    assert_eq!(nme(&t, &p, 10.0), None);
    assert_eq!(nme(&truth(), &[[f32::NAN; 2]; 3], 10.0), None);
}

#[test]
fn a_truth_takes_the_best_overlap_not_the_best_score() {
    let opt = JointOptions::default();
    let exact = found([0.0, 0.0, 10.0, 10.0], 0.3);
    let loose = found([0.0, 0.0, 10.0, 14.0], 0.99);
    let weak = found([0.0, 0.0, 10.0, 10.0], 0.29);
    let far = found([0.0, 0.0, 10.0, 30.0], 0.99);
    let t = truth();
    let all = [far.clone(), loose.clone(), weak.clone(), exact];
    assert_eq!(best_detection(&t, &all, opt), Some(3));
    assert_eq!(best_detection(&t, &[weak.clone(), loose], opt), Some(1));
    assert_eq!(best_detection(&t, &[weak, far], opt), None);
    assert_eq!(best_detection(&t, &[], opt), None);
    // The limit itself is enough.
    let half = [found([0.0, 0.0, 10.0, 20.0], 0.9)];
    let with = |iou| best_detection(&t, &half, JointOptions { iou, ..opt });
    assert_eq!((with(0.5), with(0.51)), (Some(0), None));
    // A tie in IoU: the higher score, then the first.
    let tie = |score| found([0.0, 0.0, 10.0, 10.0], score);
    let pick = |scores: [f32; 3]| best_detection(&t, &scores.map(tie), opt);
    assert_eq!(pick([0.5, 0.7, 0.7]), Some(1));
    // The limit itself is enough.
    let half = found([0.0, 0.0, 10.0, 20.0], 0.9);
    let opt = JointOptions { iou: 0.5, ..opt };
    assert_eq!(best_detection(&t, &[half], opt), Some(0));
}

#[test]
fn summary_by_hand() {
    let faces = [
        face(Some(0.05)),
        face(Some(0.15)),
        face(None),
        face(Some(0.10)),
    ];
    let s = Summary::of(&faces).unwrap();
    assert_eq!(s.faces, 4);
    near(s.recall, 0.75);
    near(s.nme_joint, (0.05 + 0.15 + 1.0 + 0.10) / 4.0);
    near(s.nme_matched.unwrap(), 0.1);
    near(s.nme_median, 0.125);
    // 0.10 itself is no failure.
    near(s.fr, 0.5);
    // Half the stretch for 0.05, nothing for 0.10 and above.
    near(s.auc, 0.5 / 4.0);
}

#[test]
fn one_face_no_face_and_none_found() {
    let s = Summary::of(&[face(Some(0.0))]).unwrap();
    near(s.auc, 1.0);
    near(s.nme_median, 0.0);
    let s = Summary::of(&[face(None)]).unwrap();
    assert_eq!(
        (s.nme_matched, s.recall, s.fr, s.auc),
        (None, 0.0, 1.0, 0.0)
    );
    near(s.nme_joint, MISSED);
    assert_eq!(Summary::of(&[]), None);
    assert_eq!(Alignment::of(&[], 3), None);
}

#[test]
fn subsets_follow_the_attributes() {
    let with = |attributes, nme| FaceError {
        nme: Some(nme),
        attributes: Some(attributes),
    };
    let faces = [
        with([true, false, false, false, false, true], 0.2),
        with([false, false, false, false, false, true], 0.1),
        face(None),
    ];
    let a = Alignment::of(&faces, 0).unwrap();
    let names: Vec<&str> = a.subsets.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["large pose", "blur", "other pose"]);
    near(a.subsets[0].summary.nme_joint, 0.2);
    near(a.subsets[1].summary.nme_joint, 0.15);
    near(a.subsets[2].summary.nme_joint, 0.1);
    assert_eq!(a.all.faces, 3);
}
