//! Which anchor learns which face.

use super::{Anchors, targets::Truth};
use crate::config::MatcherConfig;
use crate::geometry::BoxXyxy;

/// In a photo whose faces are not all labelled, anchors count as background only where their
/// centre lies within this multiple of a labelled face.
const KNOWN_SURROUNDINGS: f32 = 2.0;

/// What one anchor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It shows the face of this index.
    Positive(usize),
    /// It shows background.
    Negative,
    /// It takes no part in the loss.
    Ignored,
}

/// Assigns anchors to faces.
#[derive(Clone, Debug)]
pub struct Matcher {
    config: MatcherConfig,
}

impl Matcher {
    /// With the thresholds of the config.
    pub fn new(config: &MatcherConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }

    /// One [`Match`] per anchor. An anchor goes to the face it overlaps most, if that reaches
    /// `positive_iou`; besides, each face claims its best anchor from `forced_iou` on (the face
    /// with the higher IoU wins an anchor that two claim). Ignored truths and those without
    /// size never match; anchors lying in them by more than `ignored_share` are ignored, unless
    /// positive. `complete` says whether all faces of the photo are labelled.
    pub fn assign(&self, anchors: &Anchors, truths: &[Truth], complete: bool) -> Vec<Match> {
        let boxes: Vec<BoxXyxy> = anchors
            .boxes_cxcywh()
            .iter()
            .map(|&b| BoxXyxy::from_cxcywh(b))
            .collect();
        let mut best = vec![(0.0, usize::MAX); boxes.len()];
        let mut claims = Vec::new();
        for (index, truth) in truths.iter().enumerate().filter(|(_, t)| t.matches()) {
            let mut top = (0.0, usize::MAX);
            for (anchor, b) in boxes.iter().enumerate() {
                let iou = b.iou(&truth.box_xyxy);
                if iou > best[anchor].0 {
                    best[anchor] = (iou, index);
                }
                if iou > top.0 {
                    top = (iou, anchor);
                }
            }
            if top.0 >= self.config.forced_iou && top.1 != usize::MAX {
                claims.push((top.0, top.1, index));
            }
        }
        let mut matches: Vec<Match> = best
            .iter()
            .map(|&(iou, index)| match index {
                usize::MAX => Match::Negative,
                _ if iou >= self.config.positive_iou => Match::Positive(index),
                _ => Match::Negative,
            })
            .collect();
        claims.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.2.cmp(&a.2)));
        for (_, anchor, index) in claims {
            matches[anchor] = Match::Positive(index);
        }
        self.ignore(&boxes, truths, complete, &mut matches);
        matches
    }

    fn ignore(&self, boxes: &[BoxXyxy], truths: &[Truth], complete: bool, out: &mut [Match]) {
        let regions: Vec<BoxXyxy> = truths
            .iter()
            .filter(|t| !t.matches() && t.box_xyxy.has_size())
            .map(|t| t.box_xyxy)
            .collect();
        let known: Vec<BoxXyxy> = truths
            .iter()
            .filter(|t| t.matches())
            .map(|t| t.box_xyxy.scaled(KNOWN_SURROUNDINGS))
            .collect();
        let share = self.config.ignored_share;
        for (b, m) in boxes.iter().zip(out) {
            if *m != Match::Negative {
                continue;
            }
            let limit = share * b.area();
            let inside = regions.iter().any(|r| b.intersection(r) > limit);
            let unknown = !complete && !known.iter().any(|k| k.contains(b.centre()));
            if inside || unknown {
                *m = Match::Ignored;
            }
        }
    }
}
