//! Numbers out of a network and into it, by name.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use burn::module::Module;
use burn::store::{ModuleSnapshot, bridge};
use burn::tensor::TensorData;
use retinamark_core::graph::{self, Weights};

/// All tensors of a module by path, f32.
pub(super) fn collect<M: Module>(module: &M) -> Result<BTreeMap<String, TensorData>> {
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

/// [`collect`] as the core crate has it.
pub(super) fn weights<M: Module>(module: &M) -> Result<Weights> {
    let mut weights = Weights::default();
    for (name, data) in collect(module)? {
        let values: Vec<f32> = data.iter::<f32>().collect();
        let tensor = graph::Tensor::new(data.shape().to_vec(), values)?;
        weights.0.insert(name, tensor);
    }
    Ok(weights)
}

/// `module` with these tensors instead of its own; those of other names stay.
///
/// # Errors
/// When one has another shape.
pub(super) fn assign<M: Module>(
    mut module: M,
    tensors: impl IntoIterator<Item = (String, TensorData)>,
) -> Result<M> {
    let tensors = tensors.into_iter();
    let tensors = tensors.map(|(name, data)| bridge::from_data(data, name, None));
    let result = module.apply(tensors.collect(), None, None, true);
    ensure!(
        result.errors.is_empty(),
        "cannot assign: {:?}",
        result.errors
    );
    Ok(module)
}

/// [`assign`] of what the core crate has.
pub(super) fn assign_weights<M: Module>(module: M, weights: &Weights) -> Result<M> {
    let tensors = weights.0.iter().map(|(name, tensor)| {
        let data = TensorData::new(tensor.values.to_vec(), tensor.shape.clone());
        (name.clone(), data)
    });
    assign(module, tensors)
}
