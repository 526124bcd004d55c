//! Headers of BMP files.

use crate::error::{Error, Result, bail, ensure};

/// The file header, which clipboards and icons leave out.
const FILE_HEADER: usize = 14;

/// What the headers say.
#[derive(Debug)]
pub struct Header {
    /// Width and height.
    pub size: [u32; 2],
    /// The first row is the upper one.
    pub top_down: bool,
    /// Bits of a pixel: 1, 2, 4, 8, 16, 24 or 32.
    pub bits: usize,
    /// The pixels are run-length coded (4 or 8 bits).
    pub runs: bool,
    /// Where red, green, blue and alpha are in a pixel of 16 or 32 bits; 0 is nowhere.
    pub masks: [u32; 4],
    /// Colours, up to eight bits.
    pub palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    pub data: usize,
}

/// Whether `bytes` begin as a BMP whose file header was left out.
pub fn is_headless(bytes: &[u8]) -> bool {
    let known = matches!(number(bytes, 0, 4), Some(12 | 40 | 52 | 56 | 108 | 124));
    let planes = if bytes.first() == Some(&12) { 8 } else { 12 };
    known && number(bytes, planes, 2) == Some(1)
}

impl Header {
    /// Read the headers and the palette.
    ///
    /// # Errors
    /// When they are cut off or of an unknown kind.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| Error::photo("the file is cut off (in its header)"))?
    }

    /// `None` where the file ends.
    fn parse(bytes: &[u8]) -> Option<Result<Self>> {
        let start = if bytes.starts_with(b"BM") {
            FILE_HEADER
        } else {
            0
        };
        let info = bytes.get(start..)?;
        let length = number(info, 0, 4)? as usize;
        let old = length == 12;
        let (size, at) = if old {
            ([number(info, 4, 2)?, number(info, 6, 2)?], 10)
        } else {
            ([number(info, 4, 4)?, number(info, 8, 4)?], 14)
        };
        let bits = number(info, at, 2)? as usize;
        // What lies beyond the header is zero.
        let field = |at: usize| {
            if at + 4 <= length {
                number(info, at, 4)
            } else {
                Some(0)
            }
        };
        let (compression, used) = (field(16)?, field(32)? as usize);
        // OS/2 gave other codes to the numbers that are masks on Windows.
        let masked = matches!(compression, 3 | 6) && length != 64;
        let masks = match (masked, bits) {
            (true, _) => masks(info, length, compression)?,
            (false, 16) => [0x7c00, 0x3e0, 0x1f, 0],
            _ => [0xff_0000, 0xff00, 0xff, 0],
        };
        let behind = if masked && length == 40 {
            if compression == 6 { 16 } else { 12 }
        } else {
            0
        };
        let entry = if old { 3 } else { 4 };
        let palette_at = start + length + behind;
        let all = if bits <= 8 { 1 << bits } else { 0 };
        let count = if used == 0 { all } else { used };
        let stated = number(bytes, 10, 4)? as usize;
        // Some programs forget the palette when they say where the pixels begin.
        let forgotten = bits <= 8 && stated <= palette_at;
        let stated = (start > 0 && !forgotten).then_some(stated);
        let room = stated.map(|data| data.saturating_sub(palette_at) / entry);
        let count = room.map_or(count, |room| count.min(room));
        let palette = bytes
            .get(palette_at..)?
            .chunks_exact(entry)
            .take(count.min(all));
        let header = Self {
            size: size.map(|side| {
                if old {
                    side
                } else {
                    side.cast_signed().unsigned_abs()
                }
            }),
            top_down: !old && size[1].cast_signed() < 0,
            bits,
            runs: matches!((compression, bits), (1, 8) | (2, 4)),
            masks,
            palette: palette.map(|c| [c[2], c[1], c[0]]).collect(),
            data: stated.unwrap_or(palette_at + count * entry),
        };
        Some(header.checked(length, compression, masked))
    }

    fn checked(self, length: usize, compression: u32, masked: bool) -> Result<Self> {
        ensure!(
            matches!(length, 12 | 16 | 40 | 48 | 52 | 56 | 64 | 108 | 124),
            Unsupported,
            "BMP with a header of {length} bytes is not supported"
        );
        match self.bits {
            1 | 2 | 4 | 8 | 24 if compression == 0 || self.runs => {}
            16 | 32 if compression == 0 || masked => {}
            bits => bail!(
                Unsupported,
                "BMP of {bits} bits and compression {compression} is not supported"
            ),
        }
        Ok(self)
    }
}

/// Of red, green, blue and alpha.
fn masks(info: &[u8], length: usize, compression: u32) -> Option<[u32; 4]> {
    let mask = |i: usize| number(info, 40 + 4 * i, 4);
    let has_alpha = length >= 56 || length == 40 && compression == 6;
    let alpha = if has_alpha { mask(3)? } else { 0 };
    Some([mask(0)?, mask(1)?, mask(2)?, alpha])
}

/// A little-endian number of `count` bytes.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + count)?;
    Some(bytes.iter().rev().fold(0, |v, &b| v << 8 | u32::from(b)))
}

/// The bits of one channel.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    shift: u32,
    most: u32,
}

impl Mask {
    /// The lowest run of ones counts.
    pub const fn new(mask: u32) -> Self {
        let shift = if mask == 0 { 0 } else { mask.trailing_zeros() };
        let ones = (mask >> shift).trailing_ones();
        Self {
            shift,
            most: if ones == 32 {
                u32::MAX
            } else {
                (1 << ones) - 1
            },
        }
    }

    /// The channel in a pixel, 0 to 255.
    pub fn of(self, pixel: u32) -> u8 {
        if self.most == 0 {
            return 0;
        }
        let value = u64::from(pixel >> self.shift & self.most);
        ((value * 255 + u64::from(self.most / 2)) / u64::from(self.most)) as u8
    }
}
