//! Average precision of boxes: VOC, all points, at one IoU.

use crate::data::FaceLabel;
use crate::geometry::{BoxXyxy, Face};

/// What became of one detection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Match {
    /// On no face.
    Background,
    /// On no face, but smaller than the faces that are looked for.
    Small,
    /// On this truth, as the first (best) detection or as a duplicate.
    Truth { id: usize, first: bool },
}

/// Collects the detections of many photos.
///
/// The rules of VOC: detections are taken by falling score, each belongs to the truth with which
/// its IoU is highest, and counts as a hit when that IoU reaches the threshold and no better
/// detection took the same truth; a second one is a false positive. Truths that are ignored, and
/// what is detected on them, count neither way. Two additions: truths smaller than
/// `min_size` are ignored too, and so is a detection that small which lies on no truth (COCO's
/// rule for size ranges): it may be a face that is too small to be looked for.
#[derive(Clone, Debug)]
pub struct ApCounter {
    iou: f32,
    min_size: f32,
    /// For each truth so far whether it counts.
    counted: Vec<bool>,
    detections: Vec<(f32, Match)>,
}

impl ApCounter {
    /// Count hits from `iou` on; faces from `min_size` pixels on (side of the square of the same
    /// area, in the pixels of the network input).
    pub const fn new(iou: f32, min_size: f32) -> Self {
        Self {
            iou,
            min_size,
            counted: Vec::new(),
            detections: Vec::new(),
        }
    }

    /// Add a photo whose faces are all labelled. `scale`: input pixels per photo pixel.
    pub fn add(&mut self, truth: &[FaceLabel], detections: &[Face], scale: f32) {
        let offset = self.counted.len();
        let small = |b: &BoxXyxy| b.side() * scale < self.min_size;
        self.counted.extend(
            truth
                .iter()
                .map(|t| !t.ignored && t.box_xyxy.has_size() && !small(&t.box_xyxy)),
        );
        let mut order: Vec<&Face> = detections.iter().filter(|d| !d.score.is_nan()).collect();
        order.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut taken = vec![false; truth.len()];
        for face in order {
            let counted = &self.counted[offset..];
            let found = match best_truth(&face.box_xyxy, truth, counted, self.iou) {
                Some(i) => Match::Truth {
                    id: offset + i,
                    first: !std::mem::replace(&mut taken[i], true),
                },
                None if small(&face.box_xyxy) => Match::Small,
                None => Match::Background,
            };
            self.detections.push((face.score, found));
        }
    }

    /// Number of truths so far, counted or not: the index of the next one.
    pub const fn truths(&self) -> usize {
        self.counted.len()
    }

    /// Number of truths that count.
    pub fn counted(&self) -> usize {
        self.counted.iter().filter(|&&c| c).count()
    }

    /// AP over all truths that count; `None` when there is none.
    pub fn average_precision(&self) -> Option<f64> {
        self.average_precision_of(|_| true)
    }

    /// AP over the truths that count and belong to a subset; the others are ignored.
    pub fn average_precision_of(&self, member: impl Fn(usize) -> bool) -> Option<f64> {
        let counts = |id: usize| self.counted[id] && member(id);
        let truths = (0..self.counted.len()).filter(|&id| counts(id)).count();
        let mut scored: Vec<(f32, bool)> = self
            .detections
            .iter()
            .filter_map(|&(score, found)| match found {
                Match::Background => Some((score, false)),
                Match::Small => None,
                Match::Truth { id, first } => counts(id).then_some((score, first)),
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        (truths > 0).then(|| area(&scored, truths))
    }
}

/// The truth with the highest IoU, if that reaches `threshold`; of equal ones one that counts.
fn best_truth(
    detection: &BoxXyxy,
    truth: &[FaceLabel],
    counted: &[bool],
    threshold: f32,
) -> Option<usize> {
    let (best, iou) = truth
        .iter()
        .enumerate()
        .map(|(i, t)| (i, t.box_xyxy.iou(detection)))
        .reduce(|a, b| {
            let better = b.1 > a.1 || (b.1 == a.1 && counted[b.0] && !counted[a.0]);
            if better { b } else { a }
        })?;
    (iou >= threshold).then_some(best)
}

/// Area under the precision-recall curve, where precision at a recall is the best one at that
/// recall or above. Detections of equal score enter together: their order means nothing.
fn area(scored: &[(f32, bool)], truths: usize) -> f64 {
    let mut curve = Vec::new();
    let (mut hits, mut seen) = (0usize, 0usize);
    for group in scored.chunk_by(|a, b| a.0 == b.0) {
        hits += group.iter().filter(|d| d.1).count();
        seen += group.len();
        curve.push((hits as f64 / truths as f64, hits as f64 / seen as f64));
    }
    let (mut area, mut best) = (0.0, 0.0f64);
    for i in (0..curve.len()).rev() {
        let (recall, precision) = curve[i];
        best = best.max(precision);
        let before = if i == 0 { 0.0 } else { curve[i - 1].0 };
        area += (recall - before) * best;
    }
    area
}

#[cfg(test)]
mod tests;
