//! Tensors out of safetensors and PyTorch files.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use burn::store::{ModuleStore, PytorchStore};
use burn::tensor::{DType, TensorData};
use retinamark_core::weights::{File, aligner_prefixes, split, starts_like_safetensors};

use super::{Header, keys};
use crate::config::Task;

/// A tensor with its name in the file (for messages).
pub struct Named {
    /// Name in the file, without wrappers such as `state_dict.module.`.
    pub source: String,
    /// f32 values.
    pub data: TensorData,
}

/// Tensors by our name.
pub type Tensors = BTreeMap<String, Named>;

/// A safetensors file.
pub struct Contents {
    /// Of files that this program wrote.
    pub header: Option<Header>,
    /// All tensors by our name.
    pub tensors: Tensors,
}

/// Tensors of a file of any known format; of a file with several networks those of the `task`, and of
/// several aligners those of the last.
pub fn any(path: &Path, task: Task) -> Result<Tensors> {
    if starts_like_safetensors(&first_bytes(path)?) {
        let mut all = safetensors(path)?.split();
        let last = all.pop().unwrap_or_default();
        let own = all.into_iter().next().filter(|_| task != Task::Align);
        Ok(own.unwrap_or(last))
    } else {
        pytorch(path)
    }
}

impl Contents {
    /// The tensors of the file's first network, and those of each aligner beside it.
    pub fn split(self) -> Vec<Tensors> {
        let beside = self.header.map_or(Vec::new(), |header| {
            aligner_prefixes(header.config.task, header.beside.len())
        });
        split(self.tensors, &beside)
    }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start)
}

/// Read a safetensors file. Names of foreign files are mapped to ours.
pub fn safetensors(path: &Path) -> Result<Contents> {
    // What is none may be of any size.
    let start = first_bytes(path)?;
    if !starts_like_safetensors(&start) {
        return parse(&start);
    }
    parse(&std::fs::read(path)?)
}

/// [`safetensors`] of a file in memory.
pub fn parse(bytes: &[u8]) -> Result<Contents> {
    let file = File::parse(bytes)?;
    let header = file.header.as_deref().map(serde_json::from_str::<Header>);
    let header = header.transpose();
    let header = header.context("the configuration in its metadata is damaged")?;
    let mut tensors = Tensors::new();
    let names = file.tensors.keys().map(String::as_str);
    for (stored, source) in names_of(names, header.is_some()) {
        let (Some(name), Some(tensor)) =
            (name_of(source, header.is_some()), file.tensors.get(stored))
        else {
            continue;
        };
        let data = TensorData::new(tensor.values.to_vec(), tensor.shape.clone());
        add(&mut tensors, name, source, data)?;
    }
    Ok(Contents { header, tensors })
}

/// Read a PyTorch file.
fn pytorch(path: &Path) -> Result<Tensors> {
    let convert = "if it is a PyTorch file of an unusual kind, load it in Python and save its \
                   state_dict with safetensors.torch.save_file";
    let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
    let file = match store.get_all_tensors() {
        Ok(file) => file,
        Err(e) => bail!("neither a safetensors nor a readable PyTorch file ({e}); {convert}"),
    };
    ensure!(!file.is_empty(), "holds no tensors; {convert}");
    let mut tensors = Tensors::new();
    for (stored, source) in names_of(file.keys().map(String::as_str), false) {
        let (Some(name), Some(tensor)) = (name_of(source, false), file.get(stored)) else {
            continue;
        };
        let bytes = match tensor.to_bytes() {
            Ok(bytes) => bytes.to_vec(),
            Err(e) => bail!("cannot read tensor {source} ({e:?}): is the file truncated?"),
        };
        let shape = tensor.shape.to_vec();
        let data = to_f32(bytes, shape, Some(tensor.dtype), source)?;
        add(&mut tensors, name, source, data)?;
    }
    Ok(tensors)
}

/// Names as stored, and without wrappers.
fn names_of<'a>(
    stored: impl Iterator<Item = &'a str> + Clone,
    is_ours: bool,
) -> Vec<(&'a str, &'a str)> {
    if is_ours {
        stored.map(|name| (name, name)).collect()
    } else {
        keys::network(stored)
    }
}

/// Our name of a tensor; `None` leaves it out.
fn name_of(source: &str, is_ours: bool) -> Option<String> {
    if is_ours {
        Some(source.to_string())
    } else {
        keys::ours(source)
    }
}

fn add(tensors: &mut Tensors, name: String, source: &str, data: TensorData) -> Result<()> {
    let source = source.to_string();
    if let Some(other) = tensors.get(&name) {
        bail!("both {} and {source} are {name}", other.source);
    }
    tensors.insert(name, Named { source, data });
    Ok(())
}

fn to_f32(
    bytes: Vec<u8>,
    shape: Vec<usize>,
    dtype: Option<DType>,
    source: &str,
) -> Result<TensorData> {
    let dtype = dtype.filter(DType::is_float);
    let dtype =
        dtype.with_context(|| format!("tensor {source} holds no floating-point numbers"))?;
    let numbers: usize = shape.iter().product();
    ensure!(
        bytes.len() == numbers * dtype.size(),
        "tensor {source} has {} bytes instead of {}",
        bytes.len(),
        numbers * dtype.size()
    );
    Ok(TensorData::from_bytes_vec(bytes, shape, dtype).convert::<f32>())
}
