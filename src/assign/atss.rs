use retinamark_core::anchors::Anchors;
use retinamark_core::geometry::BoxXyxy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assigner, Quality};
use crate::check::Check;

/// Adaptive training sample selection (Zhang et al., 2019, arXiv:1912.02424): of each level the
/// anchors with the nearest centres are a face's candidates; those learn it whose quality is at
/// least the mean of all candidates plus their standard deviation, and whose centre lies within it.
/// An anchor that two faces want learns the one that it fits better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Atss {
    /// Candidates of each level.
    pub candidates: usize,
}

impl Default for Atss {
    fn default() -> Self {
        Self { candidates: 9 }
    }
}

impl Assigner for Atss {
    fn assign(
        &self,
        quality: &Quality,
        anchors: &Anchors,
        faces: &[BoxXyxy],
    ) -> Vec<Option<usize>> {
        let mut best = vec![(0.0, None); quality.anchors()];
        for ((index, face), values) in faces.iter().enumerate().zip(quality.faces()) {
            let candidates = self.nearest(anchors, face);
            let threshold = mean_and_deviation(candidates.iter().map(|&anchor| values[anchor]));
            for anchor in candidates {
                let [x, y, ..] = anchors.boxes_cxcywh()[anchor];
                let value = values[anchor];
                if value >= threshold && value > best[anchor].0 && face.contains([x, y]) {
                    best[anchor] = (value, Some(index));
                }
            }
        }
        best.into_iter().map(|(_, face)| face).collect()
    }

    fn check(&self, check: &mut Check) {
        check.between("matcher.candidates", self.candidates, 1, 1000);
    }
}

impl Atss {
    /// The candidates of all levels.
    fn nearest(&self, anchors: &Anchors, face: &BoxXyxy) -> Vec<usize> {
        let [x, y] = face.centre();
        let distance = |&anchor: &usize| {
            let [ax, ay, ..] = anchors.boxes_cxcywh()[anchor];
            (ax - x).powi(2) + (ay - y).powi(2)
        };
        let closer = |a: &usize, b: &usize| distance(a).total_cmp(&distance(b)).then(a.cmp(b));
        let mut all = Vec::new();
        for level in anchors.levels() {
            let mut own: Vec<usize> = level.collect();
            if self.candidates < own.len() {
                own.select_nth_unstable_by(self.candidates, closer);
                own.truncate(self.candidates);
            }
            all.extend(own);
        }
        all
    }
}

/// The mean plus the standard deviation (of a sample: divided by one less than there are).
fn mean_and_deviation(values: impl ExactSizeIterator<Item = f32> + Clone) -> f32 {
    let count = values.len() as f32;
    let mean = values.clone().sum::<f32>() / count.max(1.0);
    let squares: f32 = values.map(|value| (value - mean).powi(2)).sum();
    mean + (squares / (count - 1.0).max(1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use retinamark_core::settings::AnchorConfig;

    use super::*;

    /// One square a cell: 8 pixels on 4 x 4 places, 16 on 2 x 2.
    fn anchors() -> Anchors {
        let config = AnchorConfig {
            min_sizes: vec![vec![8.0], vec![16.0]],
            strides: vec![8, 16],
            ..AnchorConfig::default()
        };
        Anchors::generate(&config, [32, 32])
    }

    fn assign(candidates: usize, faces: &[[f32; 4]]) -> Vec<(usize, usize)> {
        let anchors = anchors();
        let boxes: Vec<BoxXyxy> = anchors
            .boxes_cxcywh()
            .iter()
            .map(|&b| BoxXyxy::from_cxcywh(b))
            .collect();
        let faces: Vec<BoxXyxy> = faces.iter().map(|&face| face.into()).collect();
        let quality = Quality::iou(&boxes, &faces);
        let learned = Atss { candidates }.assign(&quality, &anchors, &faces);
        let positive = |(anchor, face): (usize, Option<usize>)| Some((anchor, face?));
        learned
            .into_iter()
            .enumerate()
            .filter_map(positive)
            .collect()
    }

    #[test]
    fn the_threshold_is_each_faces_own() {
        // Candidates: tiles 0, 1, 4, 5 (IoU 16/304 each at most, here 64/256 within) and 16.
        // The face is tile 16 itself: IoU 1/4 four times and 1. Mean .4, deviation .335.
        assert_eq!(assign(4, &[[0.0, 0.0, 16.0, 16.0]])[0], (16, 0));
        assert_eq!(assign(4, &[[0.0, 0.0, 16.0, 16.0]]).len(), 1);
        // One candidate a level: .25 and 1; mean .625, deviation .53: more than any has.
        assert!(assign(1, &[[0.0, 0.0, 16.0, 16.0]]).is_empty());
    }

    #[test]
    fn two_faces_want_one_anchor() {
        // Both have tile 0 as their best; it is the first one's.
        let faces = [[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 9.0, 9.0]];
        assert_eq!(assign(3, &faces), [(0, 0)]);
        assert_eq!(assign(3, &[faces[1], faces[0]]), [(0, 1)]);
    }

    #[test]
    fn an_anchor_whose_centre_lies_outside_does_not_learn() {
        // Best is tile 0, whose centre (4, 4) lies above the face.
        let face = [0.0, 4.5, 8.0, 9.5];
        assert!(assign(2, &[face]).iter().all(|&(anchor, _)| anchor != 0));
    }

    #[test]
    fn mean_and_deviation_by_hand() {
        let found = mean_and_deviation([1.0, 2.0, 6.0].into_iter());
        assert!((found - (3.0 + 7f32.sqrt())).abs() < 1e-6);
        assert_eq!(mean_and_deviation([0.5].into_iter()), 0.5);
    }
}
