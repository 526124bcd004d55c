//! Where training and validation faces come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Data sources and how they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Sources to train on, mixed by their weights.
    pub train: Vec<SourceConfig>,
    /// Sources to validate on.
    pub validation: Vec<SourceConfig>,
    /// Task `align`: how often turned faces are drawn, relative to others.
    pub turned_weight: f32,
    /// What to do about a bad line or photo.
    pub on_error: OnError,
    /// Threads that prepare batches; 0: one per core.
    pub workers: usize,
    /// Batches prepared ahead of the training step.
    pub prefetch: usize,
    /// Decoded photos kept in memory, MiB; 0 decodes each time.
    pub cache_mib: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: Vec::new(),
            validation: Vec::new(),
            turned_weight: 1.0,
            on_error: OnError::Fail,
            workers: 0,
            prefetch: 4,
            cache_mib: 2048,
        }
    }
}

/// What to do about bad data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Stop at the first error.
    Fail,
    /// Leave the item out, count it, report it.
    Skip,
}

/// Formats of annotation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Format of `list`.
    pub kind: SourceKind,
    /// The annotation file. Where each photo has a file of its own (`pts`, `mat`, `lapa`, `yolo`, `crops`): a
    /// folder that holds them, a glob, or a text file that names them line by line, relative to itself.
    pub list: PathBuf,
    /// Folder that image names are relative to. Where each photo has a file of its own: the folder that
    /// has the photos where `list` has the files; empty: they lie side by side.
    #[serde(default)]
    pub images: PathBuf,
    /// How often photos of this source are drawn, relative to the other sources.
    #[serde(default = "one")]
    pub weight: f32,
    /// WIDER FACE list that names the faces which a WFLW list leaves out.
    #[serde(default)]
    pub wider: Option<PathBuf>,
    /// One number a line of a WFLW list: how unsure its points are.
    #[serde(default)]
    pub disagreement: Option<PathBuf>,
    /// Faces above this disagreement keep their box, not their points.
    #[serde(default)]
    pub max_disagreement: Option<f32>,
    /// Points of a face with this disagreement count half, others `1 / (1 + (own / this)^2)`.
    #[serde(default)]
    pub half_disagreement: Option<f32>,
    /// Whether all faces in the photos are labelled. Elsewhere only the surroundings of labelled
    /// faces count as background. None: photos found in a WIDER list are complete, others not.
    #[serde(default)]
    pub complete: Option<bool>,
}

const fn one() -> f32 {
    1.0
}
