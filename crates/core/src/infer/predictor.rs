//! Both looks in one.

use std::path::Path;

use image::RgbImage;

use super::detector::Detector;
use super::network::{FirstLook, SecondLook};
use super::refiner::Refiner;
use super::{AlignOptions, Clock, DetectOptions, Prepared, Stage, executor, twins};
use crate::error::{Error, Result, bail, ensure};
use crate::geometry::{BoxXyxy, Face, FaceCrop, Scheme};
use crate::settings::Settings;
use crate::weights::Networks;

/// Finds faces in photos (the detector) and looks again at each (the aligner); one of the two may
/// be missing. One predictor may be used from many threads at once.
#[derive(Debug)]
pub struct Predictor {
    detector: Option<Detector>,
    refiner: Option<Refiner>,
    settings: Settings,
    scheme: Scheme,
    clock: Clock,
}

/// A detector's network and what configures it.
pub type First<'a> = (Box<dyn FirstLook>, &'a Settings);

/// An aligner's network and what configures it.
pub type Second<'a> = (Box<dyn SecondLook>, &'a Settings);

impl Predictor {
    /// From the bytes of a weights file, on the executor.
    ///
    /// # Errors
    /// When they are none of ours, cut off, or the tensors do not fit the configuration.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::of_networks(&Networks::parse(bytes)?)
    }

    /// From a weights file, on the executor.
    ///
    /// # Errors
    /// As [`Predictor::from_bytes`], with the file's name.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// From the networks of a file, on the executor.
    ///
    /// # Errors
    /// When tensors do not fit, or the networks' landmarks differ.
    pub fn of_networks(networks: &Networks) -> Result<Self> {
        let (mut first, mut second): (Option<First<'_>>, Option<Second<'_>>) = (None, None);
        if let Some(own) = &networks.detector {
            let network = executor::Detector::new(&own.settings, &own.weights)?;
            first = Some((Box::new(network), &own.settings));
        }
        if let Some(own) = &networks.aligner {
            let network = executor::Aligner::new(&own.settings, &own.weights)?;
            second = Some((Box::new(network), &own.settings));
        }
        Self::of_looks(first, second)
    }

    /// From networks and what configures each; one of the two may be missing.
    ///
    /// # Errors
    /// When both are, a setting is impossible, or the networks' landmarks differ.
    pub fn of_looks(first: Option<First<'_>>, second: Option<Second<'_>>) -> Result<Self> {
        match (first, second) {
            (Some((first, own)), None) => Self::new(first, own),
            (Some((first, own)), Some((second, other))) => {
                Self::new(first, own)?.with_aligner(second, other)
            }
            (None, Some((second, own))) => Self::of_aligner(second, own),
            (None, None) => bail!(Weights, "there is no network"),
        }
    }

    /// From an ONNX file of an SCRFD detector, which gives five landmarks.
    ///
    /// # Errors
    /// When it is something else.
    #[cfg(feature = "onnx")]
    pub fn from_onnx(bytes: &[u8]) -> Result<Self> {
        let detector = super::scrfd::Scrfd::new(bytes)?;
        let settings = detector.settings().clone();
        Self::new(Box::new(detector), &settings)
    }

    /// From a detector's network: one look.
    ///
    /// # Errors
    /// When the landmark scheme or strides are impossible.
    pub fn new(network: Box<dyn FirstLook>, settings: &Settings) -> Result<Self> {
        Ok(Self {
            detector: Some(Detector::new(network, settings)?),
            refiner: None,
            scheme: settings.landmarks.scheme()?,
            settings: settings.clone(),
            clock: Clock::default(),
        })
    }

    /// From an aligner's network alone, which has to be told where the faces are.
    ///
    /// # Errors
    /// When the landmark scheme is impossible.
    pub fn of_aligner(network: Box<dyn SecondLook>, settings: &Settings) -> Result<Self> {
        Ok(Self {
            detector: None,
            refiner: Some(Refiner::new(network, settings)?),
            scheme: settings.landmarks.scheme()?,
            settings: settings.clone(),
            clock: Clock::default(),
        })
    }

    /// The same with a second look.
    ///
    /// # Errors
    /// When it has other landmarks.
    pub fn with_aligner(self, network: Box<dyn SecondLook>, settings: &Settings) -> Result<Self> {
        let refiner = Refiner::new(network, settings)?;
        ensure!(
            *refiner.scheme() == self.scheme,
            Settings,
            "the aligner gives {} landmarks ({}), the detector {} ({})",
            refiner.scheme().len(),
            refiner.scheme().name(),
            self.scheme.len(),
            self.scheme.name()
        );
        Ok(Self {
            refiner: Some(refiner),
            ..self
        })
    }

    /// The same without the second look.
    #[must_use]
    pub fn one_pass(self) -> Self {
        Self {
            refiner: None,
            ..self
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
        let second = self.refiner.as_ref();
        second.is_some_and(|refiner| refiner.settings().aligner.pose)
    }

    /// How it looks again at faces; `None` when it does not.
    pub fn align_options(&self) -> Option<&AlignOptions> {
        self.refiner.as_ref().map(|refiner| &refiner.options)
    }

    /// The same for changing it.
    pub fn align_options_mut(&mut self) -> Option<&mut AlignOptions> {
        self.refiner.as_mut().map(|refiner| &mut refiner.options)
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

    /// The second part of [`Predictor::detect`]: faces with coarse landmarks, in one pass.
    ///
    /// # Errors
    /// When there is no detector, or the device fails.
    pub fn detect_prepared(&self, input: Prepared, options: &DetectOptions) -> Result<Vec<Face>> {
        self.detector()?.run(input, options, &self.clock)
    }

    /// The last part of [`Predictor::detect`]: `faces` of `photo` with better landmarks, if there
    /// is an aligner. Of faces whose landmarks coincide then, only the best one stays.
    ///
    /// # Errors
    /// When the device fails.
    pub fn look_again(&self, photo: &RgbImage, mut faces: Vec<Face>) -> Result<Vec<Face>> {
        if let Some(refiner) = &self.refiner {
            self.clock.time(Stage::SecondLook, || -> Result<()> {
                refiner.refine(photo, &mut faces)?;
                twins::remove(&mut faces);
                Ok(())
            })?;
        }
        Ok(faces)
    }

    /// Landmarks of faces whose bounds are known: one face for each of `boxes`, with a score of
    /// 1; `None` where a box has no size.
    ///
    /// # Errors
    /// When there is no aligner, or the device fails.
    pub fn align(&self, photo: &RgbImage, boxes: &[BoxXyxy]) -> Result<Vec<Option<Face>>> {
        let refiner = self.second_look()?;
        let context = refiner.settings().aligner.context;
        let crops: Vec<Option<FaceCrop>> = boxes
            .iter()
            .map(|&b| FaceCrop::of_box(b, context))
            .collect();
        let found = refiner.align(photo, crops.iter().flatten().copied().collect())?;
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

    /// The network alone, on images of its input size: the detector's, if there is one. For
    /// measuring.
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, images: &[RgbImage]) -> Result<()> {
        match (&self.detector, &self.refiner) {
            (Some(detector), _) => detector.forward(images),
            (None, Some(refiner)) => refiner.forward(images),
            (None, None) => Ok(()),
        }
    }

    pub(super) fn second_look(&self) -> Result<&Refiner> {
        let refiner = self.refiner.as_ref();
        let text = "these weights hold no aligner; add one with --aligner";
        refiner.ok_or_else(|| Error::Weights(text.to_owned()))
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
