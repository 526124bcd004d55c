//! The matcher, as a table, and the targets it leads to.

use retinamark::anchors::{Anchors, Match, Matcher, TargetBuilder, Truth};
use retinamark::config::{AnchorConfig, AssignerKind, Config, MatcherConfig, MaxIou};
use retinamark::geometry::{BoxXyxy, Landmarks};

static NO_POINTS: Landmarks = Landmarks::none();

fn truth(b: [f32; 4]) -> Truth<'static> {
    Truth {
        box_xyxy: b.into(),
        landmarks: &NO_POINTS,
        ignored: false,
        weight: 1.0,
        doubt: 0.0,
        pose: None,
    }
}

fn ignored(b: [f32; 4]) -> Truth<'static> {
    Truth {
        ignored: true,
        ..truth(b)
    }
}

/// One level of stride 16 with one 16-pixel anchor a location: a plain 4 x 4 grid of tiles.
fn grid() -> Anchors {
    let config = AnchorConfig {
        min_sizes: vec![vec![16.0]],
        strides: vec![16],
        ..AnchorConfig::default()
    };
    Anchors::generate(&config, [64, 64])
}

fn assign(truths: &[Truth], complete: bool) -> Vec<Match> {
    Matcher::new(&MatcherConfig::default()).assign(&grid(), truths, complete)
}

fn positives(matches: &[Match]) -> Vec<(usize, usize)> {
    let face = |m: &Match| match m {
        Match::Positive(face) => Some(*face),
        _ => None,
    };
    let found = matches.iter().enumerate();
    found.filter_map(|(i, m)| face(m).map(|f| (i, f))).collect()
}

#[test]
fn an_anchor_over_the_threshold_is_positive() {
    // The second tile exactly; and a box over two tiles, IoU .5 with each.
    assert_eq!(
        positives(&assign(&[truth([16.0, 0.0, 32.0, 16.0])], true)),
        [(1, 0)]
    );
    assert_eq!(
        positives(&assign(&[truth([0.0, 0.0, 32.0, 16.0])], true)),
        [(0, 0), (1, 0)]
    );
}

#[test]
fn a_face_claims_its_best_anchor_only_from_the_lower_threshold_on() {
    // 8 x 8 in a tile: IoU .25, below .35 but claimed; 6 x 6: .14, left alone.
    assert_eq!(
        positives(&assign(&[truth([4.0, 4.0, 12.0, 12.0])], true)),
        [(0, 0)]
    );
    assert!(positives(&assign(&[truth([4.0, 4.0, 10.0, 10.0])], true)).is_empty());
}

#[test]
fn the_better_face_wins_an_anchor_that_two_claim() {
    let small = truth([4.0, 4.0, 12.0, 12.0]); // IoU .25
    let large = truth([0.0, 0.0, 16.0, 12.0]); // IoU .75
    assert_eq!(positives(&assign(&[small, large], true)), [(0, 1)]);
    assert_eq!(positives(&assign(&[large, small], true)), [(0, 0)]);
}

#[test]
fn a_weak_claim_does_not_lose_to_a_stronger_overlap_elsewhere() {
    // The wide face has an IoU of .5 with tiles 0 and 1, and claims tile 0; the small one has .25
    // with tile 1 alone, which would learn the wide face without its claim.
    let (wide, small) = (
        truth([0.0, 0.0, 32.0, 16.0]),
        truth([20.0, 4.0, 28.0, 12.0]),
    );
    assert_eq!(positives(&assign(&[wide], true)), [(0, 0), (1, 0)]);
    assert_eq!(positives(&assign(&[wide, small], true)), [(0, 0), (1, 1)]);
    assert_eq!(positives(&assign(&[small, wide], true)), [(0, 1), (1, 0)]);
}

#[test]
fn the_thresholds_themselves_are_enough() {
    let config = MatcherConfig {
        kind: AssignerKind::MaxIou(MaxIou {
            positive_iou: 0.5,
            forced_iou: 0.25,
        }),
        ..MatcherConfig::default()
    };
    let assign = |b| Matcher::new(&config).assign(&grid(), &[truth(b)], true);
    // IoU .5 with both tiles, of which it claims one; and .25.
    assert_eq!(positives(&assign([0.0, 0.0, 32.0, 16.0])), [(0, 0), (1, 0)]);
    assert_eq!(positives(&assign([4.0, 4.0, 12.0, 12.0])), [(0, 0)]);
}

#[test]
fn of_faces_that_overlap_alike_the_first_has_the_anchor() {
    let wide = truth([0.0, 0.0, 32.0, 16.0]);
    assert_eq!(positives(&assign(&[wide, wide], true)), [(0, 0), (1, 0)]);
}

#[test]
fn anchors_within_a_face_that_they_do_not_show_are_background() {
    let all = truth([0.0, 0.0, 64.0, 64.0]); // IoU 1/16 with each tile
    assert_eq!(assign(&[all], true), [Match::Negative; 16]);
}

#[test]
fn ignored_and_size_less_truths_never_match() {
    let nothing = [8.0, 0.0, 8.0, 40.0];
    assert_eq!(assign(&[truth(nothing)], true), [Match::Negative; 16]);
    // Nor does one make its surroundings known, which hold the centre of a tile.
    assert_eq!(assign(&[truth(nothing)], false), [Match::Ignored; 16]);
    let matches = assign(&[ignored([0.0, 0.0, 40.0, 16.0])], true);
    // Tiles 0 and 1 lie inside, tile 2 by half, which is not more than half.
    assert_eq!(
        matches[..3],
        [Match::Ignored, Match::Ignored, Match::Negative]
    );
    assert!(matches[3..].iter().all(|m| *m == Match::Negative));
}

#[test]
fn a_face_inside_an_ignored_region_is_still_a_face() {
    let faces = [
        ignored([0.0, 0.0, 64.0, 64.0]),
        truth([16.0, 0.0, 32.0, 16.0]),
    ];
    let matches = assign(&faces, true);
    assert_eq!(matches[1], Match::Positive(1));
    assert!(matches.iter().filter(|m| **m == Match::Ignored).count() == 15);
}

#[test]
fn in_an_incomplete_photo_only_the_surroundings_are_background() {
    let matches = assign(&[truth([0.0, 0.0, 16.0, 16.0])], false);
    assert_eq!(matches[0], Match::Positive(0));
    // Doubled, the face reaches 24: the centres of tiles 1, 4, 5 lie on the edge.
    assert_eq!([matches[1], matches[4], matches[5]], [Match::Negative; 3]);
    assert_eq!(matches[2], Match::Ignored);
    assert_eq!(assign(&[], false), [Match::Ignored; 16]);
}

#[test]
fn targets_mask_unlabelled_points_and_weigh_the_rest_evenly() {
    let mut config = Config::default();
    config.landmarks.scheme = retinamark::config::SchemeName::Five;
    let builder = TargetBuilder::new(&config).unwrap();
    let anchors = Anchors::generate(&config.anchors, [64, 64]);
    let points: Landmarks = [
        ([30.0, 30.0], true),
        ([40.0, 30.0], true),
        ([f32::NAN, 0.0], false),
        ([32.0, 42.0], false),
        ([38.0, 42.0], true),
    ]
    .into_iter()
    .collect();
    let face = Truth {
        box_xyxy: BoxXyxy::new(24.0, 24.0, 48.0, 48.0),
        landmarks: &points,
        ignored: false,
        weight: 1.0,
        doubt: 0.0,
        pose: None,
    };
    let t = builder.build(&anchors, &[face], true).unwrap();
    assert!(!t.positives.is_empty());
    assert_eq!(t.with_landmarks.len(), t.positives.len());
    assert_eq!(t.landmark_deltas.len(), 10 * t.positives.len());
    let weights = &t.landmark_weights[..10];
    let sixth = 1.0 / 6.0;
    assert_eq!(
        weights,
        [sixth, sixth, sixth, sixth, 0.0, 0.0, 0.0, 0.0, sixth, sixth]
    );
    assert!(t.landmark_deltas.iter().all(|d| d.is_finite()));
    assert!(t.boxes.iter().all(BoxXyxy::has_size));
    // Halves that are a tenth of the face apart: 0.1 / pi along an axis, in deltas of a tenth.
    let doubted = Truth { doubt: 0.1, ..face };
    let t = builder.of_face(&anchors, &doubted).unwrap();
    assert!((t.label_error - std::f32::consts::FRAC_1_PI).abs() < 1e-6);
}

#[test]
fn targets_say_which_face_and_what_is_ignored() {
    let builder = TargetBuilder::new(&Config::default()).unwrap();
    let faces = [
        ignored([0.0, 48.0, 16.0, 64.0]),
        truth([0.0, 0.0, 16.0, 16.0]),
        truth([32.0, 0.0, 48.0, 16.0]),
    ];
    let t = builder.build(&grid(), &faces, true).unwrap();
    assert_eq!((t.positives, t.faces), (vec![0, 2], vec![1, 2]));
    let mut labels = vec![0; 16];
    (labels[0], labels[2], labels[12]) = (1, 1, -1);
    assert_eq!(t.labels, labels);
}

#[test]
fn extreme_faces_give_finite_targets() {
    let builder = TargetBuilder::new(&Config::default()).unwrap();
    let anchors = Anchors::generate(&AnchorConfig::default(), [320, 320]);
    let crowd: Vec<Truth> = (0..500)
        .map(|i| {
            let (x, y) = ((i % 25) as f32 * 12.8, (i / 25) as f32 * 16.0);
            truth([x, y, x + 9.0, y + 11.0])
        })
        .collect();
    for faces in [
        vec![],
        vec![truth([-100.0, -50.0, 500.0, 480.0])],
        vec![truth([100.0, 100.0, 109.0, 109.0])],
        crowd,
    ] {
        let t = builder.build(&anchors, &faces, true).unwrap();
        assert_eq!(t.labels.len(), anchors.len());
        assert_eq!(
            t.labels.iter().filter(|&&l| l == 1).count(),
            t.positives.len()
        );
        assert!(t.positives.is_empty() == faces.is_empty());
        assert!(t.boxes.iter().all(BoxXyxy::has_size));
        assert!(t.with_landmarks.is_empty());
    }
}
