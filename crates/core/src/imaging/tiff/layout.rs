//! What a page's directory says about its pixels.

use super::directory::Directory;
use crate::error::{Error, Result, bail, ensure};
use crate::imaging::jpeg::Stored;

/// How the samples of a page are stored.
#[derive(Debug)]
pub struct Layout {
    /// Width and height.
    pub size: [u32; 2],
    /// Width and height of a strip or tile.
    pub chunk: [u32; 2],
    /// Tiles are whole even at the edges, strips are not.
    pub tiled: bool,
    /// Of each chunk: where it is, and how many bytes it has.
    pub parts: Vec<[u64; 2]>,
    /// Samples of a pixel.
    pub samples: usize,
    /// Each sample has chunks of its own.
    pub planar: bool,
    /// Bits of a sample.
    pub bits: usize,
    /// What the bits mean.
    pub number: Number,
    /// The highest byte comes first.
    pub big_endian: bool,
    /// The tag's value: 1 is none.
    pub compression: u64,
    /// The tag's value: 2 and 3 are differences of neighbours.
    pub predictor: u64,
    /// The lowest bit comes first.
    pub reversed: bool,
    /// What the samples mean.
    pub photometric: u64,
    /// What the components of JPEG data are, which are decoded to what `photometric` says.
    pub jpeg: Option<Stored>,
    /// The meaning of the first sample behind the colours: 1 is alpha that the colours were
    /// multiplied by, 2 is alpha.
    pub extra: Option<u64>,
    /// Luma samples for each chroma sample, horizontally and vertically (YCbCr).
    pub subsampling: [usize; 2],
}

/// What the bits of a sample mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// An integer; its sign is ignored, as elsewhere.
    Integer,
    /// Floating point, 0 to 1.
    Float,
}

impl Layout {
    /// Read the fields of `page`.
    ///
    /// # Errors
    /// When one is missing or makes no sense.
    pub fn of(page: &Directory<'_>) -> Result<Self> {
        let one = |tag, other| page.number(tag).unwrap_or(other);
        let size = size(page)?;
        let bits = page.numbers(258);
        let samples = usize::try_from(one(277, 1)).map_err(Error::photo)?;
        ensure!(
            (1..=64).contains(&samples),
            Photo,
            "{samples} samples a pixel"
        );
        let depth = bits.first().copied().unwrap_or(1);
        let used = bits.iter().take(samples);
        ensure!(
            used.clone().all(|&b| b == depth),
            Unsupported,
            "samples of different depths are not supported"
        );
        ensure!((1..=64).contains(&depth), Photo, "samples of {depth} bits");
        let tiled = page.number(322).is_some();
        let side = |tag, whole: u32| -> Result<u32> {
            u32::try_from(one(tag, whole.into()).min(u32::MAX.into())).map_err(Error::photo)
        };
        let chunk = if tiled {
            [side(322, size[0])?, side(323, size[1])?]
        } else {
            [size[0], side(278, size[1])?.min(size[1])]
        };
        ensure!(
            chunk.iter().all(|&side| side > 0),
            Photo,
            "strips or tiles without size"
        );
        let compression = one(259, 1);
        let photometric = one(262, 0);
        let planar = one(284, 1) == 2 && samples > 1;
        let jpeg = (compression == 7).then_some(match photometric {
            _ if planar || samples == 1 => Stored::Grey,
            5 => Stored::Cmyk,
            6 => Stored::Ycbcr,
            _ => Stored::Rgb,
        });
        Ok(Self {
            size,
            chunk,
            tiled,
            parts: parts(page, tiled)?,
            samples,
            planar,
            bits: usize::try_from(depth).map_err(Error::photo)?,
            number: number(one(339, 1))?,
            big_endian: page.is_big_endian(),
            compression,
            predictor: one(317, 1),
            reversed: one(266, 1) == 2,
            photometric: if jpeg == Some(Stored::Ycbcr) {
                2
            } else {
                photometric
            },
            jpeg,
            extra: page.number(338),
            subsampling: match page.numbers(530)[..] {
                [h @ (1 | 2 | 4), v @ (1 | 2 | 4), ..] => [h as usize, v as usize],
                _ => [2, 2],
            },
        })
    }

    /// Number of chunks, horizontally and vertically.
    pub fn grid(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.size[axis].div_ceil(self.chunk[axis]) as usize)
    }

    /// Samples of a pixel in one chunk.
    pub const fn chunk_samples(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Luma and chroma of blocks of pixels lie together.
    pub fn is_subsampled(&self) -> bool {
        self.photometric == 6 && !self.planar && self.samples == 3 && self.subsampling != [1, 1]
    }

    /// Bytes of a row of `width` pixels in a chunk, and of `rows` of them.
    pub fn chunk_bytes(&self, width: usize, rows: usize) -> [usize; 2] {
        if self.is_subsampled() {
            let [h, v] = self.subsampling;
            let row = width.div_ceil(h) * (h * v + 2);
            return [row, row * rows.div_ceil(v)];
        }
        let row = (width * self.chunk_samples() * self.bits).div_ceil(8);
        [row, row * rows]
    }
}

/// Width and height.
///
/// # Errors
/// When one of them is missing.
pub fn size(page: &Directory<'_>) -> Result<[u32; 2]> {
    let side = |tag| page.number(tag).and_then(|side| u32::try_from(side).ok());
    let size = side(256)
        .zip(side(257))
        .ok_or_else(|| Error::photo("no width and height"))?;
    Ok(size.into())
}

fn parts(page: &Directory<'_>, tiled: bool) -> Result<Vec<[u64; 2]>> {
    let (offsets, counts) = if tiled { (324, 325) } else { (273, 279) };
    let offsets = page.numbers(if page.number(offsets).is_some() {
        offsets
    } else {
        273
    });
    let counts = page.numbers(if page.number(counts).is_some() {
        counts
    } else {
        279
    });
    ensure!(!offsets.is_empty(), Photo, "no strips or tiles");
    // A count that is missing or zero: to the end of the file.
    let counts = counts.into_iter().chain(std::iter::repeat(0));
    Ok(offsets
        .into_iter()
        .zip(counts)
        .map(<[u64; 2]>::from)
        .collect())
}

fn number(format: u64) -> Result<Number> {
    Ok(match format {
        // 2 is with a sign, 4 is undefined.
        1 | 2 | 4 => Number::Integer,
        3 => Number::Float,
        other => bail!(
            Unsupported,
            "samples of the format {other} are not supported"
        ),
    })
}
