//! Both looks, with all that is known of their weights.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use retinamark_core::infer::{self as core, FirstLook, SecondLook};

use super::{Compute, burn};
use crate::config::Config;
use crate::model::weights::{self, Networks};
use crate::model::{Aligner, Network, RetinaFace};

/// [`core::Predictor`] with the whole configurations that came with its weights.
#[derive(Debug)]
pub struct Predictor {
    looks: core::Predictor,
    config: Config,
    aligner_config: Option<Config>,
}

impl Deref for Predictor {
    type Target = core::Predictor;

    fn deref(&self) -> &core::Predictor {
        &self.looks
    }
}

impl DerefMut for Predictor {
    fn deref_mut(&mut self) -> &mut core::Predictor {
        &mut self.looks
    }
}

impl Predictor {
    /// From a weights file, which also holds its config.
    ///
    /// # Errors
    /// Names the file when it cannot be read or is not one of ours.
    pub fn load(path: &Path, compute: impl Into<Compute>) -> Result<Self> {
        Self::load_pair(path, None, compute)
    }

    /// From a weights file and, if one is given, another one with the aligner to use. An ONNX file
    /// of an SCRFD detector will do too; it has no aligner.
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

    fn of_onnx(path: &Path) -> Result<Self> {
        let about = || format!("cannot load detector {}", path.display());
        let bytes = std::fs::read(path).with_context(about)?;
        let looks = core::Predictor::from_onnx(&bytes).with_context(about)?;
        Ok(Self {
            config: Config::of_settings(looks.settings()),
            looks,
            aligner_config: None,
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
        let (compute, settings) = (compute.into(), config.settings());
        let network: Box<dyn FirstLook> = if compute.executor {
            Box::new(core::Detector::new(&settings, &model.weights()?)?)
        } else {
            Box::new(burn::Detector::new(model, &config.input, &compute.device)?)
        };
        Ok(Self {
            looks: core::Predictor::new(network, &settings)?,
            config: config.clone(),
            aligner_config: None,
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
        let network = second_look(model, config, &compute.into())?;
        Ok(Self {
            looks: core::Predictor::of_aligner(network, &config.settings())?,
            config: config.clone(),
            aligner_config: Some(config.clone()),
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
        let network = second_look(model, config, &compute.into())?;
        Ok(Self {
            looks: self.looks.with_aligner(network, &config.settings())?,
            aligner_config: Some(config.clone()),
            ..self
        })
    }

    /// The same without the second look.
    #[must_use]
    pub fn one_pass(self) -> Self {
        Self {
            looks: self.looks.one_pass(),
            aligner_config: None,
            ..self
        }
    }

    /// The config that came with the weights: of the detector, if there is one.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The config that came with the aligner's weights, if there is one.
    pub const fn aligner_config(&self) -> Option<&Config> {
        self.aligner_config.as_ref()
    }
}

fn second_look(model: Aligner, config: &Config, compute: &Compute) -> Result<Box<dyn SecondLook>> {
    Ok(if compute.executor {
        Box::new(core::Aligner::new(&config.settings(), &model.weights()?)?)
    } else {
        Box::new(burn::Aligner::new(model, &config.input, &compute.device)?)
    })
}

fn is_onnx(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}
