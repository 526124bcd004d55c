//! Crops of labelled faces as a detector finds them, so that an aligner can be trained apart from the
//! photos.

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
        let side = detection.width().max(detection.height()) * (1.0 + self.extension);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{HeadPose, Landmarks};

    fn options() -> Options {
        Options {
            score: 0.5,
            overlap: 0.4,
            extension: 0.5,
            rotation: 0.0,
            jitter: 0.0,
            share: 1.0,
            validation: 0.25,
            side: 60,
            ranges: vec![CropRange::Unit],
            seed: 3,
        }
    }

    fn face(x: f32) -> FaceLabel {
        FaceLabel {
            landmarks: Landmarks::all([[x, 0.0], [x + 10.0, 10.0]]),
            ..FaceLabel::boxed([x, 0.0, x + 10.0, 10.0].into())
        }
    }

    fn found(x: f32, score: f32) -> Face {
        Face {
            box_xyxy: [x, 0.0, x + 10.0, 10.0].into(),
            score,
            landmarks: Vec::new(),
            landmark_scores: None,
        }
    }

    #[test]
    fn photos_are_divided_by_seed_alone() {
        let parts = options().parts(40);
        let count = |parts: &[_], part| parts.iter().filter(|&&p| p == part).count();
        assert_eq!(count(&parts, Some(Part::Validation)), 10);
        assert_eq!(count(&parts, Some(Part::Train)), 30);
        assert_eq!(parts, options().parts(40));
        let half = Options {
            share: 0.5,
            seed: 4,
            ..options()
        };
        let parts = half.parts(40);
        assert_eq!(
            (count(&parts, None), count(&parts, Some(Part::Validation))),
            (20, 5)
        );
        assert_ne!(parts, Options { seed: 5, ..half }.parts(40));
    }

    #[test]
    fn it_is_said_why_a_face_is_left_out() {
        let mut ignored = face(0.0);
        ignored.ignored = true;
        let faces = [
            face(0.0),
            face(50.0),
            face(100.0),
            face(150.0),
            face(200.0),
            ignored,
        ];
        let faces: Vec<FaceLabel> = faces
            .into_iter()
            .chain([FaceLabel::boxed([0.0, 0.0, 9.0, 9.0].into())])
            .collect();
        let detections = [
            found(1.0, 0.9),
            found(51.0, 0.4),
            found(108.0, 0.9),
            found(201.0, 0.5),
        ];
        let fates = options().fates(&faces, &detections);
        assert_eq!(
            fates,
            [
                Fate::Found(0),
                Fate::LowScore,
                Fate::LittleOverlap,
                Fate::Missed,
                Fate::Found(3),
                Fate::Unlabelled,
                Fate::Unlabelled
            ]
        );
        let any = Options {
            overlap: 0.0,
            ..options()
        };
        assert_eq!(
            any.fates(&faces, &detections)[2..4],
            [Fate::Found(2), Fate::Missed]
        );
    }

    #[test]
    fn a_crop_is_the_extended_detection() {
        let detection = BoxXyxy::new(10.0, 20.0, 30.0, 60.0);
        let square = options().square(&detection, &mut options().photo_rng(0));
        assert_eq!(
            (square.centre, square.side, square.angle),
            ([20.0, 40.0], 60.0, 0.0)
        );
        let photo = RgbImage::from_pixel(100, 100, image::Rgb([200; 3]));
        let (picture, label) = options().cut(&photo, &face(12.0), &square).unwrap();
        assert_eq!(picture.dimensions(), (60, 60));
        // The crop begins at (-10, 10) of the photo.
        assert_eq!(label.landmarks[0].at, [22.0, -10.0]);
        assert_eq!(
            (picture.get_pixel(5, 30).0, picture.get_pixel(30, 30).0),
            ([0; 3], [200; 3])
        );
    }

    #[test]
    fn rotation_and_jitter_stay_within_their_limits() {
        let wild = Options {
            rotation: 30.0,
            jitter: 0.1,
            ..options()
        };
        let detection = BoxXyxy::new(10.0, 20.0, 30.0, 60.0);
        let mut rng = wild.photo_rng(7);
        let squares: Vec<FaceCrop> = (0..200)
            .map(|_| wild.square(&detection, &mut rng))
            .collect();
        let most =
            |of: fn(&FaceCrop) -> f32| squares.iter().map(|s| of(s).abs()).fold(0.0, f32::max);
        let limits = [
            (most(|s| s.angle.to_degrees()), 30.0),
            (most(|s| s.centre[0] - 20.0), 6.0),
            (most(|s| s.centre[1] - 40.0), 6.0),
            (most(|s| s.side - 60.0), 6.0),
        ];
        for (most, limit) in limits {
            assert!(
                most <= limit + 1e-3 && most > 0.9 * limit,
                "{most} of {limit}"
            );
        }
        let turned = FaceCrop {
            centre: [20.0, 40.0],
            side: 60.0,
            angle: 0.5,
        };
        let mut face = face(12.0);
        face.pose = Some(HeadPose {
            roll: 0.5,
            ..HeadPose::default()
        });
        let photo = RgbImage::new(100, 100);
        let (_, label) = wild.cut(&photo, &face, &turned).unwrap();
        assert!(label.pose.unwrap().roll.abs() < 1e-5);
    }
}
