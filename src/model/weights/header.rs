//! What a weights file holds, and what it says about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use retinamark_core::weights::one_or_many;
use serde::{Deserialize, Serialize, Serializer};

use crate::config::{Config, Task, deserialize_saved};

/// Version of [`Header`] that is written: 3 where convolutions are in bytes and 4 where there are
/// several aligners, so that a program which does not know them says so.
const fn version(in_bytes: bool, aligners: usize) -> u32 {
    match (aligners, in_bytes) {
        (0 | 1, false) => 2,
        (0 | 1, true) => 3,
        _ => 4,
    }
}

/// What a weights file says about itself, as JSON under the metadata key `retinamark`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this structure.
    pub format_version: u32,
    /// Program and version that wrote the file.
    pub program: String,
    /// The resolved configuration; of paths the file names only. Its `task` says which network
    /// this is.
    #[serde(deserialize_with = "deserialize_saved")]
    pub config: Config,
    /// Anything else: training steps, figures.
    #[serde(default)]
    pub notes: Notes,
    /// The aligners that travel with that network, in the order in which they look: all of them with
    /// a detector, the further ones with an aligner. One stands by itself in the file, several in a
    /// list.
    #[serde(
        default,
        rename = "aligner",
        deserialize_with = "one_or_many",
        serialize_with = "serialize_parts"
    )]
    pub beside: Vec<Part>,
}

fn serialize_parts<S: Serializer>(parts: &[Part], into: S) -> Result<S::Ok, S::Error> {
    match parts {
        [] => into.serialize_none(),
        [one] => one.serialize(into),
        several => several.serialize(into),
    }
}

/// What is known of a network beside its configuration.
pub type Notes = BTreeMap<String, String>;

/// What is known about one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The resolved configuration; of paths the file names only.
    #[serde(deserialize_with = "deserialize_saved")]
    pub config: Config,
    /// Anything else.
    #[serde(default)]
    pub notes: Notes,
}

impl Header {
    pub(super) fn new(part: Part) -> Self {
        let header = Self {
            format_version: 0,
            program: String::new(),
            config: without_folders(part.config),
            notes: part.notes,
            beside: Vec::new(),
        };
        header.written_now(false)
    }

    /// The same, written by this program.
    pub(super) fn written_now(self, in_bytes: bool) -> Self {
        Self {
            format_version: version(in_bytes, self.aligners().len()),
            program: concat!("retinamark ", env!("CARGO_PKG_VERSION")).into(),
            ..self
        }
    }

    /// Configuration and notes of each aligner, in the order in which they look.
    pub fn aligners(&self) -> Vec<(&Config, &Notes)> {
        let own = (self.config.task == Task::Align).then_some((&self.config, &self.notes));
        let beside = self.beside.iter().map(|part| (&part.config, &part.notes));
        own.into_iter().chain(beside).collect()
    }

    /// The same for changing them.
    pub fn aligners_mut(&mut self) -> Vec<(&mut Config, &mut Notes)> {
        let own = self.config.task == Task::Align;
        let own = own.then_some((&mut self.config, &mut self.notes));
        let beside = self.beside.iter_mut();
        let beside = beside.map(|part| (&mut part.config, &mut part.notes));
        own.into_iter().chain(beside).collect()
    }
}

/// Weights travel between machines, folders do not (and may tell about their owner): only file
/// names stay.
fn without_folders(mut config: Config) -> Config {
    let strip = |path: &mut PathBuf| {
        if let Some(name) = path.file_name() {
            *path = name.into();
        }
    };
    if let Some(weights) = &mut config.init.weights {
        strip(weights);
    }
    let train = &mut config.train;
    for weights in [
        &mut train.blend_weights,
        &mut train.partner,
        &mut train.after,
    ] {
        weights.iter_mut().for_each(strip);
    }
    strip(&mut config.train.out);
    strip(&mut config.snapshot.dir);
    for source in config
        .data
        .train
        .iter_mut()
        .chain(&mut config.data.validation)
    {
        strip(&mut source.list);
        strip(&mut source.images);
        source.beside_mut().for_each(strip);
    }
    config
}
