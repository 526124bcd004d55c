//! From a photo to what the network sees.

use image::RgbImage;

use super::closer::FIRST;
use super::{FULL_SIZE_LIMIT, InputSize};
use crate::error::{Result, ensure};
use crate::geometry::Letterbox;
use crate::imaging;

/// A photo as the network takes it, at every size that it is to be looked at. Much smaller than the
/// photo, which can be let go.
#[derive(Clone, Debug)]
pub struct Prepared(pub Vec<Scaled>);

/// A photo at one size.
#[derive(Clone, Debug)]
pub struct Scaled {
    /// What of the network's input the photo covers.
    pub pixels: RgbImage,
    /// Where the photo lies in it.
    pub letterbox: Letterbox,
    /// Width and height of the photo.
    pub photo: [u32; 2],
}

impl Scaled {
    /// Scale `photo`; the input's sides are multiples of `stride`.
    ///
    /// # Errors
    /// When the photo has no pixels.
    pub fn new(photo: &RgbImage, size: InputSize, stride: u32) -> Result<Self> {
        let (width, height) = photo.dimensions();
        ensure!(width > 0 && height > 0, Photo, "the photo has no pixels");
        let letterbox = fit(width, height, size, stride);
        let pixels = if letterbox.content == [width, height] {
            photo.clone()
        } else {
            imaging::resize(photo, letterbox.content)?
        };
        Ok(Self {
            pixels,
            letterbox,
            photo: [width, height],
        })
    }

    /// Width and height of the network input.
    pub const fn input(&self) -> [u32; 2] {
        self.letterbox.input
    }
}

/// The letterbox of a photo of these width and height, pixels. Its padding ends at the next multiple
/// of the largest stride instead of filling a square: padding holds no faces, and a third of a wide
/// photo's square would be padding.
pub fn fit(width: u32, height: u32, size: InputSize, stride: u32) -> Letterbox {
    let whole = match size {
        InputSize::Fixed(side) => Letterbox::square(width, height, side.max(1)),
        InputSize::Auto => Letterbox::square(width, height, FIRST),
        InputSize::Full if width.max(height) > FULL_SIZE_LIMIT => {
            Letterbox::square(width, height, FULL_SIZE_LIMIT)
        }
        InputSize::Full => Letterbox::full(width, height, stride),
    };
    Letterbox {
        input: whole.content.map(|v| v.div_ceil(stride) * stride),
        ..whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_padding_ends_at_the_next_stride() {
        let l = fit(1000, 300, InputSize::Fixed(640), 32);
        assert_eq!((l.content, l.input), ([640, 192], [640, 192]));
        let l = fit(300, 1000, InputSize::Fixed(500), 32);
        assert_eq!((l.content, l.input, l.scale), ([150, 500], [160, 512], 0.5));
        let l = fit(1, 1, InputSize::Fixed(640), 32);
        assert_eq!((l.content, l.input), ([640, 640], [640, 640]));
    }

    #[test]
    fn full_size_keeps_the_pixels_up_to_the_limit() {
        let l = fit(1234, 99, InputSize::Full, 32);
        assert_eq!(
            (l.content, l.input, l.scale),
            ([1234, 99], [1248, 128], 1.0)
        );
        let l = fit(6144, 100, InputSize::Full, 32);
        assert_eq!((l.content, l.input, l.scale), ([3072, 50], [3072, 64], 0.5));
        assert_eq!(fit(1, 1, InputSize::Full, 32).input, [32, 32]);
    }
}
