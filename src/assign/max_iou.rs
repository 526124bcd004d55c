use retinamark_core::anchors::Anchors;
use retinamark_core::geometry::BoxXyxy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assigner, Quality};
use crate::check::Check;

/// An anchor learns the face that it fits best, from a threshold on; besides, each face claims its
/// best anchor from a lower one (Faster R-CNN's rule, with RetinaFace's numbers). Of two faces that
/// claim one anchor the one that it fits better has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MaxIou {
    /// An anchor with at least this IoU is positive.
    pub positive_iou: f32,
    /// The best anchor of a face is positive from this IoU on.
    pub forced_iou: f32,
}

impl Default for MaxIou {
    fn default() -> Self {
        Self {
            positive_iou: 0.35,
            forced_iou: 0.2,
        }
    }
}

impl Assigner for MaxIou {
    fn assign(&self, quality: &Quality, _: &Anchors, _: &[BoxXyxy]) -> Vec<Option<usize>> {
        let mut best = vec![(0.0, None); quality.anchors()];
        let mut claims = Vec::new();
        for (face, values) in quality.faces().enumerate() {
            let mut top = (0.0, None);
            for (anchor, &value) in values.iter().enumerate() {
                if value > best[anchor].0 {
                    best[anchor] = (value, Some(face));
                }
                if value > top.0 {
                    top = (value, Some(anchor));
                }
            }
            if let (value, Some(anchor)) = top
                && value >= self.forced_iou
            {
                claims.push((value, anchor, face));
            }
        }
        let enough =
            |(value, face): (f32, Option<usize>)| face.filter(|_| value >= self.positive_iou);
        let mut learned: Vec<Option<usize>> = best.into_iter().map(enough).collect();
        claims.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.2.cmp(&a.2)));
        for (_, anchor, face) in claims {
            learned[anchor] = Some(face);
        }
        learned
    }

    fn check(&self, check: &mut Check) {
        check.positive("matcher.positive_iou", self.positive_iou, 1.0);
        check.positive("matcher.forced_iou", self.forced_iou, 1.0);
        check.ensure(
            self.forced_iou <= self.positive_iou,
            "matcher.forced_iou",
            "must not be above matcher.positive_iou",
        );
    }
}
