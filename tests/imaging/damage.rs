//! Files that are cut off, or promise what they do not hold.

use image::{DynamicImage, ImageFormat};
use retinamark::imaging::{Limits, decode_rgb};

use super::{encode, noise};
use crate::support::fixture;

fn kind(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("imaging/kinds/{name}"))).unwrap()
}

fn error_of(bytes: &[u8]) -> String {
    let size = decode_rgb(bytes, &Limits::default()).map(|image| image.dimensions());
    let error = size.expect_err("must fail");
    format!("{error:#}")
}

// A file that was cut off while it was copied looked whole, but for its grey lower part.
#[test]
fn only_the_end_marker_may_be_missing() {
    let names = [
        "no_end.jpg",
        "no_end_progressive.jpg",
        "three_scans.jpg",
        "progressive_restarts.jpg",
        "luma_apart.jpg",
        "huffman_table.jpg",
    ];
    for name in names {
        let bytes = kind(name);
        let whole = bytes.strip_suffix(b"\xff\xd9").unwrap_or(&bytes);
        assert!(decode_rgb(whole, &Limits::default()).is_ok(), "{name}");
        // The last two bytes may be padding.
        for cut in (0..whole.len() - 2).step_by(7) {
            let message = error_of(&whole[..cut]);
            assert!(
                !message.contains("internal error"),
                "{name} cut at {cut}: {message}"
            );
        }
    }
}

#[test]
fn a_progressive_file_needs_all_its_scans() {
    let whole = kind("no_end_progressive.jpg");
    let scans = whole
        .windows(2)
        .enumerate()
        .filter(|(_, w)| w == b"\xff\xda");
    let starts: Vec<usize> = scans.map(|(at, _)| at).collect();
    assert!(starts.len() > 5);
    for &start in &starts[1..] {
        // Where a scan's tables begin, as good as where its header does.
        let message = error_of(&whole[..start]);
        assert!(message.contains("cut off"), "{message}");
    }
}

// A header of a few bytes took gigabytes.
#[test]
fn a_header_that_promises_more_than_the_file_can_hold_is_refused() {
    for name in ["three_scans.jpg", "no_end_progressive.jpg", "lossless.jpg"] {
        let mut bytes = kind(name);
        let starts = [0xc0, 0xc2, 0xc3].map(|sof| bytes.windows(2).position(|w| w == [0xff, sof]));
        let frame = starts.into_iter().flatten().next().unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0x20, 0, 0x20, 0]); // 8192 x 8192
        assert!(error_of(&bytes).contains("too few"), "{name}");
    }
    let mut runs = kind("runs_8.bmp");
    runs[18..26].copy_from_slice(&[0, 0x20, 0, 0, 0, 0x20, 0, 0]);
    assert!(error_of(&runs).contains("too few"));
    let mut tiles = kind("tiles.tif");
    tiles.truncate(tiles.len() / 2);
    assert!(error_of(&tiles).contains("cut off"));
}

#[test]
fn damaged_kinds_are_errors_of_one_line_at_most() {
    let folder = fixture("imaging/kinds");
    let limits = Limits {
        max_pixels: 1 << 20,
    };
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    for path in names
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e != "json"))
    {
        let whole = std::fs::read(path).unwrap();
        for i in 0..40 {
            let mut bytes = whole.clone();
            let at = i * 31 % bytes.len().min(600);
            bytes[at] ^= 0xa5;
            if let Err(error) = decode_rgb(&bytes, &limits) {
                let message = format!("{error:#}");
                assert!(!message.contains('\n') && message.len() < 300, "{message}");
                assert!(
                    !message.contains("internal error"),
                    "{}: {message}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn a_png_may_lack_what_follows_its_rows() {
    let image = DynamicImage::ImageRgb8(noise(40, 30));
    let bytes = encode(&image, ImageFormat::Png);
    assert!(decode_rgb(&bytes[..bytes.len() - 5], &Limits::default()).is_ok());
    let data = bytes.len() - 12;
    assert!(error_of(&bytes[..data - 30]).contains("cut off"));
    let mut broken = bytes;
    broken[data - 30] ^= 1;
    assert!(error_of(&broken).contains("checksum"));
}
