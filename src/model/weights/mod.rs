//! Weights on disk: one safetensors file that carries its configuration, PyTorch files to start
//! from, and where the shipped file is looked for.

mod blend;
mod find;
mod fit;
mod grey;
mod header;
mod keys;
mod networks;
mod onnx;
mod read;
mod store;

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use retinamark_core::graph::range_of;

pub use blend::blend;
pub use find::{ENVIRONMENT, SHIPPED, find};
pub use header::{Header, Notes, Part};
pub use networks::Networks;
pub use onnx::is_onnx;
pub use store::{Precision, save, save_networks, save_with_notes};

use super::{Network, RetinaFace, tensors};
use crate::config::Config;

/// Read the detector of a file that this program wrote: the network of its own configuration.
///
/// # Errors
/// As [`Networks::load`] and [`Networks::detector_on`], and when there is none.
pub fn load(path: &Path, device: &Device) -> Result<(RetinaFace, Config)> {
    let networks = Networks::load(path)?;
    let detector = networks
        .detector_on(device)
        .with_context(|| path.display().to_string())?;
    let detector = detector.with_context(|| {
        format!(
            "{} holds an aligner only, which cannot find faces by itself",
            path.display()
        )
    })?;
    Ok((detector, networks.header.config))
}

/// Start `model` from `init.weights` (unchanged without one): a file of this program, a
/// safetensors file with PyTorch's names, a PyTorch file (also those from before 1.6), or an SCRFD
/// detector as ONNX. Names are mapped from `biubug6/Pytorch_Retinaface` (whole detectors and
/// MobileNetV1 backbones) and torchvision (backbones ResNet-18, ResNet-50 and MobileNetV3-Large);
/// batch counters are skipped. Layers of ONNX files are told by what they compute.
/// A network of grey images takes the first kernels of one of colours, summed over these.
///
/// # Errors
/// Names the file and lists every tensor that is missing, left over or of another shape, unless
/// `init.allow_new` (prefixes of our names) and `init.allow_unused` (prefixes of the file's names)
/// permit it.
pub fn initialise<N: Network>(model: N, config: &Config) -> Result<N> {
    let Some(path) = &config.init.weights else {
        return Ok(model);
    };
    let found = match is_onnx(path) {
        true => onnx::tensors(path, &model.graph(onnx::SAMPLE), config),
        false => read::any(path, N::TASK),
    };
    found
        .and_then(|mut tensors| {
            // Ranges of training in 8 bits are found anew.
            tensors.retain(|name, _| range_of(name).is_none());
            grey::sum_colours(&model.graph(networks::ANY_SIZE), &mut tensors);
            let fitting = fit::fit(model.tensors(), tensors, &config.init)?;
            tensors::assign(model, fitting)
        })
        .with_context(|| format!("cannot start from init.weights {}", path.display()))
}
