//! Networks to weights files.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::{DType, TensorData};
use retinamark_core::graph::{Tensor, Weights, is_byte_field, range_of, weight_byte};
use retinamark_core::weights::{METADATA_KEY, SCALE, aligner_prefixes};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::header::{Header, Part};
use super::networks::Networks;
use crate::config::Config;
use crate::model::Network;

/// How numbers are stored that are not in bytes anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits: half the size, and a relative error of up to 5e-4 in each weight.
    F16,
}

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
    ensure!(
        !model.is_folded(),
        "cannot write {}: batch norms are folded; save the model before folding it",
        path.display()
    );
    let config = Config {
        task: N::TASK,
        ..config.clone()
    };
    let header = Header::new(Part { config, notes });
    let weights = model.weights()?;
    write(&header, &[("", &weights)], Precision::F32, path)
}

/// Write a file's networks again, all in one file, with numbers of `precision`.
///
/// # Errors
/// When there is none, or `path` cannot be written.
pub fn save_networks(networks: &Networks, precision: Precision, path: &Path) -> Result<()> {
    let header = &networks.header;
    let beside = aligner_prefixes(header.config.task, header.beside.len());
    let prefixes = std::iter::once("").chain(beside.iter().map(String::as_str));
    let all = networks.detector.iter().chain(&networks.aligners);
    let parts: Vec<(&str, &Weights)> = prefixes.zip(all).collect();
    ensure!(!parts.is_empty(), "there is no network to write");
    let in_bytes = parts.iter().any(|(_, weights)| weights.has_bytes());
    let header = header.clone().written_now(in_bytes);
    write(&header, &parts, precision, path)
}

fn write(
    header: &Header,
    parts: &[(&str, &Weights)],
    precision: Precision,
    path: &Path,
) -> Result<()> {
    let metadata = HashMap::from([(METADATA_KEY.to_string(), serde_json::to_string(header)?)]);
    let mut stored = Vec::new();
    for (prefix, weights) in parts {
        for (name, tensor) in &weights.0 {
            let (kind, bytes) = store(weights, name, tensor, precision)?;
            stored.push((format!("{prefix}{name}"), kind, &tensor.shape, bytes));
        }
    }
    let mut views = Vec::new();
    for (name, kind, shape, bytes) in &stored {
        views.push((name, TensorView::new(*kind, (*shape).clone(), bytes)?));
    }
    let bytes = serialize(views, Some(metadata))?;
    crate::fs::write_atomic(path, |out| Ok(out.write_all(&bytes)?))
}

/// A tensor as it is stored. Running statistics and scales, which are few and may be large or small,
/// stay in 32 bits.
fn store(
    weights: &Weights,
    name: &str,
    tensor: &Tensor,
    precision: Precision,
) -> Result<(Dtype, Vec<u8>)> {
    let values = tensor.values.iter().copied();
    if let Some(scales) = weights.0.get(&format!("{name}{SCALE}")) {
        let each = (tensor.values.len() / scales.values.len().max(1)).max(1);
        let scale = |at: usize| scales.values.get(at / each).copied().unwrap_or(0.0);
        let bytes = values.enumerate().map(|(at, v)| {
            let byte = weight_byte(v, scale(at)).with_context(|| name.to_owned());
            Ok(byte?.cast_unsigned())
        });
        return Ok((Dtype::I8, bytes.collect::<Result<_>>()?));
    }
    let precise = name.contains(".running_") || is_byte_field(name) || range_of(name).is_some();
    if precision == Precision::F32 || precise {
        let bytes = values.flat_map(f32::to_le_bytes);
        return Ok((Dtype::F32, bytes.collect()));
    }
    let data = TensorData::new(tensor.values.to_vec(), tensor.shape.clone());
    let halves = data.convert_dtype(DType::F16);
    let finite = halves.iter::<f32>().all(f32::is_finite);
    ensure!(finite, "{name} holds numbers that 16 bits cannot");
    Ok((Dtype::F16, halves.as_bytes().to_vec()))
}
