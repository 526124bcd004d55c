//! Names, shapes and numbers of a network's tensors.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Graph, Node, Op};
use crate::error::{Error, Result};
use crate::net::{Conv, Init, Linear};

/// What a tensor is to training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Learned.
    Learned,
    /// A running statistic: measured.
    Statistic,
}

/// One tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorSpec {
    /// As weights files call it.
    pub name: String,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Whether it learns.
    pub kind: Kind,
    /// How it starts.
    pub init: Init,
}

/// Numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Arc<[f32]>,
}

impl Tensor {
    /// Of numbers in row-major order.
    ///
    /// # Errors
    /// When there are more or fewer than `shape` says.
    pub fn new(shape: Vec<usize>, values: impl Into<Arc<[f32]>>) -> Result<Self> {
        let values = values.into();
        if shape.iter().product::<usize>() != values.len() {
            let found = values.len();
            return Err(Error::Network(format!("{found} numbers for {shape:?}")));
        }
        Ok(Self { shape, values })
    }
}

/// The tensors of a network by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(pub BTreeMap<String, Tensor>);

impl Weights {
    /// The tensor `name`.
    ///
    /// # Errors
    /// Names what is missing.
    pub fn tensor(&self, name: &str) -> Result<&Tensor> {
        let tensor = self.0.get(name);
        tensor.ok_or_else(|| Error::Network(format!("no tensor {name}")))
    }

    /// The numbers of tensor `name`, which must have this shape.
    ///
    /// # Errors
    /// Names what is missing or of another shape.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&Arc<[f32]>> {
        let tensor = self.tensor(name)?;
        if tensor.shape != shape {
            return Err(Error::Network(format!(
                "tensor {name} is {:?} instead of {shape:?}",
                tensor.shape
            )));
        }
        Ok(&tensor.values)
    }
}

impl Graph {
    /// All tensors, in the order of the nodes.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        self.nodes()
            .iter()
            .flat_map(|n| self.tensors_of(n))
            .collect()
    }

    /// The tensors of one of its nodes.
    pub fn tensors_of(&self, node: &Node) -> Vec<TensorSpec> {
        let input = node
            .inputs
            .first()
            .map_or([0; 3], |&id| self.node(id).shape);
        match node.op {
            Op::Conv(conv) => of_conv(&node.name, input[0], &conv),
            Op::Linear(linear) => of_linear(&node.name, input.iter().product(), &linear),
            Op::ExpectedPlaces { .. } => vec![TensorSpec {
                name: node.name.clone(),
                shape: vec![input[0], input[1] * input[2]],
                kind: Kind::Learned,
                init: Init::Constant(0.0),
            }],
            Op::PRelu => vec![TensorSpec {
                name: format!("{}.slope", node.name),
                shape: vec![input[0]],
                kind: Kind::Learned,
                // PyTorch's.
                init: Init::Constant(0.25),
            }],
            _ => Vec::new(),
        }
    }
}

fn of_conv(name: &str, from: usize, conv: &Conv) -> Vec<TensorSpec> {
    let learned = |name: String, shape: &[usize], init| TensorSpec {
        name,
        shape: shape.to_vec(),
        kind: Kind::Learned,
        init,
    };
    let inputs = if conv.depthwise { 1 } else { from };
    let weight = [conv.to, inputs, conv.kernel, conv.kernel];
    if conv.norm.is_none() {
        return vec![
            learned(format!("{name}.weight"), &weight, conv.weight),
            learned(format!("{name}.bias"), &[conv.to], conv.bias),
        ];
    }
    let of_norm = |field: &str, kind, value| TensorSpec {
        name: format!("{name}.norm.{field}"),
        shape: vec![conv.to],
        kind,
        init: Init::Constant(value),
    };
    vec![
        learned(format!("{name}.conv.weight"), &weight, conv.weight),
        of_norm("gamma", Kind::Learned, 1.0),
        of_norm("beta", Kind::Learned, 0.0),
        of_norm("running_mean", Kind::Statistic, 0.0),
        of_norm("running_var", Kind::Statistic, 1.0),
    ]
}

fn of_linear(name: &str, from: usize, linear: &Linear) -> Vec<TensorSpec> {
    let learned = |field: &str, shape: &[usize], init| TensorSpec {
        name: format!("{name}.{field}"),
        shape: shape.to_vec(),
        kind: Kind::Learned,
        init,
    };
    vec![
        learned("weight", &[from, linear.to], linear.weight),
        learned("bias", &[linear.to], linear.bias),
    ]
}
