//! Pixels to planar network input, for training and burn's devices; the executor reads bytes itself
//! (`engine::steps::image`).

use image::RgbImage;

use crate::settings::{ChannelOrder, InputConfig};

/// Write `img` into the top left corner of a planar `[3, height, width]` input: channel order,
/// mean and standard deviation as `input` says. `side` is `[width, height]` and `out` has
/// `3 * width * height` elements. What the image does not cover becomes 0, which is the mean
/// colour; what lies beyond the input is cut off.
pub fn fill_tensor(img: &RgbImage, input: &InputConfig, side: [usize; 2], out: &mut [f32]) {
    let [width, height] = side;
    debug_assert_eq!(out.len(), 3 * width * height);
    if width == 0 || height == 0 {
        return;
    }
    let row_bytes = img.width() as usize * 3;
    let pixels = img.as_raw();
    for (channel, plane) in out.chunks_exact_mut(width * height).take(3).enumerate() {
        let byte = match input.channel_order {
            ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        let table = value_table(input.mean[channel], input.std[channel]);
        for (y, row) in plane.chunks_exact_mut(width).enumerate() {
            let source = if y < img.height() as usize {
                &pixels[y * row_bytes..(y + 1) * row_bytes]
            } else {
                &[]
            };
            let covered = (source.len() / 3).min(width);
            let (inside, outside) = row.split_at_mut(covered);
            for (value, pixel) in inside.iter_mut().zip(source.chunks_exact(3)) {
                *value = table[usize::from(pixel[byte])];
            }
            outside.fill(0.0);
        }
    }
}

fn value_table(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|v| (v as f32 - mean) / std)
}
