//! Files to upright RGB8 photos: which decoder reads what.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbImage};

use super::kinds::unreadable_kind;
use super::limits::Limits;
use super::{bmp, gif, jpeg, png, tiff, webp};
use crate::error::{Error, Result, bail, ensure};
use crate::panics::caught;

const READABLE: &str = "jpg, png, bmp, webp, gif and tiff can be read";

/// The headers of most JPEG and PNG files are no longer.
const HEAD_BYTES: u64 = 1 << 16;

/// Decode a photo: upright (EXIF orientation applied), RGB8, transparent parts over white, of an
/// animation the first frame. The content decides the format, not the name of the file.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read, is no image, is damaged or cut off,
/// holds a kind of pixel that is not supported, or is larger than `limits`.
pub fn load_rgb(path: &Path, limits: &Limits) -> Result<RgbImage> {
    read(path, limits.max_file_bytes())
        .and_then(|bytes| decode_rgb(&bytes, limits))
        .map_err(|error| error.in_file(path))
}

/// [`load_rgb`] of a file that is in memory.
///
/// # Errors
/// The reason, as [`load_rgb`].
pub fn decode_rgb(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    let (rgb, orientation) = caught(|| {
        let decode = match Format::of(bytes)? {
            Format::Bmp => bmp::decode,
            Format::Gif => gif::decode,
            Format::Jpeg => jpeg::decode,
            Format::Png => png::decode,
            Format::Tiff => tiff::decode,
            Format::Webp => webp::decode,
        };
        decode(bytes, limits)
    })?;
    let Some(orientation) = orientation else {
        return Ok(rgb);
    };
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

/// Width and height of the upright photo, from the header alone.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read or has no valid header.
pub fn probe(path: &Path) -> Result<[u32; 2]> {
    let work = || {
        let head = start_of(path, HEAD_BYTES)?;
        // In other formats what matters may stand anywhere.
        if matches!(Format::of(&head)?, Format::Jpeg | Format::Png)
            && let Ok(size) = probe_bytes(&head)
        {
            return Ok(size);
        }
        probe_bytes(&read(path, Limits::default().max_file_bytes())?)
    };
    work().map_err(|error| error.in_file(path))
}

/// [`probe`] of a file that is in memory.
///
/// # Errors
/// The reason, as [`probe`].
pub fn probe_bytes(bytes: &[u8]) -> Result<[u32; 2]> {
    let ([w, h], orientation) = caught(|| match Format::of(bytes)? {
        Format::Bmp => bmp::probe(bytes),
        Format::Gif => gif::probe(bytes),
        Format::Jpeg => jpeg::probe(bytes),
        Format::Png => png::probe(bytes),
        Format::Tiff => tiff::probe(bytes),
        Format::Webp => webp::probe(bytes),
    })?;
    let turned = orientation.is_some_and(|o| o.to_exif() >= 5);
    Ok(if turned { [h, w] } else { [w, h] })
}

/// The bytes of a file that has no more than `most`.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let bytes = start_of(path, most.saturating_add(1))?;
    ensure!(
        bytes.len() as u64 <= most,
        TooLarge,
        "the file is longer than {most} bytes"
    );
    Ok(bytes)
}

/// The first `count` bytes of a file, or all.
fn start_of(path: &Path, count: u64) -> Result<Vec<u8>> {
    let work = || {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    work().map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// What a decoder returns: the pixels as stored, and how the picture is turned.
pub type Decoded = (RgbImage, Option<Orientation>);

/// What a decoder says of a header: width and height as stored, and how the picture is turned.
pub type Probed = ([u32; 2], Option<Orientation>);

/// The formats that can be read.
enum Format {
    Bmp,
    Gif,
    Jpeg,
    Png,
    Tiff,
    Webp,
}

impl Format {
    /// By the first bytes.
    fn of(bytes: &[u8]) -> Result<Self> {
        ensure!(!bytes.is_empty(), Photo, "the file is empty");
        if tiff::is_big(bytes) {
            return Ok(Self::Tiff);
        }
        if let Some(kind) = unreadable_kind(bytes) {
            bail!(
                Unsupported,
                "{kind} files cannot be read: convert it first, as with `magick a.heic a.jpg`"
            );
        }
        let Ok(format) = image::guess_format(bytes) else {
            ensure!(
                bmp::is_headless(bytes),
                Unsupported,
                "not an image ({READABLE})"
            );
            return Ok(Self::Bmp);
        };
        Ok(match format {
            ImageFormat::Bmp => Self::Bmp,
            ImageFormat::Gif => Self::Gif,
            ImageFormat::Jpeg => Self::Jpeg,
            ImageFormat::Png => Self::Png,
            ImageFormat::Tiff => Self::Tiff,
            ImageFormat::WebP => Self::Webp,
            other => bail!(
                Unsupported,
                "{} images are not supported ({READABLE})",
                other.extensions_str().first().unwrap_or(&"such")
            ),
        })
    }
}
