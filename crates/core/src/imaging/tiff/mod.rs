//! TIFF and BigTIFF: strips and tiles, the usual compressions and photometric kinds.

mod codec;
mod colour;
mod directory;
mod layout;
mod samples;

use std::borrow::Cow;

use image::RgbImage;
use image::metadata::Orientation;

use self::directory::{Directory, pages};
use self::layout::Layout;
use super::decode::{Decoded, Probed};
use super::jpeg::{self, Samples, Stored};
use super::limits::Limits;
use crate::error::{Error, Result, ensure};

pub use self::directory::is_big;

const SUBFILE_TYPE: u16 = 254;
const COMPRESSION: u16 = 259;
const STRIPS: u16 = 273;
const ORIENTATION: u16 = 274;
const JPEG_STREAM: u16 = 513;
const JPEG_TABLES: u16 = 347;

/// Size and orientation of the main page.
///
/// # Errors
/// When its directory is broken or cut off.
pub fn probe(bytes: &[u8]) -> Result<Probed> {
    let page = main_page(bytes)?;
    Ok((layout::size(&page)?, orientation(&page)))
}

/// Pixels and orientation of the main page.
///
/// # Errors
/// When the file is broken, cut off, of an unknown kind, or larger than `limits`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    let page = main_page(bytes)?;
    limits.check(layout::size(&page)?)?;
    if let Some(rgb) = old_jpeg(&page, bytes, limits) {
        return Ok((rgb, orientation(&page)));
    }
    let layout = Layout::of(&page)?;
    limits.check(layout.chunk)?;
    let wanted = colour::samples_wanted(&layout)?;
    let samples = gather(&page, &layout, wanted)?;
    let rgb = colour::to_rgb(samples, wanted, &layout, &page)?;
    let rgb = RgbImage::from_raw(layout.size[0], layout.size[1], rgb);
    Ok((
        rgb.ok_or_else(|| Error::photo("pixels are missing"))?,
        orientation(&page),
    ))
}

/// The first page that is neither a smaller version of another one nor a mask.
fn main_page(bytes: &[u8]) -> Result<Directory<'_>> {
    let mut pages = pages(bytes)?;
    let is_main = |page: &Directory<'_>| page.number(SUBFILE_TYPE).unwrap_or(0) & 5 == 0;
    let main = pages.iter().position(is_main).unwrap_or(0);
    Ok(pages.swap_remove(main))
}

fn orientation(page: &Directory<'_>) -> Option<Orientation> {
    Orientation::from_exif(u8::try_from(page.number(ORIENTATION)?).ok()?)
}

/// The picture of the first JPEG kind in TIFF, where it is a whole JPEG file.
fn old_jpeg(page: &Directory<'_>, bytes: &[u8], limits: &Limits) -> Option<RgbImage> {
    if page.number(COMPRESSION) != Some(6) || page.numbers(STRIPS).len() > 1 {
        return None;
    }
    let start = usize::try_from(page.number(JPEG_STREAM)?).ok()?;
    let (rgb, _) = jpeg::decode(bytes.get(start..)?, limits).ok()?;
    (layout::size(page).ok()? == <[u32; 2]>::from(rgb.dimensions())).then_some(rgb)
}

/// All pixels, `wanted` samples of eight bits each.
fn gather(page: &Directory<'_>, layout: &Layout, wanted: usize) -> Result<Vec<u8>> {
    let [across, down] = layout.grid();
    let (planes, kept) = if layout.planar {
        (wanted, 1)
    } else {
        (1, wanted)
    };
    let count = across * down;
    ensure!(
        layout.parts.len() >= count * planes,
        Photo,
        "strips or tiles are missing"
    );
    // Before anything is allocated.
    for &[at, length] in &layout.parts[..count * planes] {
        page.part(at, length)?;
    }
    let [w, h] = layout.size.map(|side| side as usize);
    let mut all = vec![0; w * h * wanted];
    for index in 0..count * planes {
        let (plane, place) = (index / count, index % count);
        let left = place % across * layout.chunk[0] as usize;
        let top = place / across * layout.chunk[1] as usize;
        let chunk = Chunk::read(page, layout, index, h - top)?;
        ensure!(chunk.count >= kept, Photo, "samples are missing");
        for (y, row) in (top..h).zip(chunk.samples.chunks_exact(chunk.width * chunk.count)) {
            for (x, pixel) in (left..w).zip(row.chunks_exact(chunk.count)) {
                let at = (y * w + x) * wanted + plane;
                all[at..at + kept].copy_from_slice(&pixel[..kept]);
            }
        }
    }
    Ok(all)
}

/// A decoded strip or tile.
struct Chunk {
    width: usize,
    /// Samples of a pixel.
    count: usize,
    samples: Vec<u8>,
}

impl Chunk {
    /// Decode chunk `index`, above whose lower edge there are `rows_left` rows.
    fn read(page: &Directory<'_>, layout: &Layout, index: usize, rows_left: usize) -> Result<Self> {
        let [width, rows] = layout.chunk.map(|side| side as usize);
        let rows = if layout.tiled {
            rows
        } else {
            rows.min(rows_left)
        };
        let [at, length] = layout.parts[index];
        let data = page.part(at, length)?;
        if let Some(stored) = layout.jpeg {
            return Self::from_jpeg(page, data, layout.chunk, stored);
        }
        let [row_bytes, all_bytes] = layout.chunk_bytes(width, rows);
        let data = if layout.reversed {
            Cow::Owned(data.iter().map(|b| b.reverse_bits()).collect())
        } else {
            Cow::Borrowed(data)
        };
        let mut bytes =
            codec::unpack(data, layout.compression, all_bytes, [width, rows])?.into_owned();
        let count = layout.chunk_samples();
        if layout.is_subsampled() {
            let samples = samples::spread_chroma(&bytes, width, rows, layout.subsampling);
            return Ok(Self {
                width,
                count,
                samples,
            });
        }
        let mut samples = vec![0; width * rows * count];
        let targets = samples.chunks_exact_mut(width * count);
        for (row, target) in bytes.chunks_exact_mut(row_bytes).zip(targets) {
            samples::undo_differences(row, layout)?;
            samples::to_eight_bits(row, layout, target)?;
        }
        Ok(Self {
            width,
            count,
            samples,
        })
    }

    /// Decode JPEG data, whose tables may stand in the directory, once for all chunks.
    fn from_jpeg(
        page: &Directory<'_>,
        data: &[u8],
        most: [u32; 2],
        stored: Stored,
    ) -> Result<Self> {
        let tables = page.bytes(JPEG_TABLES).unwrap_or_default();
        // Both begin with a start marker, and the tables end with an end marker.
        let tables = tables
            .get(..tables.len().saturating_sub(2))
            .unwrap_or_default();
        let rest = if tables.is_empty() {
            data
        } else {
            data.get(2..).unwrap_or_default()
        };
        let bytes = [tables, rest].concat();
        let Samples {
            size,
            count,
            samples,
            ..
        } = jpeg::decode_part(&bytes, most, stored)?;
        Ok(Self {
            width: size[0] as usize,
            count,
            samples,
        })
    }
}
