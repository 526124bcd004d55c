//! `config.yaml`: every setting, its default and its check.

mod augment;
mod changes;
mod data;
mod distill;
mod init;
mod load;
mod outdated;
mod page;
mod sections;
mod train;
mod validate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use augment::*;
pub use changes::Changes;
pub use data::*;
pub use distill::DistillConfig;
pub use init::InitConfig;
pub use load::DEFAULT_FILE;
pub(crate) use load::deserialize_saved;
pub use retinamark_core::settings::*;
pub use train::*;

pub use crate::assign::{AssignerKind, Atss, MatcherConfig, MaxIou};
pub use crate::landmark_loss::{
    AWing, BatchL2, Chain, EuclideanWing, L1, L2, LandmarkLossKind, LogL2, PointwiseL2, SmoothL1,
    SoftWing, Sqrt, Wing,
};
pub use crate::optim::{
    Adadelta, Adagrad, Adam, AdamW, AngularGrad, Coefficient, Constant, Cosine, CosineRestarts,
    Cyclical, Exponential, Ftrl, MultiStep, OneCycle, OptimizerConfig, OptimizerKind, Polynomial,
    Regularizer, RmsProp, ScheduleConfig, ScheduleKind, Sgd, StepDecay,
};
pub use crate::pose_loss::{Added, Multiplied, PoseLossKind};

/// Every setting of retinamark with its default. A file of your own needs only what it changes: keys
/// that are left out keep these values, unknown keys are errors. Single values can be changed on the
/// command line as well: `--set train.epochs=10 --set data.train.0.weight=2`
///
/// Relative paths are relative to the folder in which retinamark is started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The detector, or the second look at each face.
    pub task: Task,
    /// Of every random choice; the same seed gives the same batches.
    pub seed: u64,
    /// Which landmarks a face has.
    pub landmarks: LandmarksConfig,
    /// How pixels become numbers: (value - mean) / std on 0..255. This belongs to the start weights: the
    /// 5-point RetinaFace weights want these values, an ImageNet backbone `channel_order: rgb`, `mean:
    /// [123.675, 116.28, 103.53]`, `std: [58.395, 57.12, 57.375]`.
    pub input: InputConfig,
    /// The architecture of the detector; its backbone is the aligner's too.
    pub model: ModelConfig,
    /// The boxes that the detector speaks about.
    pub anchors: AnchorConfig,
    /// What the numbers of a detector's heads mean.
    pub head: HeadConfig,
    /// The second look: a network on an upright crop of each face (`task: align`).
    pub aligner: AlignerConfig,
    /// What training starts from.
    pub init: InitConfig,
    /// Photos with labelled faces.
    pub data: DataConfig,
    /// How training photos are varied.
    pub augment: AugmentConfig,
    /// Which anchors learn which face.
    pub matcher: MatcherConfig,
    /// What training minimises: a weighted sum.
    pub loss: LossConfig,
    /// Task detect: what is learned of another detector, which looks at the same crops.
    pub distill: DistillConfig,
    /// How the gradients change the weights. Here, under `matcher`, `schedule` and `loss.landmark`, `kind`
    /// decides which settings there are besides the common ones; a setting of another kind is an error.
    pub optimizer: OptimizerConfig,
    /// The learning rate over time.
    pub schedule: ScheduleConfig,
    /// The training loop.
    pub train: TrainConfig,
    /// Validation photos drawn while training.
    pub snapshot: SnapshotConfig,
    /// Defaults of detect, evaluate and validation.
    pub detect: DetectConfig,
}

impl Config {
    /// What running the network takes of it.
    pub fn settings(&self) -> Settings {
        Settings {
            task: self.task,
            landmarks: self.landmarks.clone(),
            input: self.input.clone(),
            model: self.model.clone(),
            anchors: self.anchors.clone(),
            head: self.head.clone(),
            aligner: self.aligner.clone(),
            detect: self.detect.clone(),
        }
    }

    /// These, and the defaults of all others.
    pub fn of_settings(settings: &Settings) -> Self {
        let settings = settings.clone();
        Self {
            task: settings.task,
            landmarks: settings.landmarks,
            input: settings.input,
            model: settings.model,
            anchors: settings.anchors,
            head: settings.head,
            aligner: settings.aligner,
            detect: settings.detect,
            ..Self::default()
        }
    }
}
