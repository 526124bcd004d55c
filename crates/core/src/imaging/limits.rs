//! What a header may promise before anything is allocated for it.

use crate::error::{Result, ensure};

/// What a decoder may allocate beside the pixels: colour profiles, EXIF, texts.
pub(super) const METADATA_BYTES: u64 = 64 << 20;

/// Bytes per pixel that are decoded at most: sixteen bits of red, green, blue and alpha.
pub(super) const MAX_PIXEL_BYTES: u64 = 8;

/// How large a photo may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Photos whose header promises more pixels are refused before anything is allocated.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 200_000_000,
        }
    }
}

impl Limits {
    /// Number of pixels, if it is allowed.
    pub(super) fn check(&self, [w, h]: [u32; 2]) -> Result<u64> {
        let pixels = u64::from(w) * u64::from(h);
        ensure!(pixels > 0, Photo, "the header says {w} x {h} pixels");
        ensure!(
            pixels <= self.max_pixels,
            TooLarge,
            "the header says {w} x {h} pixels; at most {} are allowed (max-pixels)",
            self.max_pixels
        );
        Ok(pixels)
    }

    /// The longest file that is read into memory as a whole.
    pub(super) const fn max_file_bytes(&self) -> u64 {
        METADATA_BYTES.saturating_add(self.max_pixels.saturating_mul(MAX_PIXEL_BYTES))
    }
}
