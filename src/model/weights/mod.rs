//! Weights on disk: one safetensors file that carries its configuration, PyTorch files to start
//! from, and where the shipped file is looked for.

mod assign;
mod blend;
mod find;
mod header;
mod keys;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::{DType, Device, TensorData};
use retinamark_core::weights::{ALIGNER_PREFIX, METADATA_KEY};
use safetensors::tensor::{Dtype, TensorView, serialize};

pub use blend::blend;
pub use find::{ENVIRONMENT, SHIPPED, find};
pub use header::{Header, Networks, Part, Precision};

use super::tensors::collect;
use super::{Network, RetinaFace};
use crate::config::{Config, InitConfig, Task};

/// [`save_with_notes`] without notes.
///
/// # Errors
/// When `path` cannot be written, or `model` is folded.
pub fn save<N: Network>(model: &N, config: &Config, path: &Path) -> Result<()> {
    save_with_notes(model, config, BTreeMap::new(), path)
}

/// Write all tensors (running statistics of batch norms included, f32) with `config` and `notes`
/// to `path`, complete or not at all. The same input gives the same bytes.
///
/// # Errors
/// When `path` cannot be written, or `model` is folded.
pub fn save_with_notes<N: Network>(
    model: &N,
    config: &Config,
    notes: BTreeMap<String, String>,
    path: &Path,
) -> Result<()> {
    let config = Config {
        task: N::TASK,
        ..config.clone()
    };
    let header = Header::new(Part { config, notes }, None);
    let tensors = collect_unfolded(model, path)?;
    write(&header, &tensors, Precision::F32, path)
}

/// Write a file's networks again, both in one file where there are two, with numbers of
/// `precision`.
///
/// # Errors
/// When there is none, a network is folded, or `path` cannot be written.
pub fn save_networks(networks: &Networks, precision: Precision, path: &Path) -> Result<()> {
    let mut tensors = BTreeMap::new();
    let prefix = match (&networks.detector, &networks.aligner) {
        (Some(detector), _) => {
            tensors.extend(collect_unfolded(detector, path)?);
            ALIGNER_PREFIX
        }
        (None, _) => "",
    };
    if let Some(aligner) = &networks.aligner {
        let own = collect_unfolded(aligner, path)?;
        tensors.extend(
            own.into_iter()
                .map(|(name, data)| (format!("{prefix}{name}"), data)),
        );
    }
    ensure!(!tensors.is_empty(), "there is no network to write");
    write(&networks.header, &tensors, precision, path)
}

fn write(
    header: &Header,
    tensors: &BTreeMap<String, TensorData>,
    precision: Precision,
    path: &Path,
) -> Result<()> {
    let metadata = HashMap::from([(METADATA_KEY.to_string(), serde_json::to_string(header)?)]);
    let stored: Vec<(&String, Dtype, TensorData)> = tensors
        .iter()
        .map(|(name, data)| store(name, data, precision))
        .collect::<Result<_>>()?;
    let mut views = Vec::new();
    for (name, dtype, data) in &stored {
        let view = TensorView::new(*dtype, data.shape().to_vec(), data.as_bytes())?;
        views.push((*name, view));
    }
    let bytes = serialize(views, Some(metadata))?;
    crate::fs::write_atomic(path, |out| Ok(out.write_all(&bytes)?))
}

/// A tensor as it is stored. Running statistics, which are few and may be large, stay in 32 bits.
fn store<'a>(
    name: &'a String,
    data: &TensorData,
    precision: Precision,
) -> Result<(&'a String, Dtype, TensorData)> {
    if precision == Precision::F32 || name.contains(".running_") {
        return Ok((name, Dtype::F32, data.clone()));
    }
    let half = data.clone().convert_dtype(DType::F16);
    let finite = half.iter::<f32>().all(f32::is_finite);
    ensure!(finite, "{name} holds numbers that 16 bits cannot");
    Ok((name, Dtype::F16, half))
}

/// Read the detector of a file that this program wrote: the network of its own configuration.
///
/// # Errors
/// Names `path`: not there, not a safetensors file of this program, truncated, written by a newer
/// version, without a detector, or tensors that do not fit its configuration.
pub fn load(path: &Path, device: &Device) -> Result<(RetinaFace, Config)> {
    let networks = load_networks(path, device)?;
    let detector = networks.detector.with_context(|| {
        format!(
            "{} holds an aligner only, which cannot find faces by itself",
            path.display()
        )
    })?;
    Ok((detector, networks.header.config))
}

/// Read all networks of a file that this program wrote.
///
/// # Errors
/// As [`load`], except that any network will do.
pub fn load_networks(path: &Path, device: &Device) -> Result<Networks> {
    read::safetensors(path)
        .and_then(|file| networks_of(file, device))
        .with_context(|| format!("cannot load weights {}", path.display()))
}

/// [`load_networks`] of a file in memory.
///
/// # Errors
/// As [`load_networks`].
pub fn parse_networks(bytes: &[u8], device: &Device) -> Result<Networks> {
    networks_of(read::parse(bytes)?, device)
}

fn networks_of(file: read::Contents, device: &Device) -> Result<Networks> {
    let header = file.header.clone().with_context(|| {
        format!(
            "a safetensors file, but not one of retinamark (no {METADATA_KEY:?} in its \
             metadata); other files go under init.weights"
        )
    })?;
    let (own, beside) = file.split();
    let mut networks = Networks {
        header,
        detector: None,
        aligner: None,
    };
    let header = &networks.header;
    match header.config.task {
        Task::Detect => networks.detector = Some(build(&header.config, own, device)?),
        Task::Align => networks.aligner = Some(build(&header.config, own, device)?),
    }
    if let (Some(part), Some(tensors)) = (&header.aligner, beside) {
        networks.aligner = Some(build(&part.config, tensors, device)?);
    }
    Ok(networks)
}

fn build<N: Network>(config: &Config, tensors: read::Tensors, device: &Device) -> Result<N> {
    assign::assign(N::new(config, device)?, tensors, &InitConfig::default())
        .context("the tensors do not fit the configuration in the same file")
}

/// Start `model` from `init.weights` (unchanged without one): a file of this program, a
/// safetensors file with PyTorch's names, or a PyTorch file (also those from before 1.6). Names
/// are mapped from `biubug6/Pytorch_Retinaface` (whole detectors and MobileNetV1 backbones) and
/// torchvision (backbones ResNet-18, ResNet-50 and MobileNetV3-Large); batch counters are skipped.
///
/// # Errors
/// Names the file and lists every tensor that is missing, left over or of another shape, unless
/// `init.allow_new` (prefixes of our names) and `init.allow_unused` (prefixes of the file's names)
/// permit it.
pub fn initialise<N: Network>(model: N, init: &InitConfig) -> Result<N> {
    let Some(path) = &init.weights else {
        return Ok(model);
    };
    read::any(path, N::TASK)
        .and_then(|tensors| assign::assign(model, tensors, init))
        .with_context(|| format!("cannot start from init.weights {}", path.display()))
}

/// [`collect`] of a network that may be written to `path`.
fn collect_unfolded<N: Network>(model: &N, path: &Path) -> Result<BTreeMap<String, TensorData>> {
    ensure!(
        !model.is_folded(),
        "cannot write {}: batch norms are folded; save the model before folding it",
        path.display()
    );
    collect(model)
}
