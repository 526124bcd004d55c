use super::*;

fn truth(x: f32) -> FaceLabel {
    FaceLabel::boxed(BoxXyxy::from_xywh(x, 0.0, 20.0, 20.0))
}

fn ignored(x: f32) -> FaceLabel {
    FaceLabel {
        ignored: true,
        ..truth(x)
    }
}

fn found(x: f32, score: f32) -> Face {
    sized(x, 20.0, score)
}

fn sized(x: f32, side: f32, score: f32) -> Face {
    Face {
        box_xyxy: BoxXyxy::from_xywh(x, 0.0, side, side),
        score,
        landmarks: Vec::new(),
        landmark_scores: None,
        pose: None,
    }
}

fn ap(truth: &[FaceLabel], detections: &[Face]) -> Option<f64> {
    let mut counter = ApCounter::new(0.5, 16.0);
    counter.add(truth, detections, 1.0);
    counter.average_precision()
}

fn assert_ap(truth: &[FaceLabel], detections: &[Face], expected: f64) {
    let got = ap(truth, detections).unwrap();
    assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
}

#[test]
fn perfect_none_and_nothing() {
    assert_ap(&[truth(0.0)], &[found(1.0, 0.9)], 1.0);
    assert_ap(&[truth(0.0)], &[], 0.0);
    assert_ap(&[truth(0.0)], &[found(50.0, 0.9)], 0.0);
    assert_eq!(ap(&[], &[found(0.0, 0.9)]), None);
    assert_eq!(ap(&[ignored(0.0)], &[found(0.0, 0.9)]), None);
    assert_eq!(ap(&[], &[]), None);
}

#[test]
fn hand_computed_curve() {
    // By score: hit, miss, hit. Recall 1/2 at precision 1, then 1 at 2/3.
    let truths = [truth(0.0), truth(100.0)];
    let detections = [found(100.0, 0.5), found(50.0, 0.7), found(0.0, 0.9)];
    assert_ap(&truths, &detections, 0.5 + 0.5 * 2.0 / 3.0);
    // A miss below all hits costs nothing.
    let detections = [found(0.0, 0.9), found(100.0, 0.5), found(50.0, 0.1)];
    assert_ap(&truths, &detections, 1.0);
}

#[test]
fn precision_is_the_best_at_this_recall_or_a_higher_one() {
    // Miss, hit, hit: precision 1/2, then 2/3 at the end, which counts for both hits.
    let truths = [truth(0.0), truth(100.0)];
    let detections = [found(50.0, 0.9), found(0.0, 0.8), found(100.0, 0.7)];
    assert_ap(&truths, &detections, 2.0 / 3.0);
}

#[test]
fn limits_themselves_are_enough() {
    let tall = Face {
        box_xyxy: BoxXyxy::from_xywh(0.0, 0.0, 20.0, 40.0), // IoU .5
        ..found(0.0, 0.9)
    };
    assert_ap(&[truth(0.0)], &[tall], 1.0);
    let of_size = |side| FaceLabel::boxed(BoxXyxy::from_xywh(0.0, 0.0, side, side));
    let counted = |min_size, side| {
        let mut counter = ApCounter::new(0.5, min_size);
        counter.add(&[of_size(side)], &[], 1.0);
        counter.counted()
    };
    assert_eq!((counted(16.0, 16.0), counted(16.0, 15.9)), (1, 0));
    assert_eq!(counted(0.0, 0.0), 0); // no size at all is no face
}

#[test]
fn of_two_truths_at_one_place_the_counted_one_is_found() {
    for truths in [[ignored(0.0), truth(0.0)], [truth(0.0), ignored(0.0)]] {
        assert_ap(&truths, &[found(1.0, 0.9)], 1.0);
    }
}

#[test]
fn a_duplicate_is_a_false_positive() {
    // hit, duplicate, hit.
    let truths = [truth(0.0), truth(100.0)];
    let detections = [found(0.0, 0.9), found(1.0, 0.8), found(100.0, 0.7)];
    assert_ap(&truths, &detections, 0.5 + 0.5 * 2.0 / 3.0);
}

#[test]
fn ties_do_not_depend_on_order() {
    // A hit and a miss of one score: precision 1/2 at recall 1.
    let (hit, miss) = (found(0.0, 0.5), found(50.0, 0.5));
    assert_ap(&[truth(0.0)], &[hit.clone(), miss.clone()], 0.5);
    assert_ap(&[truth(0.0)], &[miss, hit], 0.5);
}

#[test]
fn what_lies_on_an_ignored_face_counts_neither_way() {
    let truths = [ignored(50.0), truth(0.0)];
    let detections = [found(50.0, 0.95), found(51.0, 0.93), found(0.0, 0.9)];
    assert_ap(&truths, &detections, 1.0);
}

#[test]
fn small_truths_and_unmatched_small_detections_are_ignored() {
    let mut small = truth(50.0);
    small.box_xyxy = BoxXyxy::from_xywh(50.0, 0.0, 10.0, 10.0);
    let truths = [small, truth(0.0)];
    let detections = [
        sized(50.0, 10.0, 0.99), // on the small truth
        sized(80.0, 10.0, 0.98), // small, on nothing
        found(0.0, 0.5),
    ];
    assert_ap(&truths, &detections, 1.0);
    // At twice the scale both are large enough, and the second one is a false positive.
    let mut counter = ApCounter::new(0.5, 16.0);
    counter.add(&truths, &detections, 2.0);
    assert_eq!(counter.counted(), 2);
    let got = counter.average_precision().unwrap();
    assert!((got - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-9);
}

#[test]
fn a_sizeless_truth_is_ignored_and_a_nan_score_left_out() {
    let mut empty = truth(0.0);
    empty.box_xyxy = BoxXyxy::new(5.0, 5.0, 5.0, 5.0);
    assert_ap(
        &[empty, truth(0.0)],
        &[found(0.0, 0.5), found(50.0, f32::NAN)],
        1.0,
    );
}

#[test]
fn limits_themselves_are_within() {
    // IoU .5 exactly; and a face of exactly the smallest size.
    let half = [truth(0.0)];
    let mut counter = ApCounter::new(0.5, 20.0);
    counter.add(&half, &[sized(0.0, 20.0, 0.9)], 1.0);
    assert_eq!(counter.counted(), 1);
    let mut wide = found(0.0, 0.9);
    wide.box_xyxy = BoxXyxy::from_xywh(0.0, 0.0, 40.0, 20.0);
    assert_ap(&half, &[wide], 1.0);
    // Without a smallest size, a truth without size still does not count.
    let mut counter = ApCounter::new(0.5, 0.0);
    counter.add(&[FaceLabel::boxed(BoxXyxy::default())], &[], 1.0);
    assert_eq!(counter.counted(), 0);
}

#[test]
fn between_two_truths_the_first_counts_and_one_that_counts_before_one_that_does_not() {
    // Halfway between the two; the other detection lies on the second one.
    let detections = [found(2.0, 0.9), found(4.0, 0.8)];
    assert_ap(&[truth(0.0), truth(4.0)], &detections, 1.0);
    assert_ap(&[ignored(0.0), truth(4.0)], &detections[..1], 1.0);
    assert_ap(&[truth(0.0), ignored(4.0)], &detections[..1], 1.0);
}

#[test]
fn precision_at_a_recall_is_the_best_from_there_on() {
    // hit, miss, hit, hit: 1, 1/2, 2/3 and 3/4, which also holds at two thirds.
    let truths = [truth(0.0), truth(100.0), truth(200.0)];
    let detections = [
        found(0.0, 0.9),
        found(50.0, 0.8),
        found(100.0, 0.7),
        found(200.0, 0.6),
    ];
    assert_ap(&truths, &detections, (1.0 + 0.75 + 0.75) / 3.0);
}

#[test]
fn subsets_ignore_the_other_truths() {
    let mut counter = ApCounter::new(0.5, 16.0);
    let truths = [truth(0.0), truth(100.0)];
    counter.add(&truths, &[found(0.0, 0.9), found(100.0, 0.8)], 1.0);
    counter.add(&[truth(0.0)], &[], 1.0);
    assert_eq!(counter.truths(), 3);
    assert_eq!(counter.average_precision_of(|id| id == 1), Some(1.0));
    assert_eq!(counter.average_precision_of(|id| id == 2), Some(0.0));
    assert_eq!(counter.average_precision_of(|_| false), None);
}
