//! What a network is and how it is used: the sections of `config.yaml` that travel with weights.
//! Training has more of them, and checks them all.

mod aligner;
mod all;
mod anchors;
mod detect;
mod head;
mod input;
mod landmarks;
mod model;
mod task;

pub use aligner::{AlignerConfig, AroundFive, ConfidenceConfig, Features};
pub use all::Settings;
pub use anchors::AnchorConfig;
pub use detect::DetectConfig;
pub use head::{BoxKind, HeadConfig, HeadKind};
pub use input::{ChannelOrder, InputConfig, LUMA, luma};
pub use landmarks::{CustomAnatomy, CustomScheme, LandmarksConfig, SchemeName};
pub use model::{BackboneKind, Family, ModelConfig};
pub use task::Task;
