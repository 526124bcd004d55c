//! The networks of a weights file, as their tensors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use retinamark_core::graph::{BYTE_FIELDS, Kind, Tensor, TensorSpec, Weights, range_of};
use retinamark_core::net::Init;
use retinamark_core::weights::METADATA_KEY;

use super::header::{Header, Part};
use super::{fit, read};
use crate::config::{Config, InitConfig, Task};
use crate::model::{Aligner, Network, RetinaFace, tensors};

/// Size of images that names and shapes of all tensors can be told at: any would do.
pub(super) const ANY_SIZE: [usize; 2] = [64, 64];

/// The networks of a file; at least one.
#[derive(Clone, Debug)]
pub struct Networks {
    /// What the file says.
    pub header: Header,
    /// The detector.
    pub detector: Option<Weights>,
    /// The aligner.
    pub aligner: Option<Weights>,
}

impl Networks {
    /// The network of `config`'s task, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When `config` holds an impossible setting: names its key.
    pub fn new(config: Config, device: &Device) -> Result<Self> {
        let (detector, aligner) = match config.task {
            Task::Detect => (Some(RetinaFace::new(&config, device)?.weights()?), None),
            Task::Align => (None, Some(Aligner::new(&config, device)?.weights()?)),
        };
        let notes = BTreeMap::new();
        Ok(Self {
            header: Header::new(Part { config, notes }, None),
            detector,
            aligner,
        })
    }

    /// Read all networks of a file that this program wrote.
    ///
    /// # Errors
    /// Names `path`: not there, not a safetensors file of this program, truncated, written by a newer
    /// version, or tensors that do not fit its configuration.
    pub fn load(path: &Path) -> Result<Self> {
        read::safetensors(path)
            .and_then(Self::of_file)
            .with_context(|| format!("cannot load weights {}", path.display()))
    }

    /// [`Networks::load`] of a file in memory.
    ///
    /// # Errors
    /// As there, without a path.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::of_file(read::parse(bytes)?)
    }

    fn of_file(file: read::Contents) -> Result<Self> {
        let header = file.header.clone().with_context(|| {
            format!(
                "a safetensors file, but not one of retinamark (no {METADATA_KEY:?} in its \
                 metadata); other files go under init.weights"
            )
        })?;
        let (own, beside) = file.split();
        let (mut detector, mut aligner) = (None, None);
        match header.config.task {
            Task::Detect => detector = Some(checked::<RetinaFace>(&header.config, own)?),
            Task::Align => aligner = Some(checked::<Aligner>(&header.config, own)?),
        }
        if let (Some(part), Some(tensors)) = (&header.aligner, beside) {
            aligner = Some(checked::<Aligner>(&part.config, tensors)?);
        }
        Ok(Self {
            header,
            detector,
            aligner,
        })
    }

    /// The same with the aligner of `other`, instead of its own if it has one.
    ///
    /// # Errors
    /// When this has no detector or `other` no aligner.
    pub fn with_aligner_of(self, other: Self) -> Result<Self> {
        let config = other.header.aligner_config().cloned();
        let (Some(config), Some(aligner)) = (config, other.aligner) else {
            bail!("it holds no aligner");
        };
        ensure!(
            self.detector.is_some(),
            "the first file holds no detector for it"
        );
        let notes = match other.header.aligner {
            Some(part) => part.notes,
            None => other.header.notes,
        };
        Ok(Self {
            header: Header {
                aligner: Some(Part { config, notes }),
                ..self.header
            },
            detector: self.detector,
            aligner: Some(aligner),
        })
    }

    /// The detector on burn's tensors, if there is one.
    ///
    /// # Errors
    /// When its convolutions are in bytes.
    pub fn detector_on(&self, device: &Device) -> Result<Option<RetinaFace>> {
        let weights = self.detector.as_ref();
        weights
            .map(|weights| build(&self.header.config, weights, device))
            .transpose()
    }

    /// The aligner on burn's tensors, if there is one.
    ///
    /// # Errors
    /// When its convolutions are in bytes.
    pub fn aligner_on(&self, device: &Device) -> Result<Option<Aligner>> {
        let pair = self.header.aligner_config().zip(self.aligner.as_ref());
        pair.map(|(config, weights)| build(config, weights, device))
            .transpose()
    }
}

/// The tensors of the network that `config` describes: all, and no others.
fn checked<N: Network>(config: &Config, found: read::Tensors) -> Result<Weights> {
    let graph = N::described(config, ANY_SIZE)?;
    let fields = BYTE_FIELDS.map(|field| format!(".{field}"));
    let in_bytes = found
        .keys()
        .filter_map(|name| fields.iter().find_map(|field| name.strip_suffix(field)));
    let in_bytes: BTreeSet<&str> = in_bytes.collect();
    let mut specs = graph.tensors_in_bytes(|name| in_bytes.contains(name));
    // What training in 8 bits has left belongs to a convolution.
    let of_conv = |name: &&String| {
        let conv = range_of(name);
        conv.is_some_and(|conv| graph.nodes().iter().any(|node| node.name == conv))
    };
    specs.extend(found.keys().filter(of_conv).map(|name| TensorSpec {
        name: name.clone(),
        shape: vec![2],
        kind: Kind::Statistic,
        init: Init::Constant(0.0),
    }));
    let fitting = fit::fit(specs, found, &InitConfig::default())
        .context("the tensors do not fit the configuration in the same file")?;
    let mut weights = Weights::default();
    for (name, data) in fitting {
        let values: Vec<f32> = data.iter::<f32>().collect();
        let tensor = Tensor::new(data.shape().to_vec(), values)?;
        weights.0.insert(name, tensor);
    }
    Ok(weights)
}

fn build<N: Network>(config: &Config, weights: &Weights, device: &Device) -> Result<N> {
    ensure!(
        !weights.has_bytes(),
        "its networks are in 8 bits, which only the executor computes (--device flex): use the file \
         that it was packed from"
    );
    tensors::assign_weights(N::new(config, device)?, weights)
}
