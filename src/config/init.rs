//! The weights that training starts from.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weights to start training from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InitConfig {
    /// A retinamark `.safetensors`, a PyTorch detector, an ImageNet backbone, or an SCRFD detector as
    /// ONNX; null: random weights.
    pub weights: Option<PathBuf>,
    /// Prefixes of our tensors that the file may lack; they start at random.
    pub allow_new: Vec<String>,
    /// Prefixes of the file's tensors that may be left over.
    pub allow_unused: Vec<String>,
}
