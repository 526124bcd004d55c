//! `config.yaml`: every setting, its default and its check.

mod augment;
mod changes;
mod data;
mod init;
mod load;
mod outdated;
mod sections;
mod train;
mod validate;

use serde::{Deserialize, Serialize};

pub use augment::*;
pub use changes::Changes;
pub use data::*;
pub use init::InitConfig;
pub use load::DEFAULT_FILE;
pub(crate) use load::deserialize_saved;
pub use retinamark_core::settings::*;
pub use train::*;

pub use crate::landmark_loss::{
    AWing, BatchL2, Chain, EuclideanWing, L1, L2, LandmarkLossKind, LogL2, PointwiseL2, SmoothL1,
    SoftWing, Sqrt, Wing,
};
pub use crate::optim::{
    Adadelta, Adagrad, Adam, AdamW, AngularGrad, Coefficient, Constant, Cosine, CosineRestarts,
    Cyclical, Exponential, Ftrl, MultiStep, OneCycle, OptimizerConfig, OptimizerKind, Polynomial,
    Regularizer, RmsProp, ScheduleConfig, ScheduleKind, Sgd, StepDecay,
};

/// Everything that can be set. Unknown keys are errors, missing ones take their default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is trained.
    pub task: Task,
    /// Seed of every random choice.
    pub seed: u64,
    /// Landmark scheme.
    pub landmarks: LandmarksConfig,
    /// Pixels to numbers.
    pub input: InputConfig,
    /// Architecture.
    pub model: ModelConfig,
    /// Anchors and coder.
    pub anchors: AnchorConfig,
    /// The second look.
    pub aligner: AlignerConfig,
    /// Start weights.
    pub init: InitConfig,
    /// Training and validation lists.
    pub data: DataConfig,
    /// Augmentations.
    pub augment: AugmentConfig,
    /// Anchor matching.
    pub matcher: MatcherConfig,
    /// Loss.
    pub loss: LossConfig,
    /// Optimiser.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    pub schedule: ScheduleConfig,
    /// Training loop.
    pub train: TrainConfig,
    /// Snapshots.
    pub snapshot: SnapshotConfig,
    /// Inference.
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
            aligner: settings.aligner,
            detect: settings.detect,
            ..Self::default()
        }
    }
}
