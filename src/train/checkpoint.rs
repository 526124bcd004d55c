//! Checkpoints: everything that a run needs to go on as if it had never stopped. One safetensors
//! file, so that no half of it can be missing: the flat vectors split into named tensors, the
//! rest as JSON in the metadata.

mod store;

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use super::log::Stand;
use crate::config::{Config, OptimizerKind};
use crate::fs::write_atomic;
use crate::model::InputRanges;
use crate::optim::{Layout, OptimizerState, Slot};

pub use store::Store;

const FORMAT: &str = "retinamark checkpoint 3";
/// The format before: its optimisers knew a first and a second moment only.
const FORMAT_2: &str = "retinamark checkpoint 2";
/// Groups of tensors that are no slots of the optimiser.
const WEIGHTS: &str = "weights";
const EMA: &str = "ema";

/// Where a run stands. All random choices follow from the seed of the config and this position,
/// so no generator state needs saving.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epoch, counted from 0.
    pub epoch: usize,
    /// Micro-batches done in it.
    pub batch: usize,
    /// Optimiser steps since the start.
    pub step: usize,
}

/// The best validation so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// What is compared, lower is better: NME of the joint protocol.
    pub badness: f64,
    /// Epoch, counted from 1.
    pub epoch: usize,
}

/// The part of a checkpoint that is kept as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Where the run stands.
    pub position: Position,
    /// Sums of the epoch so far.
    pub sums: Figures,
    /// The best validation so far.
    pub best: Option<Best>,
    /// Updates of the moving average.
    pub ema_updates: u64,
    /// How often each tensor was updated.
    pub tensor_updates: Vec<u64>,
    /// Ranges of inputs, where the run trains in 8 bits.
    #[serde(default)]
    pub ranges: Option<InputRanges>,
}

/// Everything that is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Position, sums, counters.
    pub state: State,
    /// Weights and running statistics.
    pub weights: Vec<f32>,
    /// Their moving average.
    pub ema: Vec<f32>,
    /// What the optimiser keeps.
    pub optimizer: OptimizerState,
}

impl Position {
    /// Where the logs stand that belong to it.
    pub const fn stand(&self) -> Stand {
        Stand {
            step: self.step,
            epochs: self.epoch,
        }
    }
}

impl Checkpoint {
    fn groups(&self) -> Vec<(&str, &[f32])> {
        let mut groups = vec![(WEIGHTS, self.weights.as_slice()), (EMA, &self.ema)];
        let slots = self.optimizer.slots.iter();
        groups.extend(slots.map(|slot| (slot.name.as_str(), slot.values.as_slice())));
        groups
    }

    /// Write it to `path` with the config that the run has.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, layout: &Layout, config: &Config, path: &Path) -> Result<()> {
        let mut state = self.state.clone();
        state.tensor_updates.clone_from(&self.optimizer.updates);
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("state".to_owned(), serde_json::to_string(&state)?),
            ("config".to_owned(), config.to_yaml()?),
        ]);
        let groups = self.groups().into_iter();
        let groups: Vec<_> = groups
            .map(|(group, flat)| (group, to_bytes(flat)))
            .collect();
        let mut views = Vec::new();
        for (group, bytes) in &groups {
            for entry in layout.entries() {
                let part = &bytes[entry.start * 4..(entry.start + entry.len) * 4];
                let view = TensorView::new(Dtype::F32, entry.shape.clone(), part)?;
                views.push((format!("{group}/{}", entry.name), view));
            }
        }
        let file = safetensors::serialize(views, Some(metadata))?;
        write_atomic(path, |out| Ok(out.write_all(&file)?))
    }

    /// Read `path` for a model of this `layout`. Gives the config it was written with, too.
    ///
    /// # Errors
    /// When the file is damaged, not a checkpoint, or of another model.
    pub fn load(path: &Path, layout: &Layout) -> Result<(Self, Config)> {
        std::fs::read(path)
            .map_err(anyhow::Error::from)
            .and_then(|bytes| Self::parse(&bytes, layout))
            .with_context(|| format!("cannot continue from {}", path.display()))
    }

    /// [`Self::load`] of a file in memory.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(bytes: &[u8], layout: &Layout) -> Result<(Self, Config)> {
        let metadata = read_metadata(bytes)?;
        let text = |key: &str| {
            metadata
                .get(key)
                .with_context(|| format!("{key} is missing"))
        };
        let format = text("format")?;
        ensure!(
            [FORMAT, FORMAT_2].contains(&format.as_str()),
            "not a checkpoint of this version of the program"
        );
        let state: State = serde_json::from_str(text("state")?).context("state")?;
        let config = Config::from_yaml(text("config")?).context("config")?;
        let tensors = SafeTensors::deserialize(bytes)?;
        let tensors = tensors.iter().map(|(name, view)| (plain_name(name), view));
        let tensors: HashMap<String, TensorView> = tensors.collect();
        let group = |name: &str| read_group(&tensors, layout, name);
        ensure!(
            state.tensor_updates.len() == layout.entries().len(),
            "it is of another model"
        );
        let mut slots = Vec::new();
        for name in slot_names(&tensors) {
            let values = group(&name)?;
            let name = match format.as_str() {
                FORMAT_2 => slot_of_format_2(name, &config.optimizer.kind),
                _ => name,
            };
            slots.push(Slot { name, values });
        }
        let checkpoint = Self {
            weights: group(WEIGHTS)?,
            ema: group(EMA)?,
            optimizer: OptimizerState {
                slots,
                updates: state.tensor_updates.clone(),
            },
            state,
        };
        Ok((checkpoint, config))
    }
}

fn read_metadata(bytes: &[u8]) -> Result<HashMap<String, String>> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let metadata = header.metadata().clone();
    metadata.ok_or_else(|| anyhow!("not a checkpoint of this program"))
}

/// Names of the groups that are slots of the optimiser, in alphabetical order.
fn slot_names(tensors: &HashMap<String, TensorView>) -> BTreeSet<String> {
    let groups = tensors.keys().filter_map(|name| name.split_once('/'));
    let slots = groups
        .map(|(group, _)| group)
        .filter(|group| ![WEIGHTS, EMA].contains(group));
    slots.map(str::to_owned).collect()
}

/// In the format before, the velocity of SGD was called a first moment.
fn slot_of_format_2(name: String, kind: &OptimizerKind) -> String {
    match kind {
        OptimizerKind::Sgd(_) if name == "first" => "velocity".to_owned(),
        _ => name,
    }
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// A tensor's name without what programs of before wrote into it: variants of enums, which begin
/// with capital letters.
fn plain_name(name: &str) -> String {
    let is_variant = |part: &&str| part.starts_with(|c: char| c.is_ascii_uppercase());
    let parts: Vec<&str> = name.split('.').filter(|part| !is_variant(part)).collect();
    parts.join(".")
}

fn read_group(
    tensors: &HashMap<String, TensorView>,
    layout: &Layout,
    group: &str,
) -> Result<Vec<f32>> {
    let mut flat = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        let name = format!("{group}/{}", entry.name);
        let view = tensors
            .get(&name)
            .with_context(|| format!("it is of another model: {name} is missing"))?;
        ensure!(
            view.dtype() == Dtype::F32 && view.shape() == entry.shape,
            "it is of another model: {name} is {:?} there and {:?} here",
            view.shape(),
            entry.shape
        );
        let numbers = view.data().chunks_exact(4);
        flat.extend(numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    }
    Ok(flat)
}
