//! Where training and validation faces come from.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Data sources and how they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Lists to train on, mixed by weight. One list names all photos: wflw, wider, retinaface, coco. A
    /// file for each photo: pts (300-W, Menpo, 300-VW), mat (300W-LP, AFLW2000-3D, COFW-68), lapa,
    /// yolo, crops (`extract`).
    ///
    /// ```yaml
    /// - kind: wflw
    ///   list: data/WFLW/list_98pt_rect_attr_train.txt
    ///   images: data/WFLW/images
    ///   weight: 1.0
    ///   wider: data/WIDER/wider_face_train_bbx_gt.txt
    ///   disagreement: null
    ///   max_disagreement: null
    ///   half_disagreement: null
    ///   pose: null
    ///   pose_convention: 300w_lp
    ///   complete: null
    /// - kind: pts
    ///   list: data/300W/helen_train
    ///   images: ""
    ///   weight: 0.5
    /// ```
    pub train: Vec<SourceConfig>,
    /// Lists to validate on, same form; sharing a photo with `train` is an error.
    pub validation: Vec<SourceConfig>,
    /// Where the turn of each head comes from: the lists, the points of the face, or the points where
    /// the lists do not say.
    pub pose: PoseOrigin,
    /// Task `align`: how often faces that look aside are drawn, relative to others.
    pub turned_weight: f32,
    /// A bad line or photo stops the program, or is counted and left out.
    pub on_error: OnError,
    /// Threads that prepare batches; 0: one per core.
    pub workers: usize,
    /// Batches prepared ahead of the training step.
    pub prefetch: usize,
    /// Decoded photos kept in memory, MiB; 0: decode each time.
    pub cache_mib: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: Vec::new(),
            validation: Vec::new(),
            pose: PoseOrigin::Labels,
            turned_weight: 1.0,
            on_error: OnError::Fail,
            workers: 0,
            prefetch: 4,
            cache_mib: 2048,
        }
    }
}

/// Where the turn of a head comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoseOrigin {
    /// The lists; a face of which they do not say has none.
    Labels,
    /// The face's landmarks, under which a fixed face in space is turned; see
    /// [`FaceModel`](crate::geometry::FaceModel).
    Points,
    /// The lists, and the landmarks where they do not say.
    LabelsOrPoints,
}

/// What the angles of a file of head poses mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PoseConvention {
    /// Those of 300W-LP, as networks trained on it (HopeNet, 6DRepNet) give them: see
    /// [`HeadPose`](crate::geometry::HeadPose).
    #[default]
    #[serde(rename = "300w_lp")]
    W300Lp,
    /// Those of face3d and InsightFace, where a positive pitch looks down and the roll is the last turn.
    #[serde(rename = "face3d")]
    Face3d,
}

/// What to do about bad data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Stop at the first error.
    Fail,
    /// Leave the item out, count it, report it.
    Skip,
}

/// Formats of annotation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// WFLW official list: 98 points, rectangle, six attributes, image name.
    Wflw,
    /// WIDER FACE `*_bbx_gt.txt`.
    Wider,
    /// RetinaFace `label.txt`: boxes and five points.
    Retinaface,
    /// `.pts` files of 300-W, Menpo and 300-VW.
    Pts,
    /// MATLAB files of 300W-LP, AFLW2000-3D and COFW-68.
    Mat,
    /// LaPa's files of 106 points.
    Lapa,
    /// COCO keypoints, one JSON file.
    Coco,
    /// YOLO pose labels, a text file for each photo.
    Yolo,
    /// `.npts` or `.cpts` files of crops, as `retinamark extract` writes them.
    Crops,
}

/// One list of labelled photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Format of `list`.
    pub kind: SourceKind,
    /// The list; for a file each photo a folder, a glob, or a text file with their names.
    ///
    /// Where each photo has a file of its own (`pts`, `mat`, `lapa`, `yolo`, `crops`), the names in a
    /// text file are relative to itself.
    pub list: PathBuf,
    /// The folder of its photos; for a file each photo the one that has them where `list` has the
    /// files, "": beside them.
    #[serde(default)]
    pub images: PathBuf,
    /// How often its photos are drawn, relative to the other sources.
    #[serde(default = "one")]
    pub weight: f32,
    /// A WIDER FACE list: the faces that a WFLW list leaves out.
    #[serde(default)]
    pub wider: Option<PathBuf>,
    /// File with one number a line of a WFLW list: how unsure the points of each are.
    #[serde(default)]
    pub disagreement: Option<PathBuf>,
    /// Faces above this disagreement keep their box, not their points.
    #[serde(default)]
    pub max_disagreement: Option<f32>,
    /// Points of a face with this disagreement count half, others `1 / (1 + (own / this)^2)`.
    #[serde(default)]
    pub half_disagreement: Option<f32>,
    /// Pitch, yaw and roll of each line of a WFLW list, degrees, one head a line.
    #[serde(default)]
    pub pose: Option<PathBuf>,
    /// What the angles of `pose` mean.
    #[serde(default)]
    pub pose_convention: PoseConvention,
    /// Whether all faces of the photos are labelled; null: as `wider` tells, yes for wider, retinaface
    /// and yolo, no for all others.
    ///
    /// Elsewhere only the surroundings of labelled faces count as background.
    #[serde(default)]
    pub complete: Option<bool>,
}

impl SourceConfig {
    /// The other files that belong to `list`.
    pub fn beside(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.wider, &self.disagreement, &self.pose]
            .into_iter()
            .flatten()
    }

    /// The same for changing them.
    pub fn beside_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.wider, &mut self.disagreement, &mut self.pose]
            .into_iter()
            .flatten()
    }
}

const fn one() -> f32 {
    1.0
}
