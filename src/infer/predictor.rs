//! Both looks in one.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use rayon::prelude::*;
use retinamark_core::infer::twins;

use super::detector::Detector;
use super::onnx::Scrfd;
use super::refiner::Refiner;
use super::{AlignOptions, Compute, DetectOptions, Prepared};
use crate::config::Config;
use crate::geometry::{BoxXyxy, Face, FaceCrop, Scheme};
use crate::model::weights::{self, Networks};
use crate::model::{Aligner, RetinaFace};

/// Finds faces in photos (the detector) and looks again at each (the aligner); one of the two may
/// be missing. One predictor may be used from many threads at once.
#[derive(Debug)]
pub struct Predictor {
    detector: Option<Detector>,
    refiner: Option<Refiner>,
    config: Config,
    scheme: Scheme,
}

impl Predictor {
    /// From a weights file, which also holds its config.
    ///
    /// # Errors
    /// Names the file when it cannot be read or is not one of ours.
    pub fn load(path: &Path, compute: impl Into<Compute>) -> Result<Self> {
        let compute = compute.into();
        let networks = weights::load_networks(path, &compute.device)?;
        Self::of_networks(networks, compute).with_context(|| format!("in {}", path.display()))
    }

    /// From a weights file and, if one is given, another one with the aligner to use.
    ///
    /// # Errors
    /// Names the file that cannot be read, is not one of ours, or has no aligner.
    pub fn load_pair(
        path: &Path,
        aligner: Option<&Path>,
        compute: impl Into<Compute>,
    ) -> Result<Self> {
        let compute = compute.into();
        if is_onnx(path) {
            ensure!(
                aligner.is_none(),
                "--aligner looks again at faces of our detectors, and {} is another's",
                path.display()
            );
            return Self::of_onnx(path);
        }
        let mut networks = weights::load_networks(path, &compute.device)?;
        if let Some(other) = aligner {
            networks = networks
                .with_aligner_of(weights::load_networks(other, &compute.device)?)
                .with_context(|| format!("--aligner {}", other.display()))?;
        }
        Self::of_networks(networks, compute).with_context(|| format!("in {}", path.display()))
    }

    /// From an ONNX file of an SCRFD detector, which gives five landmarks.
    ///
    /// # Errors
    /// Names the file when it cannot be read, or is something else.
    pub fn of_onnx(path: &Path) -> Result<Self> {
        let detector = std::fs::read(path)
            .map_err(anyhow::Error::from)
            .and_then(|bytes| Scrfd::new(&bytes))
            .with_context(|| format!("cannot load detector {}", path.display()))?;
        let config = detector.config().clone();
        Ok(Self {
            detector: Some(Detector::of(Box::new(detector), &config)?),
            refiner: None,
            scheme: config.landmarks.scheme()?,
            config,
        })
    }

    /// From the networks of a file.
    ///
    /// # Errors
    /// When their configs are impossible, or their landmarks differ.
    pub fn of_networks(networks: Networks, compute: impl Into<Compute>) -> Result<Self> {
        let compute = compute.into();
        let header = &networks.header;
        let aligner_config = header.aligner_config().cloned();
        let config = header.config.clone();
        let aligner = networks.aligner.zip(aligner_config);
        match (networks.detector, aligner) {
            (Some(detector), aligner) => {
                let own = Self::new(detector, &config, compute.clone())?;
                match aligner {
                    Some((aligner, config)) => own.with_aligner(aligner, &config, compute),
                    None => Ok(own),
                }
            }
            (None, Some((aligner, config))) => Self::of_aligner(aligner, &config, compute),
            (None, None) => anyhow::bail!("there is no network"),
        }
    }

    /// From a detector and the config it was built with: one look.
    ///
    /// # Errors
    /// When the config's landmark scheme or strides are impossible.
    pub fn new(model: RetinaFace, config: &Config, compute: impl Into<Compute>) -> Result<Self> {
        Ok(Self {
            detector: Some(Detector::new(model, config, &compute.into())?),
            refiner: None,
            scheme: config.landmarks.scheme()?,
            config: config.clone(),
        })
    }

    /// From an aligner alone, which has to be told where the faces are.
    ///
    /// # Errors
    /// When the config's landmark scheme is impossible.
    pub fn of_aligner(
        model: Aligner,
        config: &Config,
        compute: impl Into<Compute>,
    ) -> Result<Self> {
        Ok(Self {
            detector: None,
            refiner: Some(Refiner::new(model, config, &compute.into())?),
            scheme: config.landmarks.scheme()?,
            config: config.clone(),
        })
    }

    /// The same with a second look by `model`.
    ///
    /// # Errors
    /// When it has other landmarks.
    pub fn with_aligner(
        self,
        model: Aligner,
        config: &Config,
        compute: impl Into<Compute>,
    ) -> Result<Self> {
        let refiner = Refiner::new(model, config, &compute.into())?;
        ensure!(
            *refiner.scheme() == self.scheme,
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

    /// The config that came with the weights: of the detector, if there is one.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The config that came with the aligner's weights, if there is one.
    pub fn aligner_config(&self) -> Option<&Config> {
        self.refiner.as_ref().map(Refiner::config)
    }

    /// Whether it finds faces by itself.
    pub const fn finds_faces(&self) -> bool {
        self.detector.is_some()
    }

    /// How it looks again at faces; `None` when it does not.
    pub fn align_options(&self) -> Option<&AlignOptions> {
        self.refiner.as_ref().map(|refiner| &refiner.options)
    }

    /// The same for changing it.
    pub fn align_options_mut(&mut self) -> Option<&mut AlignOptions> {
        self.refiner.as_mut().map(|refiner| &mut refiner.options)
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

    /// The faces of each photo, in the order of `photos`; each as [`Predictor::detect`] alone
    /// would find them. Photos of the same shape share passes of the network, and passes run in
    /// parallel.
    ///
    /// # Errors
    /// As [`Predictor::detect`]; the first failure stops all.
    pub fn detect_batch(
        &self,
        photos: &[RgbImage],
        options: &DetectOptions,
    ) -> Result<Vec<Vec<Face>>> {
        let prepared = photos.par_iter().map(|photo| self.prepare(photo, options));
        let prepared: Vec<Prepared> = prepared.collect::<Result<_>>()?;
        let found = self.detector()?.run_all(prepared, options)?;
        let pairs = photos.par_iter().zip(found);
        pairs
            .map(|(photo, faces)| self.look_again(photo, faces))
            .collect()
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
        self.detector()?.prepare(photo, options)
    }

    /// The second part of [`Predictor::detect`]: faces with coarse landmarks, in one pass.
    ///
    /// # Errors
    /// When there is no detector, or the device fails.
    pub fn detect_prepared(&self, input: Prepared, options: &DetectOptions) -> Result<Vec<Face>> {
        let found = self.detector()?.run_all(vec![input], options)?.pop();
        Ok(found.unwrap_or_default())
    }

    /// The last part of [`Predictor::detect`]: `faces` of `photo` with better landmarks, if there
    /// is an aligner. Of faces whose landmarks coincide then, only the best one stays.
    ///
    /// # Errors
    /// When the device fails.
    pub fn look_again(&self, photo: &RgbImage, mut faces: Vec<Face>) -> Result<Vec<Face>> {
        if let Some(refiner) = &self.refiner {
            refiner.refine(photo, &mut faces)?;
            twins::remove(&mut faces);
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
        let context = refiner.config().aligner.context;
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
        refiner.context("these weights hold no aligner; add one with --aligner")
    }

    fn detector(&self) -> Result<&Detector> {
        self.detector.as_ref().context(
            "these weights hold an aligner only, which cannot find faces; give those of a \
             detector, and these as --aligner",
        )
    }
}

fn is_onnx(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
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
