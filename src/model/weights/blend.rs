//! Averages of two trainings.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use burn::tensor::TensorData;

use super::read;
use crate::model::Network;
use crate::model::tensors::{assign, collect};

/// `(1 - share) * model + share * file` for every tensor that the file has in the same shape; the
/// others (a landmark head for other points) stay. Between weights and those that they were
/// fine-tuned from, the average keeps most of what either is good at (Wortsman et al. 2022,
/// WiSE-FT). `path` may be any file that training can start from.
///
/// # Errors
/// Names the file when it cannot be read or no tensor fits.
pub fn blend<N: Network>(model: N, path: &Path, share: f32) -> Result<N> {
    mixed(model, path, share).with_context(|| format!("cannot blend with {}", path.display()))
}

fn mixed<N: Network>(model: N, path: &Path, share: f32) -> Result<N> {
    let theirs = read::any(path, N::TASK)?;
    let mut blended = Vec::new();
    for (name, ours) in collect(&model)? {
        let Some(other) = theirs.get(&name) else {
            continue;
        };
        if other.data.shape() != ours.shape() {
            continue;
        }
        let other = other.data.clone().convert::<f32>();
        let values: Vec<f32> = ours
            .iter::<f32>()
            .zip(other.iter::<f32>())
            .map(|(a, b)| a + share * (b - a))
            .collect();
        let data = TensorData::new(values, ours.shape().clone());
        blended.push((name, data));
    }
    ensure!(!blended.is_empty(), "it has no tensor of this network");
    assign(model, blended)
}
