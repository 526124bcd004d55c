//! Which landmarks a face has.

use serde::{Deserialize, Serialize};

use crate::error::{Result, bail};
use crate::geometry::Scheme;
use crate::geometry::landmarks::Anatomy;

/// Which landmarks a face has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LandmarksConfig {
    /// Number, order and meaning of the points.
    pub scheme: SchemeName,
    /// The points of a `custom` scheme, for example:
    ///
    /// ```yaml
    /// points: 6
    /// flip_pairs: [[0, 1], [3, 4]]
    /// normalise: [0, 1]
    /// anatomy: {left_eye: [0], right_eye: [1], nose: [2], mouth_left: [3], mouth_right: [4]}
    /// parts: [[0, 2, 1]]
    /// ```
    pub custom: Option<CustomScheme>,
}

/// Names of the landmark schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// WFLW, 98 points.
    Wflw98,
    /// iBUG 300-W, 68 points.
    Ibug68,
    /// LaPa, 106 points.
    Lapa106,
    /// Eyes, nose and mouth corners.
    Five,
    /// As given under `landmarks.custom`.
    Custom,
}

/// A landmark scheme of the user's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CustomScheme {
    /// How many.
    pub points: usize,
    /// Pairs of points that swap in a horizontal flip; all others stay.
    #[serde(default)]
    pub flip_pairs: Vec<(usize, usize)>,
    /// The two points whose distance divides the error (NME).
    pub normalise: [usize; 2],
    /// Points of eyes, nose and mouth corners, of which "left" is the left of the picture; for
    /// aligned crops only.
    #[serde(default)]
    pub anatomy: CustomAnatomy,
    /// Points that follow one another along a line of the face; for the loss `chain` only.
    #[serde(default)]
    pub parts: Vec<Vec<usize>>,
}

/// Point indices of the parts that aligned crops use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct CustomAnatomy {
    /// Eye on the left of the picture.
    pub left_eye: Vec<usize>,
    /// Eye on the right of the picture.
    pub right_eye: Vec<usize>,
    /// Tip of the nose.
    pub nose: Vec<usize>,
    /// Mouth corner on the left of the picture.
    pub mouth_left: Vec<usize>,
    /// Mouth corner on the right of the picture.
    pub mouth_right: Vec<usize>,
}

impl Default for LandmarksConfig {
    fn default() -> Self {
        Self {
            scheme: SchemeName::Wflw98,
            custom: None,
        }
    }
}

impl LandmarksConfig {
    /// The scheme that this section describes.
    ///
    /// # Errors
    /// When a custom scheme is missing or contradicts itself.
    pub fn scheme(&self) -> Result<Scheme> {
        match (self.scheme, &self.custom) {
            (SchemeName::Wflw98, _) => Ok(Scheme::wflw98()),
            (SchemeName::Ibug68, _) => Ok(Scheme::ibug68()),
            (SchemeName::Lapa106, _) => Ok(Scheme::lapa106()),
            (SchemeName::Five, _) => Ok(Scheme::five()),
            (SchemeName::Custom, None) => bail!(
                Settings,
                "landmarks.scheme is custom, but landmarks.custom is missing"
            ),
            (SchemeName::Custom, Some(c)) => {
                let a = c.anatomy.clone();
                let anatomy = Anatomy {
                    left_eye: a.left_eye,
                    right_eye: a.right_eye,
                    nose: a.nose,
                    mouth_left: a.mouth_left,
                    mouth_right: a.mouth_right,
                };
                let (pairs, parts) = (&c.flip_pairs, c.parts.clone());
                Scheme::new("custom", c.points, pairs, c.normalise, anatomy, parts)
            }
        }
    }
}
