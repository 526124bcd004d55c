//! Augmentations: each with its probability and range.

use serde::{Deserialize, Serialize};

/// Placeholder for the owner of this section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {}
