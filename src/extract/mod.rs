//! Crops of labelled faces as a detector finds them, so that an aligner can be trained apart from the
//! photos.

#[cfg(test)]
mod tests;
mod write;

use anyhow::Result;
use image::RgbImage;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{CropRange, FaceLabel};
use crate::geometry::{BoxXyxy, Face, FaceCrop, best_pairs};
use crate::imaging;

pub use write::{Folder, Part};

/// Colour where a crop reaches over the photo's edge.
const OUTSIDE: [u8; 3] = [0; 3];

/// What is cut out, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Lowest score of a detection.
    pub score: f32,
    /// Lowest IoU of a detection with the bounds of a face's points.
    pub overlap: f32,
    /// How much longer a crop is than the longer side of the detection, as a share of that.
    pub extension: f32,
    /// Largest turn to either side, degrees.
    pub rotation: f32,
    /// Largest move of the centre along each axis, and largest change of the side, as shares of the
    /// crop's side.
    pub jitter: f32,
    /// Share of the photos that is looked at.
    pub share: f32,
    /// Share of those that goes into the validation list.
    pub validation: f32,
    /// Side of the crops, pixels.
    pub side: u32,
    /// How points are written; the lists name the first.
    pub ranges: Vec<CropRange>,
    /// The same seed gives the same crops.
    pub seed: u64,
}

impl Options {
    /// For each of `photos` photos the part that it goes to, if it is looked at. Counts are rounded;
    /// a photo is in one part with all of its faces.
    pub fn parts(&self, photos: usize) -> Vec<Option<Part>> {
        let count = |of: usize, share: f32| (of as f64 * f64::from(share)).round() as usize;
        let wanted = count(photos, self.share);
        let validation = count(wanted, self.validation);
        let mut order: Vec<usize> = (0..photos).collect();
        order.shuffle(&mut self.rng(0));
        let mut parts = vec![None; photos];
        for (place, &photo) in order.iter().take(wanted).enumerate() {
            parts[photo] = Some(match place < validation {
                true => Part::Validation,
                false => Part::Train,
            });
        }
        parts
    }

    /// Random numbers of photo `index`, whoever asks for them.
    pub fn photo_rng(&self, index: usize) -> ChaCha8Rng {
        self.rng(index as u64 + 1)
    }

    fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    /// What becomes of each face of a photo.
    pub fn fates(&self, faces: &[FaceLabel], detections: &[Face]) -> Vec<Fate> {
        let bounds: Vec<Option<BoxXyxy>> = faces.iter().map(usable_bounds).collect();
        let iou = |f: usize, d: usize| {
            let bounds: Option<BoxXyxy> = bounds[f];
            bounds.map_or(0.0, |b| b.iou(&detections[d].box_xyxy))
        };
        let lowest = self.overlap.max(f32::MIN_POSITIVE);
        let pairs = best_pairs(faces.len(), detections.len(), lowest, iou);
        let fate = |(f, pair): (usize, Option<usize>)| match pair {
            Some(d) if detections[d].score >= self.score => Fate::Found(d),
            Some(_) => Fate::LowScore,
            None if bounds[f].is_none() => Fate::Unlabelled,
            None if (0..detections.len()).any(|d| iou(f, d) > 0.0) => Fate::LittleOverlap,
            None => Fate::Missed,
        };
        pairs.into_iter().enumerate().map(fate).collect()
    }

    /// The square around a detection, moved, scaled and turned at random.
    pub fn square(&self, detection: &BoxXyxy, rng: &mut impl Rng) -> FaceCrop {
        let mut random = |most: f32| most * rng.random_range(-1.0..=1.0f32);
        let side = detection.longer_side() * (1.0 + self.extension);
        let [x, y] = detection.centre();
        FaceCrop {
            centre: [
                x + side * random(self.jitter),
                y + side * random(self.jitter),
            ],
            side: side * (1.0 + random(self.jitter)),
            angle: random(self.rotation).to_radians(),
        }
    }

    /// The picture of a face and its labels in pixels of that.
    ///
    /// # Errors
    /// When the photo cannot be shrunk.
    pub fn cut(
        &self,
        photo: &RgbImage,
        face: &FaceLabel,
        square: &FaceCrop,
    ) -> Result<(RgbImage, FaceLabel)> {
        let map = square.to_crop(self.side as f32);
        let picture = imaging::warp(photo, &map, [self.side; 2], OUTSIDE)?;
        let landmarks = face.landmarks.map(|p| map.apply(p));
        let label = FaceLabel {
            box_xyxy: landmarks.bounds().unwrap_or_default(),
            landmarks,
            pose: face.pose.map(|pose| pose.through(&map)),
            ..face.clone()
        };
        Ok((picture, label))
    }
}

/// What becomes of a labelled face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The detection of this index has found it.
    Found(usize),
    /// No detection touches its points.
    Missed,
    /// Detections touch its points, but overlap too little, or another face has them.
    LittleOverlap,
    /// Its detection has too low a score.
    LowScore,
    /// It has no points, or is ignored.
    Unlabelled,
}

/// Whether a face has points that span something, and is not ignored.
pub fn can_be_cut(face: &FaceLabel) -> bool {
    usable_bounds(face).is_some()
}

fn usable_bounds(face: &FaceLabel) -> Option<BoxXyxy> {
    let bounds = face.landmarks.bounds().filter(BoxXyxy::has_size);
    bounds.filter(|_| !face.ignored)
}
