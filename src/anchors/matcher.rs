//! What each anchor is told.

use super::{Anchors, targets::Truth};
use crate::assign::{MatcherConfig, Quality};
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

/// Deals anchors out to faces, background and what is ignored.
#[derive(Clone, Debug)]
pub struct Matcher {
    config: MatcherConfig,
}

impl Matcher {
    /// With the assigner of the config.
    pub fn new(config: &MatcherConfig) -> Self {
        Self {
            config: config.clone(),
        }
    }

    /// One [`Match`] per anchor, by the assigner's rule. Ignored truths and those without size never
    /// match; anchors lying in them by more than `ignored_share` are ignored, unless positive.
    /// `complete` says whether all faces of the photo are labelled.
    pub fn assign(&self, anchors: &Anchors, truths: &[Truth], complete: bool) -> Vec<Match> {
        let boxes: Vec<BoxXyxy> = anchors
            .boxes_cxcywh()
            .iter()
            .map(|&b| BoxXyxy::from_cxcywh(b))
            .collect();
        let faces = truths.iter().enumerate().filter(|(_, t)| t.matches());
        let (indices, faces): (Vec<usize>, Vec<BoxXyxy>) =
            faces.map(|(index, t)| (index, t.box_xyxy)).unzip();
        let quality = Quality::iou(&boxes, &faces);
        let assigner = self.config.kind.assigner();
        let learned = assigner.assign(&quality, anchors, &faces);
        let told =
            |face: Option<usize>| face.map_or(Match::Negative, |f| Match::Positive(indices[f]));
        let mut matches: Vec<Match> = learned.into_iter().map(told).collect();
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
