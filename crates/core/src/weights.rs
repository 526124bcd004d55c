//! Weights files: safetensors with the configuration of their networks inside.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{Error, Result, bail, ensure};
use crate::graph::{Tensor, Weights};
use crate::settings::{Settings, Task};

/// The one key of the metadata that retinamark writes.
pub const METADATA_KEY: &str = "retinamark";

/// Version of what stands under that key that is read: 2 is the first that knows aligners, 3 the
/// first that knows convolutions in bytes, 4 the first that knows several aligners.
pub const FORMAT_VERSION: u32 = 4;

/// Before the names of tensors of the `beside` aligners that travel with a network of `task`: an
/// aligner's own tensors have plain names where it is the file's first network.
pub fn aligner_prefixes(task: Task, beside: usize) -> Vec<String> {
    let first = if task == Task::Align { 2 } else { 1 };
    let prefix = |stage: usize| match stage {
        1 => "aligner.".to_owned(),
        stage => format!("aligner{stage}."),
    };
    (first..first + beside).map(prefix).collect()
}

/// A file's tensors (or what is known of them) by network: those without a prefix first.
pub fn split<T>(tensors: BTreeMap<String, T>, prefixes: &[String]) -> Vec<BTreeMap<String, T>> {
    let mut all: Vec<BTreeMap<String, T>> = Vec::new();
    all.resize_with(1 + prefixes.len(), BTreeMap::new);
    for (name, tensor) in tensors {
        let inner = |(i, prefix): (usize, &String)| {
            let inner = name.strip_prefix(prefix.as_str())?;
            Some((1 + i, inner.to_owned()))
        };
        let found = prefixes.iter().enumerate().find_map(inner);
        let (network, name) = found.unwrap_or((0, name));
        all[network].insert(name, tensor);
    }
    all
}

/// What a header says of the aligners beside its network: nothing, one thing, or a list.
///
/// # Errors
/// When it is something else.
pub fn one_or_many<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> std::result::Result<Vec<T>, D::Error> {
    let all = match Value::deserialize(from)? {
        Value::Null => Vec::new(),
        Value::Array(all) => all,
        one => vec![one],
    };
    let all = all.into_iter().map(serde_json::from_value);
    all.collect::<serde_json::Result<_>>()
        .map_err(serde::de::Error::custom)
}

/// A safetensors file of any origin.
#[derive(Clone, Debug)]
pub struct File {
    /// What stands under [`METADATA_KEY`], in a format that is known here.
    pub header: Option<String>,
    /// Its tensors by their names in the file, in 32 bits: bytes times the scales of the tensor that
    /// is called the same with [`SCALE`] behind it.
    pub tensors: BTreeMap<String, Tensor>,
}

/// Behind the name of a tensor of bytes: one number for each of its outputs.
pub const SCALE: &str = "_scale";

/// What the file's JSON says of a tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    /// Where its bytes begin and end, behind the JSON.
    data_offsets: [usize; 2],
}

/// The entry of a file's JSON that is no tensor.
const METADATA: &str = "__metadata__";

impl File {
    /// Read `bytes`: eight of them for the length of the JSON, the JSON, numbers. The crate of that
    /// name would bring ten others, for writing files.
    ///
    /// # Errors
    /// When they are no safetensors file, cut off, of a newer retinamark, or hold a tensor of
    /// anything but floating-point numbers.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(starts_like_safetensors(bytes), Weights, "{NO_SAFETENSORS}");
        let broken = || Error::Weights(NO_SAFETENSORS.to_owned());
        let (length, rest) = bytes.split_first_chunk().ok_or_else(broken)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
        let (json, data) = rest.split_at_checked(length).ok_or_else(broken)?;
        let mut entries: BTreeMap<String, Value> =
            serde_json::from_slice(json).map_err(|_| broken())?;
        let metadata = entries.remove(METADATA).unwrap_or_default();
        let text = metadata.get(METADATA_KEY).and_then(Value::as_str);
        if let Some(text) = text {
            check_version(text)?;
        }
        let (mut tensors, mut bytes) = (BTreeMap::new(), Vec::new());
        for (name, entry) in entries {
            let entry: Entry = serde_json::from_value(entry).map_err(|_| broken())?;
            let [start, end] = entry.data_offsets;
            let own = data.get(start..end).ok_or_else(broken)?;
            let tensor = tensor(&name, &entry, own)?;
            if entry.dtype == "I8" {
                bytes.push(name.clone());
            }
            tensors.insert(name, tensor);
        }
        for name in bytes {
            let scaled = scaled(&name, &tensors)?;
            tensors.insert(name, scaled);
        }
        Ok(Self {
            header: text.map(str::to_owned),
            tensors,
        })
    }
}

const NO_SAFETENSORS: &str = "not a safetensors file, or a truncated one";

/// Such a file starts with the length of its JSON header (8 bytes), then `{`.
pub fn starts_like_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

fn check_version(text: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let version: Version = serde_json::from_str(text)
        .map_err(|error| Error::Weights(format!("its metadata is damaged: {error}")))?;
    ensure!(
        version.format_version <= FORMAT_VERSION,
        Weights,
        "written by a newer retinamark (format {}; this one reads up to {FORMAT_VERSION})",
        version.format_version
    );
    Ok(())
}

fn tensor(name: &str, entry: &Entry, bytes: &[u8]) -> Result<Tensor> {
    let values: Vec<f32> = match entry.dtype.as_str() {
        "F64" => {
            let numbers = bytes.as_chunks::<8>().0.iter();
            numbers.map(|&b| f64::from_le_bytes(b) as f32).collect()
        }
        "F32" => {
            let numbers = bytes.as_chunks::<4>().0.iter();
            numbers.map(|&b| f32::from_le_bytes(b)).collect()
        }
        "F16" => {
            let numbers = bytes.as_chunks::<2>().0.iter();
            numbers.map(|&b| from_half(u16::from_le_bytes(b))).collect()
        }
        "BF16" => {
            let numbers = bytes.as_chunks::<2>().0.iter();
            numbers
                .map(|&[a, b]| f32::from_le_bytes([0, 0, a, b]))
                .collect()
        }
        "I8" => {
            let numbers = bytes.iter().map(|byte| byte.cast_signed());
            numbers.map(f32::from).collect()
        }
        _ => bail!(Weights, "tensor {name} holds no floating-point numbers"),
    };
    let numbers = entry
        .shape
        .iter()
        .try_fold(1usize, |all, &side| all.checked_mul(side));
    ensure!(
        numbers == Some(values.len()),
        Weights,
        "tensor {name} has {} numbers instead of {:?}",
        values.len(),
        entry.shape
    );
    Tensor::new(entry.shape.clone(), values)
}

/// A tensor of bytes times its outputs' scales.
fn scaled(name: &str, tensors: &BTreeMap<String, Tensor>) -> Result<Tensor> {
    let (own, scales) = (tensors.get(name), tensors.get(&format!("{name}{SCALE}")));
    let (Some(own), Some(scales)) = (own, scales) else {
        bail!(
            Weights,
            "tensor {name} holds bytes, and there is no {name}{SCALE}"
        );
    };
    ensure!(
        own.shape.first() == scales.shape.first() && scales.shape.len() == 1,
        Weights,
        "tensor {name}{SCALE} has not one number for each output of {name}"
    );
    let each = (own.values.len() / scales.values.len().max(1)).max(1);
    let rows = own.values.chunks_exact(each).zip(scales.values.iter());
    let values = rows.flat_map(|(row, &scale)| row.iter().map(move |byte| byte * scale));
    Tensor::new(own.shape.clone(), values.collect::<Vec<f32>>())
}

/// A number of 16 bits: sign, 5 bits of exponent, 10 of fraction.
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match (exponent, fraction) {
        (0, _) => fraction * 2f32.powi(-24),
        (31, 0.0) => f32::INFINITY,
        (31, _) => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

/// A network of a weights file.
#[derive(Clone, Debug)]
pub struct Network {
    /// What it is.
    pub settings: Settings,
    /// Its tensors.
    pub weights: Weights,
}

/// The networks of a weights file; at least one.
#[derive(Clone, Debug)]
pub struct Networks {
    /// Photos to faces.
    pub detector: Option<Network>,
    /// Crops to landmarks, in the order in which they look.
    pub aligners: Vec<Network>,
}

impl Networks {
    /// Those in the bytes of a file that retinamark wrote.
    ///
    /// # Errors
    /// As [`File::parse`], and when it is another program's.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Header {
            config: Settings,
            #[serde(default, deserialize_with = "one_or_many")]
            aligner: Vec<Part>,
        }
        #[derive(Deserialize)]
        struct Part {
            config: Settings,
        }
        let file = File::parse(bytes)?;
        let Some(text) = file.header else {
            bail!(
                Weights,
                "a safetensors file, but not one of retinamark (no {METADATA_KEY:?} in its metadata)"
            );
        };
        let header: Header = serde_json::from_str(&text).map_err(|error| {
            Error::Weights(format!(
                "the configuration in its metadata is damaged: {error}"
            ))
        })?;
        let task = header.config.task;
        let mut settings = vec![header.config];
        settings.extend(header.aligner.into_iter().map(|part| part.config));
        let prefixes = aligner_prefixes(task, settings.len() - 1);
        let tensors = split(file.tensors, &prefixes);
        let network = |(settings, tensors)| Network {
            settings,
            weights: Weights(tensors),
        };
        let mut all = settings.into_iter().zip(tensors).map(network);
        let detector = (task == Task::Detect).then(|| all.next()).flatten();
        Ok(Self {
            detector,
            aligners: all.collect(),
        })
    }
}

#[cfg(test)]
mod tests;
