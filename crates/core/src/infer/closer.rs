//! Further looks where the first one says that they are worth it:
//! [`InputSize::Auto`](super::InputSize::Auto).
//!
//! The first look sees the whole photo at [`FIRST`] pixels. A face that fills the frame is looked at from
//! farther away, and where small faces show, or only hints of them, the photo is looked at from twice as
//! near, and again, as long as it has the pixels. Each look speaks about the sizes of faces for which it
//! was made: a near one sees parts of large faces, which the looks before have seen whole.

use std::ops::Range;

use image::RgbImage;

use super::detector::Detector;
use super::{Clock, DetectOptions, InputSize, Scaled, fit};
use crate::error::Result;
use crate::geometry::{BoxXyxy, Face};
use crate::{imaging, parallel};

/// Longer side of the photo in the first look, pixels.
pub const FIRST: u32 = 640;
/// The same from farther away, for faces that fill the frame.
const FAR: u32 = 320;
/// Faces of this score hint at more.
pub(super) const HINT: f32 = 0.1;
/// Smaller faces than this are worth a nearer look, pixels of the look's input.
const SMALL: f32 = 40.0;
/// A nearer look at the whole photo speaks about faces of up to this many times that, and one at tiles
/// of it about no larger ones than the tiles overlap.
const REACH: [f32; 2] = [4.0, 1.5];
/// Larger ones than this are worth one from farther away.
const LARGE: f32 = 400.0;
/// A nearer look must show this many times more pixels than the one before.
const GAIN: f32 = 1.25;
/// Longer side of what one look sees at once, pixels; of larger ones it sees tiles.
const TILE: u32 = 1280;
/// How far tiles overlap, pixels: more than the faces that they speak about.
const OVERLAP: u32 = 128;
/// Most times that looks come nearer: 640, 1280, ..., 10240 pixels.
const NEARER: u32 = 4;

/// A look at a part of a photo.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    /// `[x, y, width, height]`, pixels of the photo.
    region: [u32; 4],
    /// Longer side of the region in the network's input, pixels.
    size: u32,
    /// Longer sides of the faces that it speaks about, pixels of the photo.
    speaks: Range<f32>,
}

/// Pixels of the inputs of looks at the same time.
pub(super) fn most_pixels() -> u64 {
    u64::from(TILE).pow(2) * parallel::threads() as u64
}

/// The faces of all looks; `seen` are those of the first one.
pub(super) fn faces(
    detector: &Detector,
    photo: &RgbImage,
    seen: Vec<Face>,
    options: &DetectOptions,
    clock: &Clock,
) -> Result<Vec<Vec<Face>>> {
    let size = [photo.width(), photo.height()];
    let mut last = seen.clone();
    let mut all = vec![seen];
    if let Some(far) = farther(size, &last) {
        all.push(look(detector, photo, &far, options, clock)?);
    }
    for level in 1..=NEARER {
        let looks = nearer(size, &last, level);
        let found = parallel::map(looks, |near| look(detector, photo, &near, options, clock));
        let found: Vec<Vec<Face>> = found.into_iter().collect::<Result<_>>()?;
        last = found.concat();
        if last.is_empty() {
            break;
        }
        all.extend(found);
    }
    Ok(all)
}

fn look(
    detector: &Detector,
    photo: &RgbImage,
    look: &Look,
    options: &DetectOptions,
    clock: &Clock,
) -> Result<Vec<Face>> {
    let [x, y, width, height] = look.region;
    let letterbox = fit(
        width,
        height,
        InputSize::Fixed(look.size),
        detector.stride(),
    );
    let scaled = Scaled {
        pixels: imaging::resize_region(photo, look.region, letterbox.content)?,
        letterbox,
        photo: [width, height],
    };
    let found = detector.look(&[scaled], options, clock)?;
    let faces = found.into_iter().flatten().filter(|face| {
        look.speaks.contains(&face.box_xyxy.longer_side()) && !look.cuts(&face.box_xyxy, photo)
    });
    Ok(faces.map(|face| face.moved([x as f32, y as f32])).collect())
}

impl Look {
    /// Whether a face, in pixels of the region, ends where the region does and the photo does not: the
    /// tile beside has it whole.
    fn cuts(&self, face: &BoxXyxy, photo: &RgbImage) -> bool {
        const EDGE: f32 = 1.0;
        let [x, y, width, height] = self.region;
        let (right, bottom) = (width as f32 - EDGE, height as f32 - EDGE);
        (x > 0 && face.x1 < EDGE)
            || (y > 0 && face.y1 < EDGE)
            || (x + width < photo.width() && face.x2 > right)
            || (y + height < photo.height() && face.y2 > bottom)
    }
}

/// The look from farther away, where a face fills the frame or there is none at all.
fn farther([width, height]: [u32; 2], seen: &[Face]) -> Option<Look> {
    let scale = width.max(height) as f32 / FIRST as f32;
    let sizes = || seen.iter().map(|face| face.box_xyxy.longer_side() / scale);
    let worth = sizes().all(|side| side < SMALL) || sizes().any(|side| side > LARGE);
    worth.then_some(Look {
        region: [0, 0, width, height],
        size: FAR,
        speaks: 0.5 * LARGE * scale..f32::INFINITY,
    })
}

/// Looks from `2^level` times as near as the first one, where faces of the look before, `seen`, are
/// small.
fn nearer([width, height]: [u32; 2], seen: &[Face], level: u32) -> Vec<Look> {
    let photo = width.max(height);
    let before = (FIRST << (level - 1)) as f32 / photo as f32;
    let small = |face: &&Face| face.box_xyxy.longer_side() * before < SMALL;
    let small: Vec<&Face> = seen.iter().filter(small).collect();
    if small.is_empty() || before * GAIN > 1.0 {
        return Vec::new();
    }
    let scale = (2.0 * before).min(1.0);
    let tiles = tiles(
        [width, height],
        (TILE as f32 / scale) as u32,
        (OVERLAP as f32 / scale) as u32,
    );
    let reach = if tiles.len() == 1 { REACH[0] } else { REACH[1] };
    let speaks = 0.0..reach * SMALL / before;
    let shows = |[x, y, w, h]: &[u32; 4]| {
        small.iter().any(|face| {
            let [cx, cy, ..] = face.box_xyxy.cxcywh();
            (*x as f32..=(x + w) as f32).contains(&cx) && (*y as f32..=(y + h) as f32).contains(&cy)
        })
    };
    let look = |region: [u32; 4]| Look {
        region,
        size: ((region[2].max(region[3]) as f32 * scale).round() as u32).max(1),
        speaks: speaks.clone(),
    };
    tiles.into_iter().filter(shows).map(look).collect()
}

/// Tiles of `side` pixels that cover a photo and overlap by at least `overlap`; one where it fits.
fn tiles([width, height]: [u32; 2], side: u32, overlap: u32) -> Vec<[u32; 4]> {
    let spans = |length: u32| -> Vec<[u32; 2]> {
        let side = side.min(length).max(1);
        let step = side.saturating_sub(overlap).max(1);
        let count = 1 + (length - side).div_ceil(step);
        let last = (length - side) as f64;
        let start = |i: u32| (last * f64::from(i) / f64::from((count - 1).max(1))).round() as u32;
        (0..count).map(|i| [start(i), side]).collect()
    };
    let rows = spans(height);
    let across = |&[y, h]: &[u32; 2]| -> Vec<[u32; 4]> {
        let columns = spans(width).into_iter();
        columns.map(|[x, w]| [x, y, w, h]).collect()
    };
    rows.iter().flat_map(across).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, y: f32, side: f32) -> Face {
        Face {
            box_xyxy: [x, y, x + side, y + side].into(),
            score: 0.5,
            landmarks: Vec::new(),
            landmark_scores: None,
            pose: None,
        }
    }

    #[test]
    fn tiles_cover_the_photo_and_overlap() {
        assert_eq!(tiles([100, 50], 200, 20), [[0, 0, 100, 50]]);
        let found = tiles([100, 250], 100, 20);
        assert_eq!(
            found,
            [[0, 0, 100, 100], [0, 75, 100, 100], [0, 150, 100, 100]]
        );
        for size in [101, 180, 181, 999] {
            let found = tiles([size, 1], 100, 20);
            assert_eq!((found[0][0], found.last().unwrap()[0]), (0, size - 100));
            let overlaps = |pair: &[[u32; 4]]| pair[0][0] + 100 >= pair[1][0] + 20;
            assert!(found.windows(2).all(overlaps), "{size}: {found:?}");
        }
    }

    #[test]
    fn a_nearer_look_where_faces_are_small_and_the_photo_has_the_pixels() {
        let photo = [4000, 3000];
        // 6.25 pixels of the photo are one of the first look.
        assert!(nearer(photo, &[face(10.0, 10.0, 300.0)], 1).is_empty());
        let seen = [face(10.0, 10.0, 100.0), face(3500.0, 2500.0, 60.0)];
        let whole = Look {
            region: [0, 0, 4000, 3000],
            size: 1280,
            speaks: 0.0..1000.0,
        };
        assert_eq!(nearer(photo, &seen, 1), [whole]);
        // Of the next one, at 2560 pixels, the tiles that show them.
        let tiles = nearer(photo, &seen, 2);
        let regions: Vec<[u32; 4]> = tiles.iter().map(|look| look.region).collect();
        assert_eq!(regions, [[0, 0, 2000, 2000], [2000, 1000, 2000, 2000]]);
        assert_eq!((tiles[0].size, tiles[0].speaks.end), (1280, 187.5));
        // The photo has no more pixels than 4000.
        assert_eq!(
            nearer(photo, &[face(3500.0, 2500.0, 10.0)], 3)[0].size,
            1280
        );
        assert!(nearer(photo, &[face(3500.0, 2500.0, 10.0)], 4).is_empty());
        assert!(nearer([700, 500], &seen, 1).is_empty());
    }

    #[test]
    fn a_look_from_afar_for_faces_that_fill_the_frame_or_are_not_seen() {
        let photo = [1280, 960];
        assert_eq!(farther(photo, &[face(0.0, 0.0, 300.0)]), None);
        let far = farther(photo, &[face(0.0, 0.0, 300.0), face(0.0, 0.0, 900.0)]).unwrap();
        assert_eq!((far.size, far.speaks.start), (320, 400.0));
        assert!(farther(photo, &[]).is_some());
        assert!(farther(photo, &[face(0.0, 0.0, 60.0)]).is_some());
    }

    #[test]
    fn faces_that_a_tile_cuts_are_those_of_the_tile_beside() {
        let photo = RgbImage::new(300, 100);
        let look = Look {
            region: [100, 0, 100, 100],
            size: 100,
            speaks: 0.0..50.0,
        };
        assert!(look.cuts(&[0.5, 10.0, 20.0, 30.0].into(), &photo));
        assert!(look.cuts(&[80.0, 10.0, 99.5, 30.0].into(), &photo));
        assert!(!look.cuts(&[10.0, 0.0, 30.0, 100.0].into(), &photo));
    }
}
