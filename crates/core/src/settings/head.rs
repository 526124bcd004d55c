//! What the numbers of a detector's heads mean.

use serde::{Deserialize, Serialize};

/// Kinds of heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeadKind {
    /// Two logits an anchor, background and face, and their softmax (RetinaFace, Deng et al., 2019,
    /// arXiv:1905.00641).
    #[default]
    Retinaface,
    /// One logit an anchor, whose sigmoid says how well the anchor's box lies on a face (GFL, Li et
    /// al., 2020, arXiv:2006.04388).
    Quality,
}

/// How boxes are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BoxKind {
    /// Centre and logarithm of the size, relative to the anchor's (SSD, Liu et al., 2016).
    #[default]
    Deltas,
    /// Distances from the anchor's centre to the left, top, right and bottom side, in sides of the
    /// anchor (FCOS, Tian et al., 2019, arXiv:1904.01355, in strides there).
    Distances,
}

/// The heads of a detector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HeadConfig {
    /// Two logits an anchor, background and face, or one that says how well its box lies on a face.
    pub kind: HeadKind,
    /// Deltas of the anchor's centre and size, or distances of the sides from its centre.
    pub boxes: BoxKind,
}

impl HeadConfig {
    /// Logits of an anchor.
    pub const fn logits(&self) -> usize {
        match self.kind {
            HeadKind::Retinaface => 2,
            HeadKind::Quality => 1,
        }
    }
}
