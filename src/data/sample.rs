//! What a labelled photo is.

use std::path::PathBuf;
use std::sync::Arc;

use crate::anchors::Truth;
use crate::geometry::{BoxXyxy, HeadPose, Landmarks};

/// The six WFLW attributes, in the order of the lists.
pub const ATTRIBUTES: [&str; 6] = [
    "pose",
    "expression",
    "illumination",
    "make-up",
    "occlusion",
    "blur",
];

/// One labelled face, pixels of the photo (or of the crop after augmentation).
#[derive(Clone, Debug, PartialEq)]
pub struct FaceLabel {
    /// Bounding box; may be without size, and then it is ignored.
    pub box_xyxy: BoxXyxy,
    /// Landmarks in the order of the model's scheme, or none.
    pub landmarks: Landmarks,
    /// Neither face nor background: WIDER `invalid`, no size, too small in the crop.
    pub ignored: bool,
    /// WFLW attributes, where the list has them.
    pub attributes: Option<[bool; 6]>,
    /// How the head is turned, where the list says so.
    pub pose: Option<HeadPose>,
    /// How much its landmarks count, above 0 to 1: less where those who made them disagree.
    pub trust: f32,
    /// How far apart those who made its landmarks put them, share of the face's longer side; 0 where
    /// nobody says.
    pub doubt: f32,
}

impl FaceLabel {
    /// A face with a box only.
    pub const fn boxed(box_xyxy: BoxXyxy) -> Self {
        Self {
            box_xyxy,
            landmarks: Landmarks::none(),
            ignored: false,
            attributes: None,
            pose: None,
            trust: 1.0,
            doubt: 0.0,
        }
    }

    /// As the matcher sees it.
    pub const fn truth(&self) -> Truth<'_> {
        Truth {
            box_xyxy: self.box_xyxy,
            landmarks: &self.landmarks,
            ignored: self.ignored,
            weight: self.trust,
            doubt: self.doubt,
            pose: self.pose,
        }
    }

    /// Forget the landmarks, keep the box.
    pub fn clear_landmarks(&mut self) {
        self.landmarks = Landmarks::none();
    }

    /// Whether at least one point is labelled.
    pub fn has_landmarks(&self) -> bool {
        self.landmarks.any_labelled()
    }
}

/// One photo and everything that is known about its faces.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The file.
    pub path: PathBuf,
    /// Name as the list gives it; for messages and results.
    pub name: Arc<str>,
    /// Its faces.
    pub faces: Vec<FaceLabel>,
    /// Whether all faces are labelled, so that the rest of the photo is background.
    pub complete: bool,
    /// Index of its source in the config.
    pub source: usize,
}
