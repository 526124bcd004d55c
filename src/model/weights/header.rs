//! What a weights file holds, and what it says about it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use burn::tensor::Device;
use retinamark_core::weights::FORMAT_VERSION;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Task, deserialize_saved};
use crate::model::{Aligner, Network as _, RetinaFace};

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

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits: half the size, and a relative error of up to 5e-4 in each weight.
    F16,
}

/// The networks of a file; at least one.
#[derive(Debug)]
pub struct Networks {
    /// What the file says.
    pub header: Header,
    /// The detector.
    pub detector: Option<RetinaFace>,
    /// The aligner.
    pub aligner: Option<Aligner>,
}

impl Networks {
    /// The network of `config`'s task, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When `config` holds an impossible setting: names its key.
    pub fn new(config: Config, device: &Device) -> Result<Self> {
        let (detector, aligner) = match config.task {
            Task::Detect => (Some(RetinaFace::new(&config, device)?), None),
            Task::Align => (None, Some(Aligner::new(&config, device)?)),
        };
        let notes = BTreeMap::new();
        Ok(Self {
            header: Header::new(Part { config, notes }, None),
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
}

impl Header {
    pub(super) fn new(part: Part, aligner: Option<Part>) -> Self {
        let header = Self {
            format_version: FORMAT_VERSION,
            program: String::new(),
            config: without_folders(part.config),
            notes: part.notes,
            aligner,
        };
        header.written_now()
    }

    /// The same, written by this program.
    pub(super) fn written_now(self) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            program: concat!("retinamark ", env!("CARGO_PKG_VERSION")).into(),
            ..self
        }
    }

    /// The configuration of the aligner, if there is one.
    pub fn aligner_config(&self) -> Option<&Config> {
        match (&self.aligner, self.config.task) {
            (Some(part), _) => Some(&part.config),
            (None, Task::Align) => Some(&self.config),
            (None, Task::Detect) => None,
        }
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
