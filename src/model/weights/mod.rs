//! Weights on disk: one safetensors file that carries its configuration, PyTorch files to start
//! from, and where the shipped file is looked for.

mod assign;
mod blend;
mod find;
mod keys;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use burn::module::Module;
use burn::store::{ModuleSnapshot, bridge};
use burn::tensor::{Device, TensorData};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

pub use blend::blend;
pub use find::{ENVIRONMENT, SHIPPED, find};

use super::retinaface::RetinaFace;
use crate::config::{Config, InitConfig};

/// The one key of the safetensors metadata that this program writes.
const METADATA_KEY: &str = "retinamark";

/// Version of what stands under that key.
const FORMAT_VERSION: u32 = 1;

/// What a weights file says about itself, as JSON under the metadata key `retinamark`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this structure.
    pub format_version: u32,
    /// Program and version that wrote the file.
    pub program: String,
    /// The resolved configuration; of paths the file names only.
    pub config: Config,
    /// Anything else: training steps, figures.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

/// [`save_with_notes`] without notes.
///
/// # Errors
/// When `path` cannot be written, or `model` is folded.
pub fn save(model: &RetinaFace, config: &Config, path: &Path) -> Result<()> {
    save_with_notes(model, config, BTreeMap::new(), path)
}

/// Write all tensors (running statistics of batch norms included, f32) with `config` and `notes`
/// to `path`, complete or not at all. The same input gives the same bytes.
///
/// # Errors
/// When `path` cannot be written, or `model` is folded.
pub fn save_with_notes(
    model: &RetinaFace,
    config: &Config,
    notes: BTreeMap<String, String>,
    path: &Path,
) -> Result<()> {
    ensure!(
        !model.is_folded(),
        "cannot write {}: batch norms are folded; save the model before folding it",
        path.display()
    );
    let header = Header {
        format_version: FORMAT_VERSION,
        program: concat!("retinamark ", env!("CARGO_PKG_VERSION")).into(),
        config: without_folders(config.clone()),
        notes,
    };
    let metadata = HashMap::from([(METADATA_KEY.to_string(), serde_json::to_string(&header)?)]);
    let tensors = collect(model)?;
    let mut views = Vec::new();
    for (name, data) in &tensors {
        views.push((
            name,
            TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes())?,
        ));
    }
    let bytes = serialize(views, Some(metadata))?;
    crate::fs::write_atomic(path, |out| Ok(out.write_all(&bytes)?))
}

/// Read a file that [`save`] wrote: the network of its own configuration.
///
/// # Errors
/// Names `path`: not there, not a safetensors file of this program, truncated, written by a newer
/// version, or tensors that do not fit its configuration.
pub fn load(path: &Path, device: &Device) -> Result<(RetinaFace, Config)> {
    let (model, header) = load_with_header(path, device)?;
    Ok((model, header.config))
}

/// [`load`] with all of the header.
///
/// # Errors
/// As [`load`].
pub fn load_with_header(path: &Path, device: &Device) -> Result<(RetinaFace, Header)> {
    let read = || {
        let file = read::safetensors(path)?;
        let header = file.header.with_context(|| {
            format!(
                "a safetensors file, but not one of retinamark (no {METADATA_KEY:?} in its \
                 metadata); other files go under init.weights"
            )
        })?;
        let model = RetinaFace::new(&header.config, device)?;
        let nothing = InitConfig::default();
        let model = assign::assign(model, file.tensors, &nothing)
            .context("the tensors do not fit the configuration in the same file")?;
        Ok((model, header))
    };
    read().map_err(|e: anyhow::Error| e.context(format!("cannot load weights {}", path.display())))
}

/// Start `model` from `init.weights` (unchanged without one): a file of this program, a
/// safetensors file with PyTorch's names, or a PyTorch file (also those from before 1.6). Names
/// are mapped from `biubug6/Pytorch_Retinaface` (whole detectors and MobileNetV1 backbones) and
/// torchvision (ResNet-18 and -50 backbones); batch counters are skipped.
///
/// # Errors
/// Names the file and lists every tensor that is missing, left over or of another shape, unless
/// `init.allow_new` (prefixes of our names) and `init.allow_unused` (prefixes of the file's names)
/// permit it.
pub fn initialise(model: RetinaFace, init: &InitConfig) -> Result<RetinaFace> {
    let Some(path) = &init.weights else {
        return Ok(model);
    };
    read::any(path)
        .and_then(|tensors| assign::assign(model, tensors, init))
        .with_context(|| format!("cannot start from init.weights {}", path.display()))
}

/// All tensors of a module by path, f32.
fn collect<M: Module>(module: &M) -> Result<BTreeMap<String, TensorData>> {
    let mut tensors = BTreeMap::new();
    for tensor in module.collect(None, None, true) {
        let name = tensor.name.clone();
        let data = match bridge::into_data(tensor) {
            Ok(data) => data,
            Err(e) => bail!("cannot read {name} from the device: {e:?}"),
        };
        tensors.insert(name, data.convert::<f32>());
    }
    Ok(tensors)
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
    if let Some(weights) = &mut config.train.blend_weights {
        strip(weights);
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
