//! Tensors out of safetensors and PyTorch files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use burn::store::{ModuleStore, PytorchStore};
use burn::tensor::{DType, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::{ALIGNER_PREFIX, FORMAT_VERSION, Header, METADATA_KEY, keys};
use crate::config::Task;

const NO_SAFETENSORS: &str = "not a safetensors file, or a truncated one";

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

/// Tensors of a file of any known format; of a file with two networks those of the `task`.
pub fn any(path: &Path, task: Task) -> Result<Tensors> {
    if starts_like_safetensors(&first_bytes(path)?) {
        let (detector, aligner) = safetensors(path)?.split();
        Ok(match (task, aligner) {
            (Task::Align, Some(aligner)) => aligner,
            _ => detector,
        })
    } else {
        pytorch(path)
    }
}

impl Contents {
    /// The tensors of the file's network, and those of the aligner beside it where there is one.
    pub fn split(self) -> (Tensors, Option<Tensors>) {
        let pair = self.header.is_some_and(|header| header.aligner.is_some());
        if !pair {
            return (self.tensors, None);
        }
        let (mut own, mut aligner) = (Tensors::new(), Tensors::new());
        for (name, tensor) in self.tensors {
            match name.strip_prefix(ALIGNER_PREFIX) {
                Some(inner) => aligner.insert(inner.to_owned(), tensor),
                None => own.insert(name, tensor),
            };
        }
        (own, Some(aligner))
    }
}

/// A safetensors file starts with the length of its JSON header (8 bytes), then `{`.
fn starts_like_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut start)?;
    Ok(start)
}

/// Read a safetensors file. Names of foreign files are mapped to ours.
pub fn safetensors(path: &Path) -> Result<Contents> {
    // What is none may be of any size.
    ensure!(
        starts_like_safetensors(&first_bytes(path)?),
        "{NO_SAFETENSORS}"
    );
    parse(&std::fs::read(path)?)
}

/// [`safetensors`] of a file in memory.
pub fn parse(bytes: &[u8]) -> Result<Contents> {
    ensure!(starts_like_safetensors(bytes), "{NO_SAFETENSORS}");
    let (_, metadata) = SafeTensors::read_metadata(bytes).context(NO_SAFETENSORS)?;
    let file = SafeTensors::deserialize(bytes).context(NO_SAFETENSORS)?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get(METADATA_KEY));
    let header = text.map(|text| header(text)).transpose()?;
    let mut tensors = Tensors::new();
    let names = file.names();
    for (stored, source) in names_of(names.into_iter(), header.is_some()) {
        let Some(name) = name_of(source, header.is_some()) else {
            continue;
        };
        let view = file.tensor(stored)?;
        let shape = view.shape().to_vec();
        let data = to_f32(view.data().to_vec(), shape, dtype(view.dtype()), source)?;
        add(&mut tensors, name, source, data)?;
    }
    Ok(Contents { header, tensors })
}

/// The header of one of our files.
fn header(text: &str) -> Result<Header> {
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u32,
    }
    let version: Version = serde_json::from_str(text).context("its metadata is damaged")?;
    ensure!(
        version.format_version <= FORMAT_VERSION,
        "written by a newer retinamark (format {}; this one reads up to {FORMAT_VERSION})",
        version.format_version
    );
    serde_json::from_str(text).context("the configuration in its metadata is damaged")
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

/// burn's name of a floating-point type.
fn dtype(dtype: Dtype) -> Option<DType> {
    match dtype {
        Dtype::F64 => Some(DType::F64),
        Dtype::F32 => Some(DType::F32),
        Dtype::F16 => Some(DType::F16),
        Dtype::BF16 => Some(DType::BF16),
        _ => None,
    }
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
