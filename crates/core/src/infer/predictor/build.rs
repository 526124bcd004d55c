//! Predictors of files and networks.

use std::path::Path;

use super::{First, Predictor, Second};
use crate::error::{Error, Result, bail};
use crate::infer::cascade::Cascade;
use crate::infer::detector::Detector;
use crate::infer::network::{FirstLook, SecondLook};
use crate::infer::refiner::Refiner;
use crate::infer::{Clock, executor};
use crate::settings::Settings;
use crate::weights::Networks;

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
    /// When tensors do not fit, or the order of aligners is impossible.
    pub fn of_networks(networks: &Networks) -> Result<Self> {
        let mut first: Option<First<'_>> = None;
        if let Some(own) = &networks.detector {
            let network = executor::Detector::new(&own.settings, &own.weights)?;
            first = Some((Box::new(network), &own.settings));
        }
        let mut further: Vec<Second<'_>> = Vec::new();
        for own in &networks.aligners {
            let network = executor::Aligner::new(&own.settings, &own.weights)?;
            further.push((Box::new(network), &own.settings));
        }
        Self::of_looks(first, further)
    }

    /// From networks and what configures each: a detector, and aligners in the order in which they
    /// look; either may be missing.
    ///
    /// # Errors
    /// When both are, a setting is impossible, or the order of aligners is.
    pub fn of_looks(first: Option<First<'_>>, further: Vec<Second<'_>>) -> Result<Self> {
        let mut further = further.into_iter();
        let own = match first {
            Some((network, settings)) => Self::new(network, settings)?,
            None => match further.next() {
                Some((network, settings)) => Self::of_aligner(network, settings)?,
                None => bail!(Weights, "there is no network"),
            },
        };
        further.try_fold(own, |own, (network, settings)| {
            own.with_aligner(network, settings)
        })
    }

    /// From an ONNX file of an SCRFD detector, which gives five landmarks.
    ///
    /// # Errors
    /// When it is something else.
    #[cfg(feature = "onnx")]
    pub fn from_onnx(bytes: &[u8]) -> Result<Self> {
        let detector = crate::infer::scrfd::Scrfd::new(bytes)?;
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
            aligners: None,
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
            aligners: Some(Cascade::new(Refiner::new(network, settings)?)),
            scheme: settings.landmarks.scheme()?,
            settings: settings.clone(),
            clock: Clock::default(),
        })
    }

    /// The same with one look more at each face, after those that there are. Faces get its
    /// landmarks; it may have others than the network before it.
    ///
    /// # Errors
    /// When it has fewer landmarks than an aligner before it, or the landmarks before it do not say
    /// where eyes, nose and mouth corners are.
    pub fn with_aligner(self, network: Box<dyn SecondLook>, settings: &Settings) -> Result<Self> {
        let next = Refiner::new(network, settings)?;
        let scheme = next.scheme().clone();
        let aligners = match self.aligners {
            Some(before) => before.then(next)?,
            None => {
                next.framing().check_after(&self.scheme)?;
                Cascade::new(next)
            }
        };
        Ok(Self {
            aligners: Some(aligners),
            scheme,
            ..self
        })
    }
}
