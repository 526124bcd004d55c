//! Files to upright RGB8 photos.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use super::{jpeg, pixels};

/// What a decoder may allocate beside the pixels: colour profiles, EXIF, texts.
const METADATA_BYTES: u64 = 64 << 20;

/// Bytes per pixel that are decoded at most: sixteen bits of red, green, blue and alpha.
const MAX_PIXEL_BYTES: u64 = 8;

const READABLE: &str = "jpg, png, bmp, webp, gif and tiff can be read";

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

/// Decode a photo: upright (EXIF orientation applied), RGB8, transparent parts over white, of an
/// animation the first frame. The content decides the format, not the name of the file.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read, is no image, is damaged or cut off,
/// holds a kind of pixel that is not supported, or is larger than `limits`.
pub fn load_rgb(path: &Path, limits: &Limits) -> Result<RgbImage> {
    guarded(path, || {
        let decoder = open(path, limits)?;
        check_size(decoder.as_ref(), limits)?;
        decode(decoder)
    })
}

/// Width and height of the upright photo, from the header alone.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read or has no valid header.
pub fn probe(path: &Path) -> Result<[u32; 2]> {
    guarded(path, || {
        let format = sniff(path)?;
        let mut decoder = open_with(BufReader::new(File::open(path)?), format, METADATA_BYTES)?;
        let (w, h) = decoder.dimensions();
        let turned = decoder.orientation().is_ok_and(|o| o.to_exif() >= 5);
        Ok(if turned { [h, w] } else { [w, h] })
    })
}

/// Run `work`; a panic inside a decoder becomes an error like any other.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(anyhow!("damaged in a way that the decoder cannot handle")))
        .with_context(|| format!("cannot read {}", path.display()))
}

/// The format by the first bytes of the file.
fn sniff(path: &Path) -> Result<ImageFormat> {
    let metadata = std::fs::metadata(path)?;
    ensure!(metadata.is_file(), "not a regular file");
    ensure!(metadata.len() > 0, "the file is empty");
    let mut head = Vec::new();
    File::open(path)?.take(32).read_to_end(&mut head)?;
    let Ok(format) = image::guess_format(&head) else {
        bail!("not an image ({READABLE})");
    };
    ensure!(
        format.reading_enabled(),
        "{} images are not supported ({READABLE})",
        format.extensions_str().first().unwrap_or(&"such")
    );
    Ok(format)
}

/// One type for files and memory: the decoders are compiled for each type they read from.
trait Source: BufRead + Seek {}

impl<T: BufRead + Seek> Source for T {}

fn open(path: &Path, limits: &Limits) -> Result<Box<dyn ImageDecoder>> {
    let format = sniff(path)?;
    if format == ImageFormat::Jpeg {
        let bytes = std::fs::read(path)?;
        ensure!(
            jpeg::is_complete(&bytes),
            "the file is cut off (no end marker)"
        );
        return open_with(Cursor::new(bytes), format, METADATA_BYTES);
    }
    let reopen = |bytes| open_with(BufReader::new(File::open(path)?), format, bytes);
    // The size first, so that the allocation limit can follow it.
    let header = reopen(METADATA_BYTES)?;
    let pixels = check_size(header.as_ref(), limits)?;
    drop(header);
    // Some decoders work on a second frame beside the one that they return.
    reopen(METADATA_BYTES + 2 * pixels * MAX_PIXEL_BYTES)
}

fn open_with(
    source: impl Source + 'static,
    format: ImageFormat,
    max_bytes: u64,
) -> Result<Box<dyn ImageDecoder>> {
    let source: Box<dyn Source> = Box::new(source);
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(max_bytes);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(explain)?;
    Ok(Box::new(decoder))
}

/// Number of pixels, if `limits` allows it.
fn check_size(decoder: &dyn ImageDecoder, limits: &Limits) -> Result<u64> {
    let (w, h) = decoder.dimensions();
    let pixels = u64::from(w) * u64::from(h);
    ensure!(pixels > 0, "the header says {w} x {h} pixels");
    ensure!(
        pixels <= limits.max_pixels,
        "the header says {w} x {h} pixels; at most {} are allowed (max-pixels)",
        limits.max_pixels
    );
    ensure!(
        decoder.total_bytes() <= limits.max_pixels.saturating_mul(MAX_PIXEL_BYTES),
        "{w} x {h} pixels of {} bytes each are too much to decode",
        decoder.color_type().bytes_per_pixel()
    );
    Ok(pixels)
}

fn decode(mut decoder: Box<dyn ImageDecoder>) -> Result<RgbImage> {
    let (w, h) = decoder.dimensions();
    let color = decoder.color_type();
    // A photo with a broken EXIF block is still a photo.
    let orientation = decoder.orientation().ok();
    let mut raw = vec![0u8; usize::try_from(decoder.total_bytes())?];
    decoder.read_image_boxed(&mut raw).map_err(explain)?;
    let rgb = pixels::to_rgb8(raw, color)?;
    let rgb = RgbImage::from_raw(w, h, rgb).context("the decoder returned too few pixels")?;
    let Some(orientation) = orientation else {
        return Ok(rgb);
    };
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

/// A decoder's error in words that help.
fn explain(error: image::ImageError) -> anyhow::Error {
    use image::ImageError as E;
    match error {
        E::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            anyhow!("the file is cut off")
        }
        E::Limits(e) => anyhow!("decoding would take too much memory: {e}"),
        e => anyhow!(e),
    }
}
