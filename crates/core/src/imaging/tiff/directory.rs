//! Directories of TIFF files, classic and big.

use crate::error::{Error, Result, ensure};

/// More pages than this are not looked at.
const MAX_PAGES: usize = 1000;

/// Reads numbers in the order of the file.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// The highest byte comes first.
    pub big_endian: bool,
    /// BigTIFF: offsets and counts of eight bytes.
    big: bool,
}

/// A directory: what is known of a page.
#[derive(Debug)]
pub struct Directory<'a> {
    reader: Reader<'a>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    tag: u16,
    /// Bytes of a value, and whether it is a rational number.
    kind: u16,
    count: usize,
    /// Where the values begin.
    at: usize,
}

/// Whether `bytes` begin as BigTIFF.
pub fn is_big(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II+\0\x08\0\0\0") || bytes.starts_with(b"MM\0+\0\x08\0\0")
}

/// The directories of a file, in the order of their chain.
///
/// # Errors
/// When there is none that can be read.
pub fn pages(bytes: &[u8]) -> Result<Vec<Directory<'_>>> {
    let reader = Reader {
        bytes,
        big_endian: bytes.starts_with(b"MM"),
        big: is_big(bytes),
    };
    let mut pages = Vec::new();
    let mut seen = vec![0];
    let mut next = if reader.big {
        reader.number(8, 8)
    } else {
        reader.number(4, 4)
    };
    // A chain that is broken, or bites its tail, still has its beginning.
    while let Some(at) = next.map(|at| at as usize)
        && !seen.contains(&at)
        && pages.len() < MAX_PAGES
        && let Some((page, following)) = reader.directory(at)
    {
        seen.push(at);
        pages.push(page);
        next = following;
    }
    ensure!(
        !pages.is_empty(),
        Photo,
        "the file is cut off (no directory)"
    );
    Ok(pages)
}

impl<'a> Reader<'a> {
    /// An unsigned number of `count` bytes.
    fn number(&self, at: usize, count: usize) -> Option<u64> {
        let bytes = self.slice(at, count)?;
        let add = |v: u64, &b: &u8| v << 8 | u64::from(b);
        Some(if self.big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }

    fn slice(&self, at: usize, count: usize) -> Option<&'a [u8]> {
        self.bytes.get(at..at.checked_add(count)?)
    }

    /// The directory at `at`, and where the next one is.
    fn directory(self, at: usize) -> Option<(Directory<'a>, Option<u64>)> {
        let (word, length) = if self.big { (8, 20) } else { (4, 12) };
        let head = if self.big { 8 } else { 2 };
        let count = usize::try_from(self.number(at, head)?).ok()?;
        let first = at + head;
        let end = first.checked_add(count.checked_mul(length)?)?;
        self.slice(first, end - first)?;
        let entries = (first..end)
            .step_by(length)
            .filter_map(|at| self.entry(at, word));
        let entries = entries.collect();
        let next = self.number(end, word);
        Some((
            Directory {
                reader: self,
                entries,
            },
            next,
        ))
    }

    fn entry(&self, at: usize, word: usize) -> Option<Entry> {
        let kind = self.number(at + 2, 2)? as u16;
        let count = usize::try_from(self.number(at + 4, word)?).ok()?;
        let value = at + 4 + word;
        let bytes = width(kind)?.checked_mul(count)?;
        let at_value = if bytes <= word {
            value
        } else {
            usize::try_from(self.number(value, word)?).ok()?
        };
        self.slice(at_value, bytes)?;
        Some(Entry {
            tag: self.number(at, 2)? as u16,
            kind,
            count,
            at: at_value,
        })
    }
}

/// Bytes of a value of the type `kind`.
const fn width(kind: u16) -> Option<usize> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}

impl<'a> Directory<'a> {
    /// The numbers under `tag`; nothing where it is missing. Not for floating point numbers.
    pub fn numbers(&self, tag: u16) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else {
            return Vec::new();
        };
        let width = width(entry.kind).unwrap_or(1);
        let number = |i| self.reader.number(entry.at + i * width, width);
        (0..entry.count).map_while(number).collect()
    }

    /// The first number under `tag`.
    pub fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag).first().copied()
    }

    /// The bytes under `tag`.
    pub fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entry(tag)?;
        self.reader
            .slice(entry.at, entry.count * width(entry.kind)?)
    }

    /// A part of the file.
    ///
    /// # Errors
    /// When the file ends before it.
    pub fn part(&self, at: u64, count: u64) -> Result<&'a [u8]> {
        let at = usize::try_from(at).map_err(Error::photo)?;
        let count = usize::try_from(count).map_err(Error::photo)?;
        let part = self.reader.slice(at, count);
        part.ok_or_else(|| Error::photo("the file is cut off"))
    }

    /// The highest byte of a number comes first.
    pub const fn is_big_endian(&self) -> bool {
        self.reader.big_endian
    }

    fn entry(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}
