//! Which anchor learns which face: assigners, one a file with its settings.

mod atss;
mod max_iou;
mod quality;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use atss::Atss;
pub use max_iou::MaxIou;
pub use quality::Quality;
use retinamark_core::anchors::Anchors;
use retinamark_core::geometry::BoxXyxy;

use crate::check::Check;
use crate::kinds::{kinds, section};

/// A way to deal out anchors.
pub trait Assigner {
    /// For each anchor the face that it learns, if any. `quality` says how well each anchor fits
    /// each of the `faces`, which all have a size.
    fn assign(&self, quality: &Quality, anchors: &Anchors, faces: &[BoxXyxy])
    -> Vec<Option<usize>>;

    /// Whether the values make sense.
    fn check(&self, check: &mut Check);
}

kinds! {
    /// The assigners.
    AssignerKind as assigner -> Assigner {
        "max_iou" => MaxIou,
        "atss" => Atss,
    }
}

impl Default for AssignerKind {
    fn default() -> Self {
        Self::MaxIou(MaxIou::default())
    }
}

/// The section `matcher`: an assigner, and what all of them have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct MatcherConfig {
    /// Which anchors learn which face.
    #[serde(flatten, skip_deserializing)]
    pub kind: AssignerKind,
    /// An anchor with more than this share of its area in an ignored region is ignored.
    pub ignored_share: f32,
}

impl Default for MatcherConfig {
    fn default() -> Self {
        Self {
            kind: AssignerKind::default(),
            ignored_share: 0.5,
        }
    }
}

section!(MatcherConfig);

impl MatcherConfig {
    /// Whether the values make sense.
    pub(crate) fn check(&self, check: &mut Check) {
        self.kind.assigner().check(check);
        check.between("matcher.ignored_share", self.ignored_share, 0.0, 1.0);
    }
}
