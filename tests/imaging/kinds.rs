//! Every kind of file that people have, against what other programs see in it
//! (`scripts/imaging_fixtures.py`).

use std::collections::BTreeMap;

use image::RgbImage;
use retinamark::imaging::{Limits, decode_rgb, probe_bytes};
use serde::Deserialize;

use crate::support::fixture;

/// What other programs see.
#[derive(Deserialize)]
struct Expected {
    size: [u32; 2],
    /// How many levels the colours may be off on average.
    most: f32,
    /// Mean colours of blocks of 8 x 8 pixels.
    blocks: Vec<[f32; 3]>,
}

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("imaging/kinds/{name}"))).unwrap()
}

fn blocks(image: &RgbImage) -> Vec<[f32; 3]> {
    let (across, down) = (image.width() / 8, image.height() / 8);
    let block = |i: u32| {
        let (left, top) = (i % across * 8, i / across * 8);
        let mut sum = [0.0; 3];
        for (x, y) in (0..64).map(|k| (left + k % 8, top + k / 8)) {
            for (sum, &value) in sum.iter_mut().zip(&image.get_pixel(x, y).0) {
                *sum += f32::from(value) / 64.0;
            }
        }
        sum
    };
    (0..across * down).map(block).collect()
}

/// Mean difference of the blocks' colours, in levels.
fn difference(image: &RgbImage, expected: &Expected) -> f32 {
    let got = blocks(image);
    assert_eq!(got.len(), expected.blocks.len());
    let pairs = got
        .as_flattened()
        .iter()
        .zip(expected.blocks.as_flattened());
    let sum: f32 = pairs.map(|(a, b)| (a - b).abs()).sum();
    sum / (3 * got.len()) as f32
}

// People's photos were read as garbage, and no face was found, or not read at all: baseline JPEG
// with a scan for each component, FillOrder 2, MPO, a thumbnail before the picture ...
#[test]
fn every_kind_looks_as_in_other_programs() {
    let expected: BTreeMap<String, Expected> =
        serde_json::from_slice(&bytes_of("expected.json")).unwrap();
    assert!(expected.len() > 40);
    let mut wrong = Vec::new();
    for (name, expected) in &expected {
        let bytes = bytes_of(name);
        match decode_rgb(&bytes, &Limits::default()) {
            Ok(image) => {
                let size = [image.width(), image.height()];
                if size != expected.size {
                    wrong.push(format!("{name}: {size:?} pixels"));
                    continue;
                }
                assert_eq!(probe_bytes(&bytes).unwrap(), size, "{name}");
                let off = difference(&image, expected);
                if off > expected.most {
                    wrong.push(format!("{name}: {off:.1} levels off"));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error:#}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Two files of a user, as they came.
#[test]
fn odd_jpegs_keep_their_detail() {
    let plain = decode_rgb(&bytes_of("adobe_200.jpg"), &Limits::default()).unwrap();
    for name in ["three_scans.jpg", "huffman_table.jpg", "spectral_end.jpg"] {
        let image = decode_rgb(&bytes_of(name), &Limits::default()).unwrap();
        let pairs = image.iter().zip(plain.iter());
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let off = sum as f32 / plain.len() as f32;
        assert!(off < 2.0, "{name}: {off} levels off");
    }
}
