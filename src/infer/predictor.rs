//! Both looks, with all that is known of their weights.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use retinamark_core::calibrate;
use retinamark_core::graph::Weights;
use retinamark_core::infer::{self as core, FirstLook, SecondLook};

use super::{Compute, burn};
use crate::config::Config;
use crate::model::weights::{Networks, is_onnx};
use crate::model::{Aligner, Network, RetinaFace};

/// [`core::Predictor`] with the whole configurations that came with its weights.
#[derive(Debug)]
pub struct Predictor {
    looks: core::Predictor,
    config: Config,
    aligner_configs: Vec<Config>,
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
        Self::load_with(path, &[], compute)
    }

    /// From a weights file and others with aligners to use ([`Networks::load_with`]). An ONNX file of
    /// an SCRFD detector will do too; aligners find their crops by its five landmarks.
    ///
    /// # Errors
    /// Names the file that cannot be read, is not one of ours, or has no aligner.
    pub fn load_with(
        path: &Path,
        aligners: &[PathBuf],
        compute: impl Into<Compute>,
    ) -> Result<Self> {
        let compute = compute.into();
        if is_onnx(path) {
            return Self::of_onnx(path, aligners, &compute);
        }
        let networks = Networks::load_with(path, aligners)?;
        Self::of_networks(&networks, compute).with_context(|| format!("in {}", path.display()))
    }

    fn of_onnx(path: &Path, aligners: &[PathBuf], compute: &Compute) -> Result<Self> {
        let about = || format!("cannot load detector {}", path.display());
        let bytes = std::fs::read(path).with_context(about)?;
        let looks = core::Predictor::from_onnx(&bytes).with_context(about)?;
        let mut own = Self {
            config: Config::of_settings(looks.settings()),
            looks,
            aligner_configs: Vec::new(),
        };
        if !aligners.is_empty() {
            let networks = Networks::load_aligners(aligners)?;
            networks.check_first()?;
            for (config, network) in second_of(&networks, compute)? {
                own = own.then(network, &config)?;
            }
        }
        Ok(own)
    }

    /// From the networks of a file.
    ///
    /// # Errors
    /// When their configs are impossible, the order of aligners is or one is missing, or burn is to
    /// compute in bytes.
    pub fn of_networks(networks: &Networks, compute: impl Into<Compute>) -> Result<Self> {
        let compute = compute.into();
        networks.check_first()?;
        let config = networks.header.config.clone();
        let settings = config.settings();
        let first = first_of(networks, &compute)?.map(|network| (network, &settings));
        let (aligner_configs, further): (Vec<Config>, Vec<_>) =
            second_of(networks, &compute)?.into_iter().unzip();
        let own: Vec<_> = aligner_configs.iter().map(Config::settings).collect();
        let further = further.into_iter().zip(&own).collect();
        let looks = core::Predictor::of_looks(first, further)?;
        Ok(Self {
            looks,
            config,
            aligner_configs,
        })
    }

    /// From a detector and the config it was built with: one look.
    ///
    /// # Errors
    /// When the config's landmark scheme or strides are impossible.
    pub fn new(model: RetinaFace, config: &Config, compute: impl Into<Compute>) -> Result<Self> {
        let network = first_look(model, config, &compute.into())?;
        Ok(Self {
            looks: core::Predictor::new(network, &config.settings())?,
            config: config.clone(),
            aligner_configs: Vec::new(),
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
            aligner_configs: vec![config.clone()],
        })
    }

    /// The same with a look more, by `model`.
    ///
    /// # Errors
    /// As [`core::Predictor::with_aligner`].
    pub fn with_aligner(
        self,
        model: Aligner,
        config: &Config,
        compute: impl Into<Compute>,
    ) -> Result<Self> {
        self.then(second_look(model, config, &compute.into())?, config)
    }

    fn then(self, network: Box<dyn SecondLook>, config: &Config) -> Result<Self> {
        let mut aligner_configs = self.aligner_configs;
        aligner_configs.push(config.clone());
        Ok(Self {
            looks: self.looks.with_aligner(network, &config.settings())?,
            aligner_configs,
            ..self
        })
    }

    /// The same without the second look.
    #[must_use]
    pub fn one_pass(self) -> Self {
        Self {
            looks: self.looks.one_pass(),
            aligner_configs: Vec::new(),
            ..self
        }
    }

    /// The config that came with the weights: of the detector, if there is one.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The configs that came with the aligners' weights, in the order in which they look.
    pub fn aligner_configs(&self) -> &[Config] {
        &self.aligner_configs
    }
}

/// The detector of a file: the executor reads its tensors as they are.
fn first_of(networks: &Networks, compute: &Compute) -> Result<Option<Box<dyn FirstLook>>> {
    let config = &networks.header.config;
    if let (true, Some(weights)) = (compute.executor, &networks.detector) {
        let network = core::Detector::new(&config.settings(), weights)?;
        return Ok(Some(Box::new(network)));
    }
    let model = networks.detector_on(&compute.device)?;
    model
        .map(|model| first_look(model, config, compute))
        .transpose()
}

/// The same of its aligners, with what configures each.
fn second_of(networks: &Networks, compute: &Compute) -> Result<Vec<(Config, Box<dyn SecondLook>)>> {
    if !compute.executor {
        let models = networks.aligners_on(&compute.device)?.into_iter();
        let all = models.map(|(config, model)| {
            let network = second_look(model, &config, compute)?;
            Ok((config, network))
        });
        return all.collect();
    }
    let all = networks.header.aligners().into_iter();
    let all = all.zip(&networks.aligners).map(|((config, _), weights)| {
        let network = core::Aligner::new(&config.settings(), weights)?;
        let network: Box<dyn SecondLook> = Box::new(network);
        Ok((config.clone(), network))
    });
    all.collect()
}

/// The tensors that the executor computes with: of a network that trains in 8 bits, in bytes.
fn executed<N: Network>(model: &N, config: &Config) -> Result<Weights> {
    let weights = model.weights()?;
    if !weights.has_ranges() {
        return Ok(weights);
    }
    let program = N::program(&config.settings())?;
    Ok(calibrate::of_ranges(&program, &weights)?)
}

fn first_look(model: RetinaFace, config: &Config, compute: &Compute) -> Result<Box<dyn FirstLook>> {
    Ok(if compute.executor {
        let weights = executed(&model, config)?;
        Box::new(core::Detector::new(&config.settings(), &weights)?)
    } else {
        Box::new(burn::Detector::new(model, &config.input, &compute.device)?)
    })
}

fn second_look(model: Aligner, config: &Config, compute: &Compute) -> Result<Box<dyn SecondLook>> {
    Ok(if compute.executor {
        let weights = executed(&model, config)?;
        Box::new(core::Aligner::new(&config.settings(), &weights)?)
    } else {
        Box::new(burn::Aligner::new(model, &config.input, &compute.device)?)
    })
}
