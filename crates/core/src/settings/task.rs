//! Which of the two networks.

use serde::{Deserialize, Serialize};

/// What a run trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The detector: photos to boxes and coarse landmarks.
    #[default]
    Detect,
    /// The aligner: the upright crop of one face to its landmarks.
    Align,
}
