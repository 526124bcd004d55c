//! The matcher, as a table, and the targets it leads to.

use retinamark::anchors::{Anchors, Match, Matcher, TargetBuilder, Truth};
use retinamark::config::{AnchorConfig, Config, MatcherConfig};
use retinamark::geometry::{BoxXyxy, Landmarks};

static NO_POINTS: Landmarks = Landmarks::none();

fn truth(b: [f32; 4]) -> Truth<'static> {
    Truth {
        box_xyxy: b.into(),
        landmarks: &NO_POINTS,
        ignored: false,
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
    // The 9-pixel face at the corner of the big one's tile keeps an anchor of its own.
    let faces = [
        truth([0.0, 0.0, 32.0, 32.0]),
        truth([35.0, 3.0, 44.0, 12.0]),
    ];
    let found = positives(&assign(&faces, true));
    assert!(found.contains(&(2, 1)), "{found:?}");
}

#[test]
fn ignored_and_size_less_truths_never_match() {
    let nothing = [10.0, 10.0, 10.0, 40.0];
    assert_eq!(assign(&[truth(nothing)], true), [Match::Negative; 16]);
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
    assert!(t.box_deltas.iter().flatten().all(|d| d.is_finite()));
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
        assert!(t.box_deltas.iter().flatten().all(|d| d.is_finite()));
        assert!(t.with_landmarks.is_empty());
    }
}
