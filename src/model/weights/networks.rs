//! The networks of a weights file, as their tensors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Device;
use retinamark_core::graph::{BYTE_FIELDS, Kind, Tensor, TensorSpec, Weights, range_of};
use retinamark_core::net::Init;
use retinamark_core::weights::METADATA_KEY;

use super::header::{Header, Part};
use super::{fit, read};
use crate::config::{Config, InitConfig, Task};
use crate::model::{Aligner, Network, RetinaFace, tensors, with_network};

/// Size of images that names and shapes of all tensors can be told at: any would do.
pub(super) const ANY_SIZE: [usize; 2] = [64, 64];

/// The networks of a file; at least one.
#[derive(Clone, Debug)]
pub struct Networks {
    /// What the file says.
    pub header: Header,
    /// The detector.
    pub detector: Option<Weights>,
    /// The aligners, in the order in which they look.
    pub aligners: Vec<Weights>,
}

impl Networks {
    /// The network of `config`'s task, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When `config` holds an impossible setting: names its key.
    pub fn new(config: Config, device: &Device) -> Result<Self> {
        let weights = with_network!(config.task, N => N::new(&config, device)?.weights()?);
        let notes = BTreeMap::new();
        let header = Header::new(Part { config, notes });
        Ok(Self::sorted(header, vec![weights]))
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
        let mut tensors = file.split().into_iter();
        let own = tensors.next().unwrap_or_default();
        let own = with_network!(header.config.task, N => checked::<N>(&header.config, own)?);
        let mut all = vec![own];
        for (part, tensors) in header.beside.iter().zip(tensors) {
            all.push(checked::<Aligner>(&part.config, tensors)?);
        }
        Ok(Self::sorted(header, all))
    }

    /// Of the weights of the header's own network, and those of the aligners beside it.
    fn sorted(header: Header, all: Vec<Weights>) -> Self {
        let mut all = all.into_iter();
        let finds = header.config.task == Task::Detect;
        let detector = finds.then(|| all.next()).flatten();
        Self {
            header,
            detector,
            aligners: all.collect(),
        }
    }

    /// [`Networks::load`] with the aligners of other files, in their order: instead of its own where
    /// the first file holds a detector, after its own where it holds aligners only.
    ///
    /// # Errors
    /// As there, for each file; when one of `aligners` holds none, or one that was trained after
    /// another ([`Networks::check_first`]) comes first.
    pub fn load_with(path: &Path, aligners: &[PathBuf]) -> Result<Self> {
        let mut networks = Self::load(path)?;
        let mut more = Vec::new();
        for path in aligners {
            let named = || format!("--aligner {}", path.display());
            more.extend(Self::load(path)?.into_aligners().with_context(named)?);
        }
        if !more.is_empty() {
            networks = networks.with_aligners(more);
            let first = |path: &PathBuf| format!("--aligner {}", path.display());
            let first = aligners.first().map(first).unwrap_or_default();
            networks.check_first().context(first)?;
        }
        Ok(networks)
    }

    /// The aligners of these files, one after another; no detector.
    ///
    /// # Errors
    /// As [`Networks::load`], and when one of the files holds no aligner.
    pub fn load_aligners(paths: &[PathBuf]) -> Result<Self> {
        let mut all = Vec::new();
        for path in paths {
            let named = || path.display().to_string();
            all.extend(Self::load(path)?.into_aligners().with_context(named)?);
        }
        let (parts, aligners): (Vec<Part>, Vec<Weights>) = all.into_iter().unzip();
        let mut parts = parts.into_iter();
        let first = parts.next().context("there is no aligner")?;
        Ok(Self {
            header: Header {
                beside: parts.collect(),
                ..Header::new(first)
            },
            detector: None,
            aligners,
        })
    }

    /// Its aligners.
    ///
    /// # Errors
    /// When it has none.
    pub fn into_aligners(self) -> Result<Vec<(Part, Weights)>> {
        ensure!(!self.aligners.is_empty(), "it holds no aligner");
        let parts = self.header.aligners().into_iter();
        let parts = parts.map(|(config, notes)| Part {
            config: config.clone(),
            notes: notes.clone(),
        });
        Ok(parts.zip(self.aligners.clone()).collect())
    }

    /// The same with these aligners, as [`Networks::load_with`] says.
    #[must_use]
    pub fn with_aligners(self, more: Vec<(Part, Weights)>) -> Self {
        let Self {
            mut header,
            detector,
            mut aligners,
        } = self;
        if detector.is_some() {
            header.beside.clear();
            aligners.clear();
        }
        let (parts, weights): (Vec<Part>, Vec<Weights>) = more.into_iter().unzip();
        header.beside.extend(parts);
        aligners.extend(weights);
        Self {
            header,
            detector,
            aligners,
        }
    }

    /// Whether its first aligner may come first: one that was trained on crops of another one
    /// (`train.after`) is to see such crops.
    ///
    /// # Errors
    /// Names the file that is missing.
    pub fn check_first(&self) -> Result<()> {
        let first = self.header.aligners().into_iter().next();
        let Some((config, Some(after))) = first.map(|(config, _)| (config, &config.train.after))
        else {
            return Ok(());
        };
        let points = config.landmarks.scheme()?.len();
        bail!(
            "its aligner of {points} landmarks sees the crops of another one, which is missing (it was \
             trained with train.after: {after}): name both, --aligner {after} --aligner FILE",
            after = after.display()
        )
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

    /// The aligners on burn's tensors, in order, with what configures each.
    ///
    /// # Errors
    /// When convolutions are in bytes.
    pub fn aligners_on(&self, device: &Device) -> Result<Vec<(Config, Aligner)>> {
        let all = self.header.aligners().into_iter().zip(&self.aligners);
        all.map(|((config, _), weights)| Ok((config.clone(), build(config, weights, device)?)))
            .collect()
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
