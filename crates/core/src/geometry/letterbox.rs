//! Fitting a photo of any shape into the network's input.

use super::{BoxXyxy, Point};

/// Uniform scale, then padding on the right and bottom. Photo pixels map to input pixels by
/// `p * scale`; the padding starts where the scaled photo ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Input pixels per photo pixel.
    pub scale: f32,
    /// Size of the scaled photo inside the input, pixels.
    pub content: [u32; 2],
    /// Size of the network input, pixels.
    pub input: [u32; 2],
}

impl Letterbox {
    /// Fit a `width` x `height` photo into a square of `side` pixels (enlarging a small one).
    pub fn square(width: u32, height: u32, side: u32) -> Self {
        let scale = side as f32 / width.max(height).max(1) as f32;
        Self::with_scale(width, height, scale, [side, side])
    }

    /// Keep the photo's size and pad each side up to a multiple of `stride`.
    pub fn full(width: u32, height: u32, stride: u32) -> Self {
        let round = |v: u32| v.max(1).div_ceil(stride) * stride;
        Self::with_scale(width, height, 1.0, [round(width), round(height)])
    }

    fn with_scale(width: u32, height: u32, scale: f32, input: [u32; 2]) -> Self {
        let side = |v: u32, limit: u32| ((v as f32 * scale).round() as u32).clamp(1, limit);
        Self {
            scale,
            content: [side(width, input[0]), side(height, input[1])],
            input,
        }
    }

    /// Photo point -> input point.
    pub const fn to_input(&self, [x, y]: Point) -> Point {
        [x * self.scale, y * self.scale]
    }

    /// Input point -> photo point.
    pub const fn to_photo(&self, [x, y]: Point) -> Point {
        [x / self.scale, y / self.scale]
    }

    /// Input box -> photo box.
    pub const fn box_to_photo(&self, b: &BoxXyxy) -> BoxXyxy {
        b.transformed(1.0 / self.scale, [0.0, 0.0])
    }

    /// Whether an input point lies on the photo and not on the padding.
    pub const fn on_content(&self, [x, y]: Point) -> bool {
        x >= 0.0 && y >= 0.0 && x < self.content[0] as f32 && y < self.content[1] as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_tall_photos_keep_their_shape() {
        let l = Letterbox::square(1280, 720, 640);
        assert_eq!((l.scale, l.content, l.input), (0.5, [640, 360], [640, 640]));
        let l = Letterbox::square(100, 400, 640);
        assert_eq!((l.scale, l.content), (1.6, [160, 640]));
    }

    #[test]
    fn points_round_trip_and_padding_is_known() {
        let l = Letterbox::square(1000, 333, 640);
        let p = l.to_photo(l.to_input([123.0, 45.0]));
        assert!((p[0] - 123.0).abs() < 1e-3 && (p[1] - 45.0).abs() < 1e-3);
        assert!(!l.on_content([10.0, 500.0]));
    }

    #[test]
    fn extreme_shapes_never_vanish() {
        assert_eq!(Letterbox::square(1, 10_000, 640).content, [1, 640]);
        assert_eq!(Letterbox::full(1, 33, 32).input, [32, 64]);
    }

    #[test]
    fn the_padding_begins_where_the_photo_ends() {
        let l = Letterbox::square(32, 16, 64);
        for (point, on) in [
            ([0.0, 0.0], true),
            ([63.9, 31.9], true),
            ([64.0, 0.0], false),
            ([0.0, 32.0], false),
            ([-0.1, 0.0], false),
            ([0.0, -0.1], false),
        ] {
            assert_eq!(l.on_content(point), on, "{point:?}");
        }
    }
}
