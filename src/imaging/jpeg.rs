//! Is a JPEG file all there? The decoder fills what is missing with grey and says nothing.

/// Whether the end marker follows the image data. Walks the segments, so that the end marker of
/// an embedded thumbnail does not count, and ignores whatever follows (other pictures, videos).
pub fn is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        let Some(marker) = next_marker(bytes, &mut at) else {
            return false;
        };
        match marker {
            0xd9 => return true,
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else {
                    return false;
                };
                at += usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
}

/// The next marker at or after `at`; `at` moves behind it. Entropy-coded data is skipped: an
/// `0xff` in it is followed by a zero, and fill bytes by another `0xff`.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&b| b == 0xff)? + 1;
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

    #[test]
    fn the_end_marker_counts_outside_segments_only() {
        let whole = [
            0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 7, 0xff, 0, 8,
        ];
        assert!(!is_complete(&whole));
        let mut ended = whole.to_vec();
        ended.extend([0xff, 0xd9, 1, 2]);
        assert!(is_complete(&ended));
        for cut in 0..whole.len() + 1 {
            assert!(!is_complete(&ended[..cut]), "cut at {cut}");
        }
    }
}
