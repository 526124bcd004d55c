//! Files to upright RGB8 photos: which decoder reads what.

use std::fs::{File, Metadata};
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

/// A photo's file, opened once and read no further than asked for.
#[derive(Debug)]
pub struct PhotoFile<'a> {
    path: &'a Path,
    file: File,
    metadata: Metadata,
    /// What was read of it.
    bytes: Vec<u8>,
}

impl<'a> PhotoFile<'a> {
    /// Open `path`.
    ///
    /// # Errors
    /// Names it when it cannot be opened, or is no regular file: reading a pipe or a device could
    /// wait for ever.
    pub fn open(path: &'a Path) -> Result<Self> {
        let work = || {
            let regular = |metadata: &Metadata| match metadata.is_file() {
                true => Ok(()),
                false => Err(io::Error::other("not a regular file")),
            };
            // Opening a pipe would wait as well.
            regular(&std::fs::metadata(path)?)?;
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            regular(&metadata)?;
            Ok((file, metadata))
        };
        let (file, metadata) = work().map_err(|source| io_error(path, source))?;
        Ok(Self {
            path,
            file,
            metadata,
            bytes: Vec::new(),
        })
    }

    /// What the system said of the file when it was opened.
    pub const fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Width and height of the upright photo, from the header alone.
    ///
    /// # Errors
    /// Names the file and the reason when it cannot be read or has no valid header.
    pub fn size(&mut self) -> Result<[u32; 2]> {
        self.probe().map_err(|error| error.in_file(self.path))
    }

    fn probe(&mut self) -> Result<[u32; 2]> {
        self.read(HEAD_BYTES)?;
        // In other formats what matters may stand anywhere.
        if matches!(Format::of(&self.bytes)?, Format::Jpeg | Format::Png)
            && let Ok(size) = probe_bytes(&self.bytes)
        {
            return Ok(size);
        }
        self.read_to(Limits::default().max_file_bytes())?;
        probe_bytes(&self.bytes)
    }

    /// Decode the photo: upright (EXIF orientation applied), RGB8, transparent parts over white, of
    /// an animation the first frame. The content decides the format, not the name of the file.
    ///
    /// # Errors
    /// Names the file and the reason when it cannot be read, is no image, is damaged or cut off,
    /// holds a kind of pixel that is not supported, or is larger than `limits`.
    pub fn rgb(mut self, limits: &Limits) -> Result<RgbImage> {
        self.read_all(limits)?;
        decode_rgb(&self.bytes, limits).map_err(|error| error.in_file(self.path))
    }

    /// The rest of the file into memory, as [`PhotoFile::rgb`] does where this was not done.
    ///
    /// # Errors
    /// Names the file when it cannot be read, or is longer than any photo within `limits`.
    pub fn read_all(&mut self, limits: &Limits) -> Result<()> {
        self.read_to(limits.max_file_bytes())
            .map_err(|error| error.in_file(self.path))
    }

    /// All bytes, of which there may be no more than `most`.
    fn read_to(&mut self, most: u64) -> Result<()> {
        self.read(most.saturating_add(1))?;
        ensure!(
            self.bytes.len() as u64 <= most,
            TooLarge,
            "the file is longer than {most} bytes"
        );
        Ok(())
    }

    /// At least the first `count` bytes, or all.
    fn read(&mut self, count: u64) -> Result<()> {
        let have = self.bytes.len() as u64;
        let missing = count.saturating_sub(have);
        // As much as there is, so that nothing is copied into longer and longer buffers.
        let rest = self.metadata.len().saturating_sub(have).min(missing);
        self.bytes.reserve_exact(usize::try_from(rest).unwrap_or(0));
        let mut rest = (&mut self.file).take(missing);
        let read = rest.read_to_end(&mut self.bytes);
        read.map_err(|source| io_error(self.path, source))?;
        Ok(())
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

/// [`PhotoFile::rgb`] of the file at `path`.
///
/// # Errors
/// As there, and [`PhotoFile::open`].
pub fn load_rgb(path: &Path, limits: &Limits) -> Result<RgbImage> {
    PhotoFile::open(path)?.rgb(limits)
}

/// [`PhotoFile::rgb`] of a file that is in memory.
///
/// # Errors
/// The reason, as there.
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

/// [`PhotoFile::size`] of the file at `path`.
///
/// # Errors
/// As there, and [`PhotoFile::open`].
pub fn probe(path: &Path) -> Result<[u32; 2]> {
    PhotoFile::open(path)?.size()
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
