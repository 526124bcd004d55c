//! Files to upright RGB8 photos.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use super::limits::{Limits, MAX_PIXEL_BYTES, METADATA_BYTES};
use super::{jpeg, pixels};
use crate::panics::caught;

const READABLE: &str = "jpg, png, bmp, webp, gif and tiff can be read";

/// Decode a photo: upright (EXIF orientation applied), RGB8, transparent parts over white, of an
/// animation the first frame. The content decides the format, not the name of the file.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read, is no image, is damaged or cut off,
/// holds a kind of pixel that is not supported, or is larger than `limits`.
pub fn load_rgb(path: &Path, limits: &Limits) -> Result<RgbImage> {
    let work = || rgb_of(&mut open(path)?, limits);
    caught(work).with_context(|| format!("cannot read {}", path.display()))
}

/// [`load_rgb`] of a file that is in memory.
///
/// # Errors
/// The reason, as [`load_rgb`].
pub fn decode_rgb(bytes: &[u8], limits: &Limits) -> Result<RgbImage> {
    caught(|| rgb_of(&mut Cursor::new(bytes), limits))
}

/// Width and height of the upright photo, from the header alone.
///
/// # Errors
/// Names `path` and the reason when the file cannot be read or has no valid header.
pub fn probe(path: &Path) -> Result<[u32; 2]> {
    caught(|| size_of(&mut open(path)?)).with_context(|| format!("cannot read {}", path.display()))
}

/// [`probe`] of a file that is in memory.
///
/// # Errors
/// The reason, as [`probe`].
pub fn probe_bytes(bytes: &[u8]) -> Result<[u32; 2]> {
    caught(|| size_of(&mut Cursor::new(bytes)))
}

/// One type for files and memory: the decoders are compiled for each type they read from.
trait Source: BufRead + Seek {}

impl<T: BufRead + Seek> Source for T {}

fn open(path: &Path) -> Result<BufReader<File>> {
    ensure!(std::fs::metadata(path)?.is_file(), "not a regular file");
    Ok(BufReader::new(File::open(path)?))
}

fn rgb_of(source: &mut dyn Source, limits: &Limits) -> Result<RgbImage> {
    let (rgb, orientation) = match sniff(source)? {
        ImageFormat::Jpeg => jpeg::decode(&whole(source, limits)?, limits)?,
        format => decode(source, format, limits)?,
    };
    let Some(orientation) = orientation else {
        return Ok(rgb);
    };
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

fn size_of(source: &mut dyn Source) -> Result<[u32; 2]> {
    let ([w, h], orientation) = match sniff(source)? {
        ImageFormat::Jpeg => jpeg::probe(&whole(source, &Limits::default())?)?,
        format => {
            let mut decoder = decoder_of(source, format, METADATA_BYTES)?;
            (decoder.dimensions().into(), decoder.orientation().ok())
        }
    };
    let turned = orientation.is_some_and(|o| o.to_exif() >= 5);
    Ok(if turned { [h, w] } else { [w, h] })
}

/// All bytes, for a decoder that goes back and forth.
fn whole(source: &mut dyn Source, limits: &Limits) -> Result<Vec<u8>> {
    let most = limits.max_file_bytes();
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= most,
        "more than {most} bytes in one file"
    );
    Ok(bytes)
}

/// The format by the first bytes of the file.
fn sniff(source: &mut dyn Source) -> Result<ImageFormat> {
    let mut head = Vec::new();
    source.take(32).read_to_end(&mut head)?;
    source.rewind()?;
    ensure!(!head.is_empty(), "the file is empty");
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

fn decoder_of<'a>(
    source: &'a mut dyn Source,
    format: ImageFormat,
    max_bytes: u64,
) -> Result<Box<dyn ImageDecoder + 'a>> {
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(max_bytes);
    reader.limits(limits);
    Ok(Box::new(reader.into_decoder().map_err(explain)?))
}

fn decode(
    source: &mut dyn Source,
    format: ImageFormat,
    limits: &Limits,
) -> Result<(RgbImage, Option<Orientation>)> {
    // The size first, so that the allocation limit can follow it.
    let header = decoder_of(source, format, METADATA_BYTES)?;
    let (w, h) = header.dimensions();
    let pixels = limits.check([w, h])?;
    drop(header);
    source.rewind()?;
    // Some decoders work on a second frame beside the one that they return.
    let max_bytes = METADATA_BYTES + 2 * pixels * MAX_PIXEL_BYTES;
    let mut decoder = decoder_of(source, format, max_bytes)?;
    let color = decoder.color_type();
    // A photo with a broken EXIF block is still a photo.
    let orientation = decoder.orientation().ok();
    let mut raw = vec![0u8; usize::try_from(decoder.total_bytes())?];
    decoder.read_image_boxed(&mut raw).map_err(explain)?;
    let rgb = pixels::to_rgb8(raw, color)?;
    let rgb = RgbImage::from_raw(w, h, rgb).context("the decoder returned too few pixels")?;
    Ok((rgb, orientation))
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
