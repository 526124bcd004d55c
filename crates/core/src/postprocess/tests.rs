use super::*;
use crate::settings::AnchorConfig;

fn kept(score: f32, b: [f32; 4]) -> Kept {
    Kept {
        anchor: 0,
        score,
        box_xyxy: b.into(),
    }
}

#[test]
fn suppression_keeps_the_better_of_two_and_all_that_do_not_overlap() {
    let a = kept(0.9, [0.0, 0.0, 10.0, 10.0]);
    let b = kept(0.8, [0.0, 0.0, 10.0, 9.0]); // IoU .9 with a
    let c = kept(0.7, [0.0, 0.0, 10.0, 4.0]); // IoU .4 with a: not above the limit
    let d = kept(0.6, [50.0, 0.0, 60.0, 10.0]);
    assert_eq!(suppress(&[a, b, c, d], 0.4, 10), [a, c, d]);
    assert_eq!(suppress(&[a, b, c, d], 0.4, 2), [a, c]);
    assert_eq!(suppress(&[a], 0.4, 10), [a]);
    assert!(suppress(&[], 0.4, 10).is_empty());
}

#[test]
fn boxes_that_are_nearly_the_same_vote() {
    let at = |anchor, score, b| Kept {
        anchor,
        ..kept(score, b)
    };
    let all = [
        at(7, 0.9, [0.0, 0.0, 10.0, 10.0]),
        at(3, 0.8, [0.0, 0.0, 10.0, 5.0]), // IoU .5
        at(4, 0.7, [0.0, 0.0, 10.0, 9.0]),
        at(5, 0.6, [0.0, 1.0, 10.0, 10.0]),
    ];
    let anchors = |votes| -> Vec<usize> {
        voters(&all, &all[0], votes)
            .iter()
            .map(|k| k.anchor)
            .collect()
    };
    assert_eq!((anchors(0), anchors(1)), (vec![7], vec![7]));
    assert_eq!((anchors(2), anchors(9)), (vec![7, 4], vec![7, 4, 5]));
    let faint = at(7, 0.2, [0.0, 0.0, 10.0, 10.0]);
    assert_eq!(voters(&all, &faint, 9), [faint]);
    let just_enough = at(7, VOTE_SCORE, [0.0, 0.0, 10.0, 10.0]);
    assert_eq!(voters(&all, &just_enough, 9).len(), 3);
}

#[test]
fn ties_keep_the_first() {
    let a = kept(0.9, [0.0, 0.0, 10.0, 10.0]);
    let same = kept(0.9, [0.0, 0.0, 10.0, 10.0]);
    assert_eq!(suppress(&[a, same], 0.4, 10).len(), 1);
    // Anchors 0 and 2 are 8 pixels apart; the second one's box is moved onto the first one's.
    let (anchors, coder, letterbox, options) = setup();
    let mut scores = vec![0.0; anchors.len()];
    let mut deltas = vec![[0.0; 4]; anchors.len()];
    (scores[0], scores[2], deltas[2][0]) = (0.9, 0.9, -5.0);
    let faces = keep(&scores, &deltas, &anchors, coder, &letterbox, &options);
    let found: Vec<usize> = faces.iter().map(|k| k[0].anchor).collect();
    assert_eq!(found, [0]);
}

fn setup() -> (Anchors, Coder, Letterbox, Options) {
    let anchors = Anchors::generate(&AnchorConfig::default(), [64, 64]);
    let options = Options {
        score: 0.5,
        top_k: 5000,
        nms_iou: 0.4,
        max_faces: 750,
        votes: 1,
    };
    let coder = Coder::of_deltas([0.1, 0.2]);
    (anchors, coder, Letterbox::square(64, 32, 64), options)
}

#[test]
fn nan_scores_never_pass_and_order_is_by_score() {
    let (anchors, coder, letterbox, options) = setup();
    let mut scores = vec![0.1; anchors.len()];
    (scores[0], scores[14], scores[5]) = (0.6, 0.9, f32::NAN);
    let faces = keep(
        &scores,
        &vec![[0.0; 4]; anchors.len()],
        &anchors,
        coder,
        &letterbox,
        &options,
    );
    let order: Vec<usize> = faces.iter().map(|k| k[0].anchor).collect();
    assert_eq!(order, [14, 0]);
    assert_eq!(faces[1][0].box_xyxy, BoxXyxy::new(-4.0, -4.0, 12.0, 12.0));
}

#[test]
fn a_score_that_just_reaches_the_lowest_passes_and_a_box_without_size_does_not() {
    let (anchors, coder, letterbox, mut options) = setup();
    for lowest in [0.5, 0.2] {
        options.score = lowest;
        let mut scores = vec![0.0; anchors.len()];
        (scores[0], scores[14]) = (lowest, lowest);
        let mut deltas = vec![[0.0; 4]; anchors.len()];
        deltas[14][2] = -1e9;
        let faces = keep(&scores, &deltas, &anchors, coder, &letterbox, &options);
        let found: Vec<usize> = faces.iter().map(|k| k[0].anchor).collect();
        assert_eq!(found, [0]);
    }
}

#[test]
fn the_config_says_what_counts() {
    let config = DetectConfig {
        top_k: 11,
        nms_iou: 0.125,
        max_faces: 12,
        landmark_votes: 13,
        ..DetectConfig::default()
    };
    let expected = Options {
        score: 0.25,
        top_k: 11,
        nms_iou: 0.125,
        max_faces: 12,
        votes: 13,
    };
    assert_eq!(Options::new(&config, 0.25), expected);
}

#[test]
fn who_votes_does_not_depend_on_the_lowest_score() {
    let (anchors, coder, letterbox, mut options) = setup();
    options.votes = 9;
    let mut scores = vec![0.01; anchors.len()];
    let mut deltas = vec![[0.0; 4]; anchors.len()];
    // Anchors of 16 pixels, 8 apart: their boxes are moved onto the first one.
    for (place, score) in [(0, 0.9), (2, 0.4), (4, 0.31), (6, 0.2)] {
        scores[place] = score;
        deltas[place][0] = -2.5 * place as f32;
    }
    let mut at = |score| {
        options.score = score;
        keep(&scores, &deltas, &anchors, coder, &letterbox, &options)
    };
    let strict = at(0.5);
    assert_eq!(strict.len(), 1);
    let voting: Vec<usize> = strict[0].iter().map(|k| k.anchor).collect();
    assert_eq!(voting, [0, 2, 4]);
    assert_eq!(at(0.02)[0], strict[0]);
}

#[test]
fn the_padding_never_yields_a_face() {
    let (anchors, coder, letterbox, options) = setup();
    let scores = vec![0.9; anchors.len()];
    let down = vec![[0.0, 100.0, 0.0, 0.0]; anchors.len()]; // pushes boxes onto the padding
    for deltas in [vec![[0.0; 4]; anchors.len()], down] {
        for face in keep(&scores, &deltas, &anchors, coder, &letterbox, &options) {
            assert!(face[0].box_xyxy.centre()[1] < 32.0);
        }
    }
}

#[test]
fn thousands_of_boxes_are_limited_by_top_k_and_max_faces() {
    let (_, coder, _, mut options) = setup();
    let anchors = Anchors::generate(&AnchorConfig::default(), [640, 640]);
    let letterbox = Letterbox::square(640, 640, 640);
    let scores: Vec<f32> = (0..anchors.len())
        .map(|i| 0.5 + (i % 97) as f32 / 200.0)
        .collect();
    let deltas = vec![[0.0; 4]; anchors.len()];
    options.max_faces = 100;
    let faces = keep(&scores, &deltas, &anchors, coder, &letterbox, &options);
    assert_eq!(faces.len(), 100);
    // Of equal scores the first anchor.
    let place = |face: &[Kept]| (-face[0].score, face[0].anchor);
    assert!(faces.windows(2).all(|w| place(&w[0]) < place(&w[1])));
    options.top_k = 3;
    assert!(keep(&scores, &deltas, &anchors, coder, &letterbox, &options).len() <= 3);
}
