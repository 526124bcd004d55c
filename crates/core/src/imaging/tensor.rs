//! Pixels to planar network input, for training and burn's devices; the executor reads bytes itself
//! (`engine::steps::image`).

use image::RgbImage;

use crate::settings::{ChannelOrder, InputConfig, luma};

/// Write `img` into the top left corner of a planar `[C, height, width]` input: channels, mean and
/// standard deviation as `input` says. `side` is `[width, height]` and `out` has
/// `C * width * height` elements. What the image does not cover becomes 0, which is the mean
/// colour; what lies beyond the input is cut off.
pub fn fill_tensor(img: &RgbImage, input: &InputConfig, side: [usize; 2], out: &mut [f32]) {
    let [width, height] = side;
    debug_assert_eq!(out.len(), input.channel_order.channels() * width * height);
    if width == 0 || height == 0 {
        return;
    }
    let tables = input.mean.iter().zip(&input.std);
    let planes = out.chunks_exact_mut(width * height).zip(tables);
    for (channel, (plane, (&mean, &std))) in planes.enumerate() {
        let table = value_table(mean, std);
        match input.channel_order {
            ChannelOrder::Rgb => fill_plane(img, width, plane, |p| table[usize::from(p[channel])]),
            ChannelOrder::Bgr => {
                fill_plane(img, width, plane, |p| table[usize::from(p[2 - channel])]);
            }
            ChannelOrder::Grey => {
                fill_plane(img, width, plane, |p| table[usize::from(luma(p))]);
            }
        }
    }
}

/// Write what `value` makes of each pixel, red first, into a plane of this width.
fn fill_plane(img: &RgbImage, width: usize, plane: &mut [f32], value: impl Fn([u8; 3]) -> f32) {
    let row_bytes = img.width() as usize * 3;
    let pixels = img.as_raw();
    for (y, row) in plane.chunks_exact_mut(width).enumerate() {
        let source = if y < img.height() as usize {
            &pixels[y * row_bytes..(y + 1) * row_bytes]
        } else {
            &[]
        };
        let covered = (source.len() / 3).min(width);
        let (inside, outside) = row.split_at_mut(covered);
        for (number, &pixel) in inside.iter_mut().zip(source.as_chunks::<3>().0) {
            *number = value(pixel);
        }
        outside.fill(0.0);
    }
}

fn value_table(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|v| (v as f32 - mean) / std)
}
