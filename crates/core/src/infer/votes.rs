//! Several anchors say where the landmarks of one face are.

use crate::anchors::{Anchors, Coder};
use crate::geometry::Point;
use crate::postprocess::Kept;

/// The `points` landmarks of a face, pixels of the network input: the mean of what its `voters` say,
/// by their scores. `rows` are the voters' landmark deltas, in their order.
pub fn landmarks(
    voters: &[Kept],
    rows: &[&[f32]],
    anchors: &Anchors,
    coder: Coder,
    points: usize,
) -> Vec<Point> {
    let total: f32 = voters.iter().map(|voter| voter.score).sum();
    let mut landmarks = vec![[0.0; 2]; points];
    for (voter, row) in voters.iter().zip(rows) {
        let anchor = anchors.boxes_cxcywh()[voter.anchor];
        // One alone counts whole, also with a score of nothing.
        let share = match voters.len() {
            1 => 1.0,
            _ => voter.score / total,
        };
        for (mean, &delta) in landmarks.iter_mut().zip(row.as_chunks::<2>().0) {
            let [x, y] = coder.decode_point(anchor, delta);
            *mean = [mean[0] + share * x, mean[1] + share * y];
        }
    }
    landmarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::AnchorConfig;

    #[test]
    fn the_mean_is_by_score_and_each_delta_belongs_to_its_anchor() {
        let config = AnchorConfig {
            min_sizes: vec![vec![16.0]],
            strides: vec![16],
            ..AnchorConfig::default()
        };
        let anchors = Anchors::generate(&config, [32, 16]); // centres (8, 8) and (24, 8), 16 wide
        let coder = Coder::of_deltas([0.1, 0.2]);
        let voter = |anchor, score| Kept {
            anchor,
            score,
            box_xyxy: [0.0, 0.0, 16.0, 16.0].into(),
        };
        let two = [voter(0, 0.9), voter(1, 0.3)];
        // A delta of 1 is 1.6 pixels: (8, 8) and (9.6, 4.8); (16, 8) and (24, 11.2).
        let rows: [&[f32]; 2] = [&[0.0, 0.0, 1.0, -2.0], &[-5.0, 0.0, 0.0, 2.0]];
        let found = landmarks(&two, &rows, &anchors, coder, 2);
        for ([x, y], [want_x, want_y]) in found.iter().zip([[10.0, 8.0], [13.2, 6.4]]) {
            assert!(
                (x - want_x).abs() < 1e-4 && (y - want_y).abs() < 1e-4,
                "{found:?}"
            );
        }
        let alone = landmarks(&[voter(1, 0.0)], &rows[1..], &anchors, coder, 2);
        assert!((alone[1][0] - 24.0).abs() < 1e-4, "{alone:?}");
    }
}
