//! What a weights file holds, and what it says about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Task, deserialize_saved};

/// Version of [`Header`] that is written: 3 where convolutions are in bytes, so that a program which
/// does not know them says so.
const fn version(in_bytes: bool) -> u32 {
    if in_bytes { 3 } else { 2 }
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
    pub notes: BTreeMap<String, String>,
    /// The aligner that travels with a detector.
    #[serde(default)]
    pub aligner: Option<Part>,
}

/// What is known about one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The resolved configuration; of paths the file names only.
    #[serde(deserialize_with = "deserialize_saved")]
    pub config: Config,
    /// Anything else.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

impl Header {
    pub(super) fn new(part: Part, aligner: Option<Part>) -> Self {
        let header = Self {
            format_version: version(false),
            program: String::new(),
            config: without_folders(part.config),
            notes: part.notes,
            aligner,
        };
        header.written_now(false)
    }

    /// The same, written by this program.
    pub(super) fn written_now(self, in_bytes: bool) -> Self {
        Self {
            format_version: version(in_bytes),
            program: concat!("retinamark ", env!("CARGO_PKG_VERSION")).into(),
            ..self
        }
    }

    /// The configuration of the aligner, if there is one.
    pub fn aligner_config(&self) -> Option<&Config> {
        let own = (self.config.task == Task::Align).then_some(&self.config);
        self.aligner.as_ref().map(|part| &part.config).or(own)
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
    for weights in [&mut config.train.blend_weights, &mut config.train.partner] {
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
        for path in source.wider.iter_mut().chain(&mut source.disagreement) {
            strip(path);
        }
    }
    config
}
