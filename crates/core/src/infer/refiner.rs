//! An aligner's look: upright crops of faces to their landmarks.

use image::RgbImage;

use super::network::{RawLandmarks, SecondLook};
use super::{AlignOptions, Framing};
use crate::anchors::Coder;
use crate::error::Result;
use crate::geometry::{Affine, Face, FaceCrop, HeadPose, Landmarks, Point, Scheme};
use crate::settings::{ConfidenceConfig, Settings};
use crate::{imaging, parallel};

/// Most crops in one pass of the network.
const BATCH: usize = 8;

/// A landmark's confidence is the probability that it lies no farther from the truth than this
/// share of the longer side of the face's landmarks.
pub const CLOSE: f32 = 0.05;

/// An aligner with everything that turns its outputs into landmarks.
#[derive(Debug)]
pub(super) struct Refiner {
    network: Box<dyn SecondLook>,
    settings: Settings,
    framing: Framing,
    coder: Coder,
    pub(super) options: AlignOptions,
}

/// Landmarks of a face in pixels of the photo, how sure each is, and how the head is turned there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Aligned {
    pub(super) landmarks: Vec<Point>,
    pub(super) scores: Option<Vec<f32>>,
    pub(super) pose: Option<HeadPose>,
}

impl Aligned {
    /// A detection with these landmarks.
    pub(super) fn given_to(self, face: &Face) -> Face {
        Face {
            box_xyxy: face.box_xyxy,
            score: face.score,
            landmarks: self.landmarks,
            landmark_scores: self.scores,
            pose: self.pose,
        }
    }
}

impl Refiner {
    /// Of a network with the crops and landmarks of `settings`.
    pub(super) fn new(network: Box<dyn SecondLook>, settings: &Settings) -> Result<Self> {
        Ok(Self {
            network,
            framing: Framing::of(settings)?,
            coder: Coder::of_deltas(settings.anchors.variances),
            options: AlignOptions::from(&settings.aligner),
            settings: settings.clone(),
        })
    }

    /// Whose landmarks these are.
    pub(super) const fn scheme(&self) -> &Scheme {
        self.framing.scheme()
    }

    /// Which crops it sees.
    pub(super) const fn framing(&self) -> &Framing {
        &self.framing
    }

    /// What came with the weights.
    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The landmarks in each of the `crops`, after as many passes as the options say. `None` for
    /// numbers beyond what `f32` holds.
    pub(super) fn align(
        &self,
        photo: &RgbImage,
        mut crops: Vec<FaceCrop>,
    ) -> Result<Vec<Option<Aligned>>> {
        let mut found = self.pass(photo, &crops)?;
        for _ in 1..self.options.passes {
            for (crop, aligned) in crops.iter_mut().zip(&found) {
                let next = aligned
                    .as_ref()
                    .and_then(|a| self.crop_around(&a.landmarks));
                *crop = next.unwrap_or(*crop);
            }
            found = self.pass(photo, &crops)?;
        }
        Ok(found)
    }

    /// The crop of a face whose landmarks, of its own scheme, are known.
    pub(super) fn crop_around(&self, landmarks: &[Point]) -> Option<FaceCrop> {
        let landmarks = Landmarks::all(landmarks.iter().copied());
        self.framing.around(&landmarks, self.scheme())
    }

    /// The network alone.
    pub(super) fn forward(&self, images: &[RgbImage]) -> Result<()> {
        self.network.run(images).map(drop)
    }

    fn pass(&self, photo: &RgbImage, crops: &[FaceCrop]) -> Result<Vec<Option<Aligned>>> {
        let mut found = self.look_at(photo, crops, false)?;
        if self.options.flip {
            let others = self.look_at(photo, crops, true)?;
            for (aligned, other) in found.iter_mut().zip(others) {
                *aligned = aligned.take().zip(other).map(|(a, b)| mean(&a, &b));
            }
        }
        Ok(found)
    }

    /// The landmarks in each of the `crops`, looked at once, in a mirror if asked for.
    pub(super) fn look_at(
        &self,
        photo: &RgbImage,
        crops: &[FaceCrop],
        mirrored: bool,
    ) -> Result<Vec<Option<Aligned>>> {
        let side = self.settings.aligner.side as f32;
        let mirror = Affine {
            row_x: [-1.0, 0.0, side],
            ..Affine::IDENTITY
        };
        let map = |crop: &FaceCrop| match mirrored {
            true => crop.to_crop(side).then(&mirror),
            false => crop.to_crop(side),
        };
        let mut found = self.look(photo, &crops.iter().map(map).collect::<Vec<_>>())?;
        if mirrored {
            for aligned in found.iter_mut().flatten() {
                aligned.landmarks = self.scheme().mirrored(&aligned.landmarks)?;
                if let Some(scores) = &mut aligned.scores {
                    *scores = self.scheme().mirrored(scores)?;
                }
            }
        }
        Ok(found)
    }

    /// The landmarks, in pixels of the photo, of the faces that `maps` bring into crops.
    fn look(&self, photo: &RgbImage, maps: &[Affine]) -> Result<Vec<Option<Aligned>>> {
        let mut found = Vec::with_capacity(maps.len());
        for maps in maps.chunks(BATCH) {
            found.extend(self.look_once(photo, maps)?);
        }
        Ok(found)
    }

    fn look_once(&self, photo: &RgbImage, maps: &[Affine]) -> Result<Vec<Option<Aligned>>> {
        let side = self.settings.aligner.side;
        let fill = self.settings.input.mean_rgb();
        let crop = |map| imaging::warp(photo, map, [side; 2], fill);
        let crops = parallel::map(maps.iter().collect(), crop);
        let crops: Vec<RgbImage> = crops.into_iter().collect::<Result<_>>()?;
        let (unit, config) = (self.coder.variances[0], self.settings.aligner.confidence);
        let aligned = |(raw, map): (RawLandmarks, &Affine)| {
            let landmarks = self.decode(&raw.deltas, map)?;
            let scores = raw.log_scales;
            let scores =
                scores.map(|own| own.iter().map(|&s| confidence(s, unit, config)).collect());
            let pose = raw.pose.map(HeadPose::from);
            Some(Aligned {
                landmarks,
                scores,
                pose: pose.and_then(|pose| Some(pose.through(&map.inverse()?))),
            })
        };
        Ok(self
            .network
            .run(&crops)?
            .into_iter()
            .zip(maps)
            .map(aligned)
            .collect())
    }

    fn decode(&self, deltas: &[f32], map: &Affine) -> Option<Vec<Point>> {
        let (back, anchor) = (map.inverse()?, self.settings.aligner.anchor_cxcywh());
        let deltas = deltas.as_chunks::<2>().0.iter();
        let point = |&delta: &Point| back.apply(self.coder.decode_point(anchor, delta));
        let points: Vec<Point> = deltas.map(point).collect();
        let finite = points.iter().flatten().all(|v| v.is_finite());
        finite.then_some(points)
    }
}

/// The probability that a point whose errors have this scale, in deltas of `unit` longer sides of the
/// face, is [`CLOSE`]: a logistic function of the scale's logarithm, as of errors that are log-logistic.
fn confidence(log_scale: f32, unit: f32, config: ConfidenceConfig) -> f32 {
    let odds = -config.slope * (log_scale + (unit / config.half_at).ln());
    1.0 / (1.0 + (-odds).exp())
}

/// The mean of two looks at a face.
fn mean(own: &Aligned, other: &Aligned) -> Aligned {
    let middle = |(a, b): (&Point, &Point)| [(a[0] + b[0]) * 0.5, (a[1] + b[1]) * 0.5];
    let scores = own.scores.as_ref().zip(other.scores.as_ref());
    Aligned {
        landmarks: own
            .landmarks
            .iter()
            .zip(&other.landmarks)
            .map(middle)
            .collect(),
        scores: scores
            .map(|(own, other)| own.iter().zip(other).map(|(a, b)| (a + b) * 0.5).collect()),
        pose: own.pose.zip(other.pose).map(|(a, b)| a.mean(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_a_half_where_the_settings_say_so() {
        let config = ConfidenceConfig {
            half_at: 0.04,
            slope: 2.0,
        };
        // 1 / (1 + (scale / 0.4)^2), the scale in deltas of a tenth.
        for (scale, chance) in [(0.4f32, 0.5), (0.2, 0.8), (1.2, 0.1)] {
            let found = confidence(scale.ln(), 0.1, config);
            assert!((found - chance).abs() < 1e-5, "{found} at {scale}");
        }
        assert_eq!(confidence(f32::NEG_INFINITY, 0.1, config), 1.0);
        assert_eq!(confidence(90.0, 0.1, config), 0.0);
    }
}
