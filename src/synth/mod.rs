//! Synthetic photos of faces with exact landmarks, so that the whole pipeline can be tried
//! without any download.

mod face;
mod paint;
mod pose;
mod template;
mod write;

use image::RgbImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::imaging;

pub use face::SynthFace;
pub use pose::Pose;
pub use template::Shape;
pub use write::{Written, write};

/// Pictures are drawn this much larger and then shrunk, which smooths edges.
const OVERSAMPLE: u32 = 2;
/// Tries to find a free place for a face.
const TRIES: usize = 40;

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Number of photos.
    pub photos: usize,
    /// Most faces of a photo; each has at least one.
    pub faces_per_photo: usize,
    /// Width and height of the photos, pixels.
    pub size: u32,
    /// Smallest and largest height of a face, pixels.
    pub face: [f32; 2],
    /// Seed; the same seed gives the same photos.
    pub seed: u64,
    /// Share of the photos that goes into the validation list.
    pub validation: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            photos: 200,
            faces_per_photo: 3,
            size: 320,
            face: [20.0, 300.0],
            seed: 0,
            validation: 0.1,
        }
    }
}

/// A drawn photo and the faces on it.
#[derive(Clone, Debug)]
pub struct SynthPhoto {
    /// The picture.
    pub image: RgbImage,
    /// Its faces, all of them inside the picture.
    pub faces: Vec<SynthFace>,
}

/// Draw photo number `index`; it depends on the options and the index only.
///
/// # Errors
/// When the photo's size is 0.
pub fn photo(options: &Options, index: usize) -> anyhow::Result<SynthPhoto> {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    rng.set_stream(index as u64);
    let wanted = rng.random_range(1..=options.faces_per_photo.max(1));
    let mut faces: Vec<SynthFace> = Vec::new();
    for _ in 0..wanted {
        if let Some(face) = place_one(options, &faces, &mut rng) {
            faces.push(face);
        }
    }
    let side = options.size * OVERSAMPLE;
    let mut image = RgbImage::new(side, side);
    paint::background(&mut image, &mut rng);
    for face in &faces {
        let mut large = face.clone();
        large.pose = face.pose.enlarged(OVERSAMPLE as f32);
        large.draw(&mut image);
    }
    let mut image = imaging::resize(&image, [options.size; 2])?;
    let amplitude = rng.random_range(0.0..14.0);
    paint::noise(&mut image, amplitude, &mut rng);
    Ok(SynthPhoto { image, faces })
}

/// A random face at a place where it lies inside the picture and neither covers another face nor
/// is covered by its hair or shoulders. The first one of a photo always finds a place.
fn place_one(options: &Options, others: &[SynthFace], rng: &mut ChaCha8Rng) -> Option<SynthFace> {
    let side = options.size as f32;
    let largest = options.face[1].min(side * 0.7);
    let smallest = options.face[0].min(largest);
    let mut face = SynthFace::random(rng);
    for _ in 0..TRIES {
        let height = (rng.random_range(0.0..=1.0f32) * (largest / smallest).ln()).exp() * smallest;
        face.pose.centre = [0.0, 0.0];
        face.pose.scale = 1.0;
        let unit = face.box_xyxy();
        face.pose.scale = height / unit.longer_side();
        let b = face.box_xyxy();
        let mut within = |low: f32, high: f32| rng.random_range(-low..=(side - high).max(-low));
        face.pose.centre = [within(b.x1, b.x2), within(b.y1, b.y2)];
        let apart = |a: &SynthFace, b: &SynthFace| {
            let head = a.box_xyxy().scaled(1.1);
            head.intersection(&b.extent()) <= 0.0
        };
        if others.iter().all(|o| apart(o, &face) && apart(&face, o)) {
            return Some(face);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_photo_and_another_one_does_not() {
        let options = Options {
            size: 96,
            ..Options::default()
        };
        let draw = |seed, index| {
            let options = Options {
                seed,
                ..options.clone()
            };
            photo(&options, index).unwrap().image
        };
        assert_eq!(draw(3, 5), draw(3, 5));
        assert_ne!(draw(3, 5), draw(4, 5));
        assert_ne!(draw(3, 5), draw(3, 6));
    }

    #[test]
    fn faces_are_inside_the_picture_and_apart() {
        let options = Options {
            size: 160,
            faces_per_photo: 4,
            ..Options::default()
        };
        let mut several = 0;
        for index in 0..12 {
            let faces = photo(&options, index).unwrap().faces;
            assert!(!faces.is_empty());
            several += usize::from(faces.len() > 1);
            for (i, face) in faces.iter().enumerate() {
                let b = face.box_xyxy();
                let longer = b.longer_side();
                assert!((19.9..=160.0).contains(&longer), "{b:?}");
                assert!(b.x1 >= -0.01 && b.y1 >= -0.01 && b.x2 <= 160.1 && b.y2 <= 160.1);
                assert!(face.landmarks().iter().all(|&p| b.scaled(1.01).contains(p)));
                assert!(faces[..i].iter().all(|f| f.extent().iou(&b) == 0.0));
            }
        }
        assert!(several > 1);
    }
}
