//! How pixels become numbers.

use serde::{Deserialize, Serialize};

/// How pixels become numbers. Belongs to the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// Channel order the network was trained with.
    pub channel_order: ChannelOrder,
    /// Subtracted from each channel (0..255), in `channel_order`.
    pub mean: [f32; 3],
    /// Divides each channel after the mean, in `channel_order`.
    pub std: [f32; 3],
}

/// Order of colour channels in the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first (OpenCV's order).
    Bgr,
}

impl InputConfig {
    /// The colour that the network sees as zero, red first.
    pub fn mean_rgb(&self) -> [u8; 3] {
        let [a, b, c] = self.mean.map(|v| v.round() as u8);
        match self.channel_order {
            ChannelOrder::Rgb => [a, b, c],
            ChannelOrder::Bgr => [c, b, a],
        }
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            channel_order: ChannelOrder::Bgr,
            mean: [104.0, 117.0, 123.0],
            std: [1.0; 3],
        }
    }
}
