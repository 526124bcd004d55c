//! Weights files: safetensors with the configuration of their networks inside.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

use crate::error::{Error, Result, bail, ensure};
use crate::graph::{Tensor, Weights};
use crate::settings::{Settings, Task};

/// The one key of the metadata that retinamark writes.
pub const METADATA_KEY: &str = "retinamark";

/// Version of what stands under that key: 2 is the first that knows aligners.
pub const FORMAT_VERSION: u32 = 2;

/// Before the names of an aligner's tensors in a file that holds a detector as well.
pub const ALIGNER_PREFIX: &str = "aligner.";

/// A safetensors file of any origin.
#[derive(Clone, Debug)]
pub struct File {
    /// What stands under [`METADATA_KEY`], in a format that is known here.
    pub header: Option<String>,
    /// Its tensors by their names in the file, in 32 bits.
    pub tensors: BTreeMap<String, Tensor>,
}

impl File {
    /// Read `bytes`.
    ///
    /// # Errors
    /// When they are no safetensors file, cut off, of a newer retinamark, or hold a tensor of
    /// anything but floating-point numbers.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(starts_like_safetensors(bytes), Weights, "{NO_SAFETENSORS}");
        let broken = |error| Error::Weights(format!("{NO_SAFETENSORS}: {error}"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let file = SafeTensors::deserialize(bytes).map_err(broken)?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get(METADATA_KEY));
        if let Some(text) = text {
            check_version(text)?;
        }
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            tensors.insert(name.to_owned(), tensor(name, &view)?);
        }
        Ok(Self {
            header: text.cloned(),
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

fn tensor(name: &str, view: &TensorView<'_>) -> Result<Tensor> {
    let bytes = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F64 => {
            let numbers = bytes.as_chunks::<8>().0.iter();
            numbers.map(|&b| f64::from_le_bytes(b) as f32).collect()
        }
        Dtype::F32 => {
            let numbers = bytes.as_chunks::<4>().0.iter();
            numbers.map(|&b| f32::from_le_bytes(b)).collect()
        }
        Dtype::F16 => {
            let numbers = bytes.as_chunks::<2>().0.iter();
            numbers.map(|&b| from_half(u16::from_le_bytes(b))).collect()
        }
        Dtype::BF16 => {
            let numbers = bytes.as_chunks::<2>().0.iter();
            numbers
                .map(|&[a, b]| f32::from_le_bytes([0, 0, a, b]))
                .collect()
        }
        _ => bail!(Weights, "tensor {name} holds no floating-point numbers"),
    };
    Tensor::new(view.shape().to_vec(), values)
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
    /// Crops to landmarks.
    pub aligner: Option<Network>,
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
            #[serde(default)]
            aligner: Option<Part>,
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
        let (mut own, mut beside) = (Weights::default(), Weights::default());
        for (name, tensor) in file.tensors {
            match name.strip_prefix(ALIGNER_PREFIX) {
                Some(inner) if header.aligner.is_some() => {
                    beside.0.insert(inner.to_owned(), tensor)
                }
                _ => own.0.insert(name, tensor),
            };
        }
        let task = header.config.task;
        let own = Network {
            settings: header.config,
            weights: own,
        };
        let aligner = header.aligner.map(|part| Network {
            settings: part.config,
            weights: beside,
        });
        Ok(match task {
            Task::Detect => Self {
                detector: Some(own),
                aligner,
            },
            Task::Align => Self {
                detector: None,
                aligner: Some(own),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::from_half;

    #[test]
    fn halves_by_hand() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(from_half(bits), value, "{bits:x}");
        }
        assert!(from_half(0x7e00).is_nan());
    }
}
