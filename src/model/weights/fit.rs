//! Loaded tensors for a network, with nothing missed and nothing left over unnoticed.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

use burn::tensor::TensorData;
use retinamark_core::graph::TensorSpec;

use super::read::Tensors;
use crate::config::InitConfig;

/// What does not fit, as listed in the error.
#[derive(Default)]
struct Misfit {
    missing: Vec<String>,
    unused: Vec<String>,
    shapes: Vec<String>,
    landmark_head: bool,
    /// A file with batch norms for a network without.
    norms: bool,
}

/// What was `found` of the tensors of a network. See [`super::initialise`] for what is an error.
pub fn fit(
    specs: Vec<TensorSpec>,
    mut found: Tensors,
    init: &InitConfig,
) -> Result<Vec<(String, TensorData)>> {
    let new = |name: &str| init.allow_new.iter().any(|p| name.starts_with(p.as_str()));
    let unused = |name: &str| {
        init.allow_unused
            .iter()
            .any(|p| name.starts_with(p.as_str()))
    };
    let mut misfit = Misfit::default();
    let mut fitting = Vec::new();
    for spec in specs {
        let (name, shape) = (spec.name, spec.shape);
        match found.remove(&name) {
            None if new(&name) => {}
            None => misfit.missing.push(name),
            Some(found) if found.data.shape()[..] == shape => fitting.push((name, found.data)),
            Some(found) if is_pair(&name, &found.data, &shape) => {
                fitting.push((name, difference(found.data)?));
            }
            Some(found) if new(&name) && unused(&found.source) => {}
            Some(found) => {
                misfit.landmark_head |= name.starts_with("landmark_heads.");
                misfit.shapes.push(format!(
                    "{name} is {:?} here, {} is {:?} in the file",
                    shape,
                    found.source,
                    found.data.shape().to_vec()
                ));
            }
        }
    }
    misfit.norms = misfit.missing.iter().any(|name| {
        let conv = name.strip_suffix(".weight");
        conv.is_some_and(|conv| found.contains_key(&format!("{conv}.norm.gamma")))
    });
    let left = found.into_values().map(|t| t.source);
    misfit.unused = left.filter(|source| !unused(source)).collect();
    misfit.report()?;
    Ok(fitting)
}

/// Whether a class head has two logits for each anchor where one is wanted.
fn is_pair(name: &str, found: &TensorData, wanted: &[usize]) -> bool {
    let found = found.shape();
    name.starts_with("class_heads.")
        && found.len() == wanted.len()
        && found[0] == 2 * wanted[0]
        && found[1..] == wanted[1..]
}

/// Of each pair of rows (background, face) how much more the second says: the sigmoid of that is the
/// softmax of both.
fn difference(pairs: TensorData) -> Result<TensorData> {
    let mut shape = pairs.shape().to_vec();
    let values = pairs
        .try_to_vec::<f32>()
        .context("a class head is not f32")?;
    let row = values.len() / shape[0].max(1);
    let apart = values.chunks_exact(2 * row.max(1)).flat_map(|pair| {
        let (no, yes) = pair.split_at(row);
        yes.iter().zip(no).map(|(yes, no)| yes - no)
    });
    let apart: Vec<f32> = apart.collect();
    shape[0] /= 2;
    Ok(TensorData::new(apart, shape))
}

impl Misfit {
    /// An error with every key, unless there is none.
    fn report(&self) -> Result<()> {
        let mut text = String::new();
        let mut list = |title: &str, keys: &[String]| {
            if !keys.is_empty() {
                let _ = write!(text, "\n{title}:");
                for key in keys {
                    let _ = write!(text, "\n  {key}");
                }
            }
        };
        list(
            "missing in the file (a prefix under init.allow_new lets them start at random)",
            &self.missing,
        );
        list(
            "left over in the file (a prefix under init.allow_unused leaves them out)",
            &self.unused,
        );
        list(
            "of another shape (needs both: our prefix under init.allow_new, the file's under \
             init.allow_unused)",
            &self.shapes,
        );
        if self.landmark_head {
            text.push_str(
                "\nThe landmark heads are made for another number of points or anchors. To start \
                 them at random: init.allow_new: [landmark_heads] and init.allow_unused: \
                 [LandmarkHead] (or landmark_heads, for a file of this program)",
            );
        }
        if self.norms {
            text.push_str(
                "\nThe file's convolutions have batch norms and this network's have none: \
                 model.batch_norm: true",
            );
        }
        if text.is_empty() {
            return Ok(());
        }
        bail!("its tensors do not fit this network{text}")
    }
}
