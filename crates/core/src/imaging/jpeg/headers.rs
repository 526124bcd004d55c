//! What a JPEG file says of itself before and between its scans.
//!
//! The decoders are asked only afterwards: which of them reads a file well, and whether a file is
//! all there, follows from here.

use std::ops::Range;

use memchr::memchr;

use crate::error::{Error, Result, ensure};

/// More scans than anybody writes; each costs a pass over the whole picture.
const MAX_SCANS: usize = 500;

/// The headers of the first picture in a file.
#[derive(Debug, Default)]
pub struct Headers {
    /// The frame header; a file without one is refused.
    pub frame: Frame,
    /// In the order of the file.
    pub scans: Vec<Scan>,
    /// There is a JFIF header.
    pub jfif: bool,
    /// Adobe's number of the colour transform.
    pub adobe: Option<u8>,
    /// The EXIF block, behind its name.
    pub exif: Option<Range<usize>>,
    /// There are restart markers in the scans.
    pub restarts: bool,
    /// Where the end marker is, behind the last scan.
    pub end: Option<usize>,
}

/// The frame header (SOF0 to SOF15).
#[derive(Debug, Default)]
pub struct Frame {
    /// The marker: 0xc0 for baseline, 0xc2 for progressive ...
    pub process: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Width and height.
    pub size: [u32; 2],
    /// In the order of the file.
    pub components: Vec<Component>,
}

/// A component of the frame: luma, a chroma ...
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// Its name in the scans.
    pub id: u8,
    /// Horizontal and vertical sampling factor.
    pub sampling: [u8; 2],
}

/// A scan header.
#[derive(Debug)]
pub struct Scan {
    /// Names of the components in it.
    pub components: Vec<u8>,
    /// First and last coefficient.
    pub spectral: [u8; 2],
    /// Coefficients are known down to this bit after the scan.
    pub low_bit: u8,
}

impl Headers {
    /// Walk the segments of `bytes`, so that an embedded thumbnail does not count, to the end
    /// marker, ignoring whatever follows (other pictures, videos).
    ///
    /// # Errors
    /// When there is no frame header or no scan, or one of them is cut off.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut headers = Self::default();
        let mut at = 2;
        while let Some(marker) = next_marker(bytes, &mut at) {
            match marker {
                0xd9 => {
                    headers.end = Some(at - 2);
                    break;
                }
                // Markers without a segment.
                0x01 | 0xd0..=0xd8 => {}
                _ => {
                    let Some(segment) = segment(bytes, &mut at) else {
                        break;
                    };
                    headers.take(marker, bytes, segment)?;
                }
            }
        }
        ensure!(
            headers.frame.process != 0 && !headers.scans.is_empty(),
            Photo,
            "the file is cut off (it ends before the picture)"
        );
        Ok(headers)
    }

    fn take(&mut self, marker: u8, bytes: &[u8], at: Range<usize>) -> Result<()> {
        let segment = &bytes[at.clone()];
        match marker {
            0xc4 | 0xc8 | 0xcc => {}
            // A second frame header is for the decoder to judge.
            0xc0..=0xcf if self.frame.process == 0 => {
                self.frame = Frame::read(marker, segment)
                    .ok_or_else(|| Error::photo("a broken frame header"))?;
            }
            0xda => {
                let scan =
                    Scan::read(segment).ok_or_else(|| Error::photo("a broken scan header"))?;
                self.scans.push(scan);
                ensure!(
                    self.scans.len() <= MAX_SCANS,
                    Unsupported,
                    "more than {MAX_SCANS} scans"
                );
            }
            0xdd => self.restarts |= segment.iter().any(|&b| b != 0),
            0xe0 if segment.starts_with(b"JFIF\0") => self.jfif = true,
            0xe1 if segment.starts_with(b"Exif\0") && self.exif.is_none() => {
                self.exif = Some((at.start + 6).min(at.end)..at.end);
            }
            0xee if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied(),
            _ => {}
        }
        Ok(())
    }

    /// Whether the scans bring every coefficient of every component to its last bit.
    pub fn scans_are_complete(&self) -> bool {
        let progressive = matches!(self.frame.process & 3, 2);
        self.frame.components.iter().all(|component| {
            let mut known = [!progressive && self.brings(component.id); 64];
            for scan in self.scans.iter().filter(|s| s.brings(component.id)) {
                let [first, last] = scan.spectral.map(|k| usize::from(k.min(63)));
                for bit in known.iter_mut().take(last + 1).skip(first) {
                    *bit |= scan.low_bit == 0;
                }
            }
            known.iter().all(|&k| k)
        })
    }

    fn brings(&self, id: u8) -> bool {
        self.scans.iter().any(|scan| scan.brings(id))
    }
}

impl Frame {
    fn read(process: u8, segment: &[u8]) -> Option<Self> {
        let &[precision, h1, h0, w1, w0, count, ..] = segment else {
            return None;
        };
        let components = segment.get(6..6 + 3 * usize::from(count))?;
        let component = |c: &[u8]| Component {
            id: c[0],
            sampling: [c[1] >> 4, c[1] & 15],
        };
        Some(Self {
            process,
            precision,
            size: [[w1, w0], [h1, h0]].map(|side| u16::from_be_bytes(side).into()),
            components: components.chunks_exact(3).map(component).collect(),
        })
    }
}

impl Scan {
    fn read(segment: &[u8]) -> Option<Self> {
        let (&count, rest) = segment.split_first()?;
        let components = rest.get(..2 * usize::from(count))?;
        let &[first, last, approximation] = rest.get(components.len()..)?.first_chunk()?;
        Some(Self {
            components: components.chunks_exact(2).map(|c| c[0]).collect(),
            spectral: [first, last],
            low_bit: approximation & 15,
        })
    }

    fn brings(&self, id: u8) -> bool {
        self.components.contains(&id)
    }
}

/// Where the segment at `at` has its content; `at` moves behind it.
fn segment(bytes: &[u8], at: &mut usize) -> Option<Range<usize>> {
    let &[high, low] = bytes.get(*at..)?.first_chunk()?;
    let start = *at + 2;
    let end = *at + usize::from(u16::from_be_bytes([high, low])).max(2);
    *at = end;
    (end <= bytes.len()).then_some(start..end)
}

/// The next marker at or after `at`; `at` moves behind it. Entropy-coded data is skipped: an
/// `0xff` in it is followed by a zero, and fill bytes by another `0xff`.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += memchr(0xff, bytes.get(*at..)?)? + 1;
        match *bytes.get(*at)? {
            0x00 | 0xff => {}
            marker => {
                *at += 1;
                return Some(marker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 13] = [0xff, 0xc0, 0, 11, 8, 0, 9, 0, 7, 1, 1, 0x21, 0];
    const SCAN: [u8; 10] = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0];

    fn file(parts: &[&[u8]]) -> Vec<u8> {
        [&[0xff, 0xd8][..]]
            .iter()
            .chain(parts)
            .flat_map(|p| p.to_vec())
            .collect()
    }

    #[test]
    fn the_end_marker_counts_outside_segments_only() {
        let thumbnail = [0xff, 0xe0, 0, 4, 0xff, 0xd9];
        let data = [7, 0xff, 0, 8];
        let whole = file(&[&thumbnail, &FRAME, &SCAN, &data]);
        let headers = Headers::read(&whole).unwrap();
        assert!(headers.end.is_none());
        assert_eq!(headers.frame.size, [7, 9]);
        assert_eq!(headers.frame.components[0].sampling, [2, 1]);
        let ended = file(&[&whole[2..], &[0xff, 0xd9, 1, 2]]);
        assert!(Headers::read(&ended).unwrap().end == Some(whole.len()));
        for cut in 0..whole.len() {
            assert!(
                !Headers::read(&ended[..cut]).is_ok_and(|h| h.end.is_some()),
                "{cut}"
            );
        }
    }

    #[test]
    fn scans_are_complete_when_every_coefficient_is() {
        let scan = |first, last, bits| [0xff, 0xda, 0, 8, 1, 1, 0, first, last, bits];
        let mut frame = FRAME;
        frame[1] = 0xc2;
        let complete = |scans: &[[u8; 10]]| {
            let parts: Vec<&[u8]> = [&frame[..]]
                .into_iter()
                .chain(scans.iter().map(|s| &s[..]))
                .collect();
            Headers::read(&file(&parts)).unwrap().scans_are_complete()
        };
        let (dc, ac, rest) = (scan(0, 0, 0), scan(1, 63, 1), scan(1, 63, 0x10));
        assert!(complete(&[dc, ac, rest]));
        assert!(!complete(&[dc, ac]));
        assert!(!complete(&[ac, rest]));
        assert!(
            Headers::read(&file(&[&FRAME, &SCAN]))
                .unwrap()
                .scans_are_complete()
        );
    }
}
