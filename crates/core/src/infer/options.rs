//! What to look for, and how closely.

use super::closer::HINT;
use crate::postprocess;
use crate::settings::{AlignerConfig, DetectConfig};

/// Longest side of the network input with [`InputSize::Full`], pixels. A larger photo is made
/// smaller first: the default network then needs about 0.6 GiB, whatever the camera.
pub const FULL_SIZE_LIMIT: u32 = 3072;

/// How large a photo is when the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSize {
    /// The longer side is scaled to this many pixels, also when the photo is smaller.
    Fixed(u32),
    /// The photo's own size; above [`FULL_SIZE_LIMIT`] it is made smaller.
    Full,
    /// As many looks as the photo needs: at 640 pixels first, then from farther away for faces that fill
    /// the frame, and from nearer, in tiles at last, where faces are small.
    Auto,
}

/// How faces are looked at again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignOptions {
    /// Lowest score of faces that are.
    pub min_score: f32,
    /// How often each is, every time around the points found before; at least once.
    pub passes: usize,
    /// Look at the mirrored crop too and take the mean.
    pub flip: bool,
}

impl From<&AlignerConfig> for AlignOptions {
    fn from(config: &AlignerConfig) -> Self {
        Self {
            min_score: config.min_score,
            passes: config.passes,
            flip: config.flip,
        }
    }
}

/// Settings of one detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DetectOptions {
    /// Size of the network input.
    pub size: InputSize,
    /// Look at the photo at this size too: a larger one finds smaller faces, a smaller one those
    /// that fill the photo.
    pub second_size: Option<InputSize>,
    /// Lowest score of a face.
    pub score: f32,
    /// IoU above which the weaker of two boxes goes.
    pub nms_iou: f32,
    /// Candidates that enter non-maximum suppression.
    pub top_k: usize,
    /// Most faces of a photo.
    pub max_faces: usize,
    /// Anchors whose landmarks are averaged for each face.
    pub landmark_votes: usize,
    /// Look at the photo on its sides and upside down too.
    pub any_angle: bool,
}

impl From<&DetectConfig> for DetectOptions {
    fn from(config: &DetectConfig) -> Self {
        Self {
            size: InputSize::Fixed(config.size),
            second_size: None,
            score: config.score,
            nms_iou: config.nms_iou,
            top_k: config.top_k,
            max_faces: config.max_faces,
            landmark_votes: config.landmark_votes,
            any_angle: false,
        }
    }
}

impl DetectOptions {
    /// The same with another lowest score.
    #[must_use]
    pub const fn with_score(mut self, score: f32) -> Self {
        self.score = score;
        self
    }

    /// All sizes to look at.
    pub fn sizes(&self) -> impl Iterator<Item = InputSize> {
        [Some(self.size), self.second_size].into_iter().flatten()
    }

    /// Longer side of the largest network input for a photo of these width and height, pixels.
    pub fn longest_input(&self, [width, height]: [u32; 2]) -> u32 {
        let longer = width.max(height);
        let of = |size| match size {
            InputSize::Fixed(side) => side,
            InputSize::Full => longer.min(FULL_SIZE_LIMIT),
            // Where there are small faces.
            InputSize::Auto => longer,
        };
        self.sizes().map(of).max().unwrap_or(longer).max(1)
    }

    /// Whether what the first look finds decides about more of them.
    pub fn is_auto(&self) -> bool {
        self.sizes().any(|size| size == InputSize::Auto)
    }

    /// Whether the photo is needed after the first look, for further ones.
    pub fn looks_further(&self) -> bool {
        self.is_auto() || self.any_angle
    }

    /// The part that concerns the network's outputs. Where more looks may follow, hints of faces count
    /// too.
    pub fn postprocess(&self) -> postprocess::Options {
        let hints = self.is_auto();
        postprocess::Options {
            score: if hints {
                self.score.min(HINT)
            } else {
                self.score
            },
            top_k: self.top_k,
            nms_iou: self.nms_iou,
            max_faces: self.max_faces,
            votes: self.landmark_votes,
        }
    }
}
