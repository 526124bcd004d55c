//! Resizing with anti-aliasing.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::error::{Error, Result, ensure};

/// Resize to `out` = `[width, height]` (at least one pixel each): bilinear when enlarging, the
/// same triangle filter widened to cover all source pixels when shrinking.
///
/// # Errors
/// When `src` has no pixels.
pub fn resize(src: &RgbImage, out: [u32; 2]) -> Result<RgbImage> {
    let (w, h) = src.dimensions();
    if out == [w, h] {
        return Ok(src.clone());
    }
    resize_region(src, [0, 0, w, h], out)
}

/// [`resize`] for the part `[x, y, width, height]` of `src` only.
pub fn resize_region(src: &RgbImage, region: [u32; 4], out: [u32; 2]) -> Result<RgbImage> {
    let (w, h) = src.dimensions();
    ensure!(
        region[2] > 0 && region[3] > 0,
        Photo,
        "nothing to resize: no pixels"
    );
    let out = out.map(|v| v.max(1));
    let [x, y, rw, rh] = region.map(f64::from);
    let view = TypedImageRef::<U8x3>::from_buffer(w, h, src.as_raw()).map_err(Error::photo)?;
    let mut resized = RgbImage::new(out[0], out[1]);
    let mut target =
        TypedImage::<U8x3>::from_buffer(out[0], out[1], &mut resized).map_err(Error::photo)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(x, y, rw, rh);
    // The typed call: the general one would compile every kind of pixel into this crate.
    Resizer::new()
        .resize_typed(&view, &mut target, Some(&options))
        .map_err(|error| {
            let [w, h] = out;
            Error::photo(format!(
                "cannot resize {rw} x {rh} pixels to {w} x {h}: {error}"
            ))
        })?;
    Ok(resized)
}
