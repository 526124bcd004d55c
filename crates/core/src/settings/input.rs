//! How pixels become numbers.

use serde::{Deserialize, Serialize};

use crate::error::{Result, ensure};

/// Thousandths of red, green and blue in the brightness.
const LUMA_THOUSANDTHS: [u32; 3] = [299, 587, 114];

/// Shares of red, green and blue in the brightness (ITU-R BT.601).
pub const LUMA: [f32; 3] = [
    LUMA_THOUSANDTHS[0] as f32 / 1000.0,
    LUMA_THOUSANDTHS[1] as f32 / 1000.0,
    LUMA_THOUSANDTHS[2] as f32 / 1000.0,
];

/// The brightness of a colour, red first, in whole numbers: that of a grey is itself.
pub fn luma(rgb: [u8; 3]) -> u8 {
    let shares = rgb.into_iter().zip(LUMA_THOUSANDTHS);
    let sum: u32 = shares.map(|(v, share)| u32::from(v) * share).sum();
    ((sum + 500) / 1000) as u8
}

/// How pixels become numbers. Belongs to the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// Channel order the network was trained with.
    pub channel_order: ChannelOrder,
    /// Subtracted from each channel (0..255), in `channel_order`: one number for each.
    pub mean: Vec<f32>,
    /// Divides each channel after the mean, in `channel_order`: one number for each.
    pub std: Vec<f32>,
}

/// Channels of the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first (OpenCV's order).
    Bgr,
    /// The brightness alone, [`luma`].
    Grey,
}

impl ChannelOrder {
    /// Channels of an image.
    pub const fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Grey => 1,
        }
    }
}

impl InputConfig {
    /// Means and deviations in the order red, green, blue; the one of grey three times.
    ///
    /// # Errors
    /// When there are not as many as channels.
    pub fn red_first(&self) -> Result<[[f32; 3]; 2]> {
        let order = self.channel_order;
        let turned = |key: &str, numbers: &[f32]| {
            let channels = order.channels();
            ensure!(
                numbers.len() == channels,
                Settings,
                "input.{key} has {} numbers, and images have {channels} channels \
                 (input.channel_order)",
                numbers.len()
            );
            let at = |colour: usize| match order {
                ChannelOrder::Rgb => colour,
                ChannelOrder::Bgr => 2 - colour,
                ChannelOrder::Grey => 0,
            };
            Ok(std::array::from_fn(|colour| numbers[at(colour)]))
        };
        Ok([turned("mean", &self.mean)?, turned("std", &self.std)?])
    }

    /// The colour that the network sees as zero, red first; black where there are not as many means
    /// as channels.
    pub fn mean_rgb(&self) -> [u8; 3] {
        let [mean, _] = self.red_first().unwrap_or_default();
        mean.map(|v| v.round() as u8)
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        Self {
            channel_order: ChannelOrder::Bgr,
            mean: vec![104.0, 117.0, 123.0],
            std: vec![1.0; 3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_by_hand() {
        assert_eq!(luma([255, 0, 0]), 76); // 76.245
        assert_eq!(luma([0, 255, 0]), 150); // 149.685
        assert_eq!(luma([10, 20, 30]), 18); // 18.15
        assert!((0..=255).all(|grey| luma([grey; 3]) == grey));
    }

    #[test]
    fn numbers_are_turned_red_first_and_counted() {
        let input = InputConfig::default();
        assert_eq!(input.red_first().unwrap()[0], [123.0, 117.0, 104.0]);
        assert_eq!(input.mean_rgb(), [123, 117, 104]);
        let grey = InputConfig {
            channel_order: ChannelOrder::Grey,
            mean: vec![117.0],
            std: vec![58.0],
        };
        assert_eq!(grey.red_first().unwrap(), [[117.0; 3], [58.0; 3]]);
        assert_eq!(grey.mean_rgb(), [117; 3]);
        let three = InputConfig {
            channel_order: ChannelOrder::Grey,
            ..input
        };
        let error = three.red_first().unwrap_err().to_string();
        assert!(error.contains("input.mean has 3 numbers"), "{error}");
    }
}
