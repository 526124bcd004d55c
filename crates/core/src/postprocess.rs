//! From the network's numbers to faces: score threshold, top-k, decoding, non-maximum suppression.

use crate::anchors::{Anchors, Coder};
use crate::geometry::{BoxXyxy, Letterbox};
use crate::settings::DetectConfig;

/// Lowest IoU of boxes that are nearly the same.
const VOTE_IOU: f32 = 0.6;

/// Faces below this score are not worth more than one vote.
const VOTE_SCORE: f32 = 0.3;

/// What counts as a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Lowest score.
    pub score: f32,
    /// Most candidates that enter the suppression.
    pub top_k: usize,
    /// IoU above which the weaker of two boxes goes.
    pub nms_iou: f32,
    /// Most faces kept.
    pub max_faces: usize,
    /// Most anchors that say where the landmarks of a face are.
    pub votes: usize,
}

impl Options {
    /// The config's, with another lowest score.
    pub const fn new(config: &DetectConfig, score: f32) -> Self {
        Self {
            score,
            top_k: config.top_k,
            nms_iou: config.nms_iou,
            max_faces: config.max_faces,
            votes: config.landmark_votes,
        }
    }

    /// Lowest score of anchors that matter: those that vote, which are the same whatever faces are
    /// wanted, or are faces.
    pub const fn lowest(&self) -> f32 {
        self.score.min(VOTE_SCORE)
    }
}

/// A face that survived; its landmarks are yet to be computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// Index of its anchor.
    pub anchor: usize,
    /// Probability of a face.
    pub score: f32,
    /// Box, network input pixels.
    pub box_xyxy: BoxXyxy,
}

/// Faces of one image, best first; for each the anchors that say where its landmarks are (see
/// [`voters`]), the one that stands for it first. `scores` and `box_deltas` are per anchor, NaN
/// scores never pass; anchors centred on the padding, and boxes whose centre lies there, are left
/// out.
pub fn keep(
    scores: &[f32],
    box_deltas: &[[f32; 4]],
    anchors: &Anchors,
    coder: Coder,
    letterbox: &Letterbox,
    options: &Options,
) -> Vec<Vec<Kept>> {
    let all = candidates(
        scores,
        box_deltas,
        anchors,
        coder,
        letterbox,
        options.lowest(),
    );
    let best = |lowest: f32| {
        let count = all.partition_point(|candidate| candidate.score >= lowest);
        &all[..count.min(options.top_k)]
    };
    let kept = suppress(best(options.score), options.nms_iou, options.max_faces);
    let voting = best(VOTE_SCORE);
    kept.iter()
        .map(|kept| voters(voting, kept, options.votes))
        .collect()
}

/// Boxes that score at least `lowest`, best first.
fn candidates(
    scores: &[f32],
    box_deltas: &[[f32; 4]],
    anchors: &Anchors,
    coder: Coder,
    letterbox: &Letterbox,
    lowest: f32,
) -> Vec<Kept> {
    let boxes = anchors.boxes_cxcywh();
    let mut candidates: Vec<(usize, f32)> = scores
        .iter()
        .copied()
        .enumerate()
        .filter(|&(i, s)| s >= lowest && letterbox.on_content([boxes[i][0], boxes[i][1]]))
        .collect();
    candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates
        .into_iter()
        .map(|(anchor, score)| Kept {
            anchor,
            score,
            box_xyxy: coder.decode_box(boxes[anchor], box_deltas[anchor]),
        })
        .filter(|k| k.box_xyxy.has_size() && letterbox.on_content(k.box_xyxy.centre()))
        .collect()
}

/// Which of the `candidates` (best first) say where the landmarks of a `kept` face are: up to
/// `votes` of those whose boxes are nearly its own, itself first. Anchors around a face err
/// differently, so that their mean errs less.
pub fn voters(candidates: &[Kept], kept: &Kept, votes: usize) -> Vec<Kept> {
    let agrees = |c: &&Kept| c.box_xyxy.iou(&kept.box_xyxy) >= VOTE_IOU && c.anchor != kept.anchor;
    let votes = if kept.score >= VOTE_SCORE {
        votes.max(1)
    } else {
        1
    };
    let others = candidates.iter().filter(agrees).take(votes - 1);
    std::iter::once(kept).chain(others).copied().collect()
}

/// Greedy non-maximum suppression of boxes sorted best first: each box that overlaps a better
/// kept one by more than `iou` goes; at most `limit` stay.
pub fn suppress(sorted: &[Kept], iou: f32, limit: usize) -> Vec<Kept> {
    let mut kept: Vec<Kept> = Vec::new();
    for candidate in sorted {
        if kept.len() >= limit {
            break;
        }
        if kept
            .iter()
            .all(|k| k.box_xyxy.iou(&candidate.box_xyxy) <= iou)
        {
            kept.push(*candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
