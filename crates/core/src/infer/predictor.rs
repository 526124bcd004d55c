//! Both looks in one.

mod build;

use image::RgbImage;

use super::cascade::Cascade;
use super::detector::Detector;
use super::network::{FirstLook, SecondLook};
use super::{AlignOptions, Around, Clock, DetectOptions, Prepared, Stage, turned, twins};
use crate::error::{Error, Result};
use crate::geometry::{BoxXyxy, Face, FaceCrop, Landmarks, Point, Scheme};
use crate::settings::{AlignerConfig, Settings};

/// Finds faces in photos (the detector) and looks again at each (one aligner, or several that each
/// see what the one before has found); one of the two may be missing. One predictor may be used
/// from many threads at once.
#[derive(Debug)]
pub struct Predictor {
    detector: Option<Detector>,
    aligners: Option<Cascade>,
    settings: Settings,
    scheme: Scheme,
    clock: Clock,
}

/// A detector's network and what configures it.
pub type First<'a> = (Box<dyn FirstLook>, &'a Settings);

/// An aligner's network and what configures it.
pub type Second<'a> = (Box<dyn SecondLook>, &'a Settings);

impl Predictor {
    /// The same without the second look.
    #[must_use]
    pub fn one_pass(self) -> Self {
        Self {
            scheme: self.coarse_scheme().clone(),
            aligners: None,
            ..self
        }
    }

    /// The landmarks that the first look gives, or the aligners where there is no first look.
    pub const fn coarse_scheme(&self) -> &Scheme {
        match &self.detector {
            Some(detector) => detector.scheme(),
            None => &self.scheme,
        }
    }

    /// The landmarks that faces get.
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// What came with the weights: of the detector, if there is one.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it finds faces by itself.
    pub const fn finds_faces(&self) -> bool {
        self.detector.is_some()
    }

    /// Whether faces that are looked at again come with the turn of the head.
    pub fn tells_pose(&self) -> bool {
        self.last_aligner().is_some_and(|aligner| aligner.pose)
    }

    /// Whether faces that are looked at again come with confidences of their landmarks.
    pub fn tells_confidence(&self) -> bool {
        self.last_aligner()
            .is_some_and(|aligner| aligner.uncertainty)
    }

    /// Whether it looks again at faces.
    pub const fn looks_again(&self) -> bool {
        self.aligners.is_some()
    }

    /// How each of its aligners looks, in order.
    pub fn align_options(&self) -> impl Iterator<Item = &AlignOptions> {
        self.aligners.iter().flat_map(Cascade::options)
    }

    /// The same for changing it.
    pub fn align_options_mut(&mut self) -> impl Iterator<Item = &mut AlignOptions> {
        self.aligners.iter_mut().flat_map(Cascade::options_mut)
    }

    /// Tells where the time of detections goes; it stands still unless another one is set.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Have detections timed by `clock`.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// The faces of an upright photo, best first, in its pixels. Boxes end at the photo's edges;
    /// landmarks may lie outside.
    ///
    /// # Errors
    /// When the photo has no pixels, there is no detector, or the device fails.
    pub fn detect(&self, photo: &RgbImage, options: &DetectOptions) -> Result<Vec<Face>> {
        let faces = self.detect_prepared(self.prepare(photo, options)?, options)?;
        let faces = self.look_closer(photo, faces, options)?;
        self.look_again(photo, faces)
    }

    /// Pixels of the detector's inputs, of all sizes together, for a photo of these width and
    /// height.
    ///
    /// # Errors
    /// When there is no detector.
    pub fn input_pixels(&self, photo: [u32; 2], options: &DetectOptions) -> Result<u64> {
        Ok(self.detector()?.input_pixels(photo, options))
    }

    /// The first part of [`Predictor::detect`]: what the detector needs of the photo, so that a
    /// large photo that is not looked at again can be let go before the second part.
    ///
    /// # Errors
    /// When the photo has no pixels, or there is no detector.
    pub fn prepare(&self, photo: &RgbImage, options: &DetectOptions) -> Result<Prepared> {
        let detector = self.detector()?;
        self.clock
            .time(Stage::Letterbox, || detector.prepare(photo, options))
    }

    /// The second part of [`Predictor::detect`]: faces with coarse landmarks, in one pass; with
    /// [`InputSize::Auto`](super::InputSize::Auto) mere hints of faces too, which the third part needs.
    ///
    /// # Errors
    /// When there is no detector, or the device fails.
    pub fn detect_prepared(&self, input: Prepared, options: &DetectOptions) -> Result<Vec<Face>> {
        self.detector()?.run(input, options, &self.clock)
    }

    /// The third part of [`Predictor::detect`]: with [`InputSize::Auto`](super::InputSize::Auto) the
    /// `faces` of the first look, and those of the looks that they are worth; with
    /// [`DetectOptions::any_angle`] those of the photo's turned copies besides. Otherwise `faces` as
    /// they are.
    ///
    /// # Errors
    /// When there is no detector, or the device fails.
    pub fn look_closer(
        &self,
        photo: &RgbImage,
        faces: Vec<Face>,
        options: &DetectOptions,
    ) -> Result<Vec<Face>> {
        let detector = self.detector()?;
        let faces = detector.look_closer(photo, faces, options, &self.clock)?;
        detector.look_aside(photo, faces, options, &self.clock)
    }

    /// The last part of [`Predictor::detect`]: `faces` of `photo` with better landmarks, if there
    /// is an aligner. Faces whose landmarks are not to be trusted then are
    /// looked at every way round. Of faces whose landmarks coincide, only the best one stays.
    ///
    /// # Errors
    /// When the device fails.
    pub fn look_again(&self, photo: &RgbImage, mut faces: Vec<Face>) -> Result<Vec<Face>> {
        if let Some(aligners) = &self.aligners {
            self.clock.time(Stage::SecondLook, || -> Result<()> {
                aligners.refine(photo, &mut faces, self.coarse_scheme())?;
                turned::settle(aligners, photo, &mut faces)?;
                twins::remove(&mut faces);
                Ok(())
            })?;
        }
        Ok(faces)
    }

    /// Landmarks of faces whose bounds are known: one face for each of `boxes`, with a score of 1;
    /// `None` where a box has no size.
    ///
    /// # Errors
    /// When there is no aligner, or the device fails.
    pub fn align(
        &self,
        photo: &RgbImage,
        boxes: &[BoxXyxy],
        around: Around,
    ) -> Result<Vec<Option<Face>>> {
        let aligners = self.second_look()?;
        let crops = boxes.iter().map(|&b| aligners.crop_of_box(b, around));
        let crops: Vec<Option<FaceCrop>> = crops.collect();
        let found = aligners.align(photo, crops.iter().flatten().copied().collect())?;
        let mut found = found.into_iter();
        let face = |(&box_xyxy, crop): (&BoxXyxy, Option<FaceCrop>)| {
            let aligned = crop.and_then(|_| found.next().flatten())?;
            Some(Face {
                box_xyxy,
                score: 1.0,
                landmarks: aligned.landmarks,
                landmark_scores: aligned.scores,
                pose: aligned.pose,
            })
        };
        Ok(boxes.iter().zip(crops).map(face).collect())
    }

    /// The network alone, on images of its input size: the detector's, if there is one, else the
    /// first aligner's. For measuring.
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, images: &[RgbImage]) -> Result<()> {
        match (&self.detector, &self.aligners) {
            (Some(detector), _) => detector.forward(images),
            (None, Some(aligners)) => aligners.first().forward(images),
            (None, None) => Ok(()),
        }
    }

    /// The crop in which the first aligner looks for a face whose labelled `landmarks`, of `scheme`,
    /// are known; `None` when they say too little.
    ///
    /// # Errors
    /// When there is no aligner.
    pub fn first_crop(&self, landmarks: &Landmarks, scheme: &Scheme) -> Result<Option<FaceCrop>> {
        let first = self.second_look()?.first();
        Ok(first.framing().around(landmarks, scheme))
    }

    /// The landmarks, of the last aligner's scheme, of the face in one of the first one's crops;
    /// `None` where an aligner finds none that the next one could look around.
    ///
    /// # Errors
    /// When there is no aligner, or the device fails.
    pub fn align_in(&self, photo: &RgbImage, crop: FaceCrop) -> Result<Option<Vec<Point>>> {
        let mut found = self.second_look()?.align(photo, vec![crop])?;
        Ok(found.pop().flatten().map(|aligned| aligned.landmarks))
    }

    fn last_aligner(&self) -> Option<&AlignerConfig> {
        let second = self.aligners.as_ref();
        second.map(|aligners| &aligners.last().settings().aligner)
    }

    pub(super) fn second_look(&self) -> Result<&Cascade> {
        let aligners = self.aligners.as_ref();
        let text = "these weights hold no aligner; add one with --aligner";
        aligners.ok_or_else(|| Error::Weights(text.to_owned()))
    }

    fn detector(&self) -> Result<&Detector> {
        let text = "these weights hold an aligner only, which cannot find faces; give those of a \
                    detector, and these as --aligner";
        let detector = self.detector.as_ref();
        detector.ok_or_else(|| Error::Weights(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predictor_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Predictor>();
    }
}
