//! What a graph means: a slow interpreter in plain loops, which everything that runs graphs is
//! tested against.

mod kernels;
mod random;

use std::collections::BTreeMap;

use super::{ByteScale, Graph, Node, NodeId, Op, Shape, Weights};
use crate::error::{Error, Result};
use crate::net::{Act, Conv, Linear};

pub use random::{random_image, random_weights};

/// What a node gave for one image.
#[derive(Clone, Debug)]
struct Value {
    shape: Shape,
    values: Vec<f32>,
}

impl Value {
    fn at(&self, c: usize, y: usize, x: usize) -> f32 {
        let [_, h, w] = self.shape;
        self.values[(c * h + y) * w + x]
    }

    /// Each number and its channel through `f`.
    fn map(&self, f: impl Fn(usize, f32) -> f32) -> Vec<f32> {
        let places = (self.shape[1] * self.shape[2]).max(1);
        let numbers = self.values.iter().enumerate();
        numbers.map(|(i, &v)| f(i / places, v)).collect()
    }
}

/// The outputs of `graph` by name, in its order, for an `image` in the order channel, y, x. Sums
/// are of 64 bits; inputs of convolutions in bytes are rounded. Masks let everything through, as they do for whole maps.
///
/// # Errors
/// Names a tensor that is missing or of another shape, an image of another size, and a node whose
/// inputs do not fit.
pub fn run(graph: &Graph, weights: &Weights, image: &[f32]) -> Result<Vec<(String, Vec<f32>)>> {
    let mut values: Vec<Value> = Vec::new();
    for node in graph.nodes() {
        let inputs: Vec<&Value> = node.inputs.iter().map(|id| &values[id.0]).collect();
        let numbers = compute(graph, node, &inputs, weights, image)?;
        if numbers.len() != node.shape.iter().product::<usize>() {
            return Err(misfit(node));
        }
        values.push(Value {
            shape: node.shape,
            values: numbers,
        });
    }
    let outputs = graph.outputs().iter();
    Ok(outputs
        .map(|(name, id)| (name.clone(), values[id.0].values.clone()))
        .collect())
}

/// Weights of a folded graph with all convolutions that can be in bytes so, whose inputs reach as far
/// as those of an `image`.
///
/// # Errors
/// As [`run`].
pub fn in_bytes(graph: &Graph, weights: &Weights, image: &[f32]) -> Result<Weights> {
    let mut open = graph.clone();
    let convs = graph.byte_convs();
    let name = |id: &NodeId| format!("read by {}", graph.node(*id).name);
    for id in &convs {
        open.name_output(name(id), graph.node(*id).inputs[0]);
    }
    let seen: BTreeMap<String, Vec<f32>> = run(&open, weights, image)?.into_iter().collect();
    let mut rounded = weights.clone();
    for id in &convs {
        let values = &seen[&name(id)];
        let low = values.iter().copied().fold(0.0, f32::min);
        let high = values.iter().copied().fold(0.0, f32::max);
        let scale = ByteScale::reaching(low, high);
        rounded.round_to_bytes(&graph.node(*id).name, scale)?;
    }
    Ok(rounded)
}

fn misfit(node: &Node) -> Error {
    Error::Network(format!(
        "inputs of {:?} {:?} do not fit",
        node.op, node.name
    ))
}

fn compute(
    graph: &Graph,
    node: &Node,
    inputs: &[&Value],
    weights: &Weights,
    image: &[f32],
) -> Result<Vec<f32>> {
    let specs = graph.tensors_of(node);
    let tensors = specs
        .iter()
        .map(|t| Ok(&weights.get(&t.name, &t.shape)?[..]));
    let tensors: Vec<&[f32]> = tensors.collect::<Result<_>>()?;
    Ok(match (node.op, inputs) {
        (Op::Input, _) => image.to_vec(),
        (Op::Conv(conv), &[x, ref rest @ ..]) => {
            let bytes = weights.byte_scale(&node.name)?;
            let rounded = bytes.map(|scale| Value {
                shape: x.shape,
                values: x.map(|_, v| scale.rounded(v)),
            });
            let x = rounded.as_ref().unwrap_or(x);
            of_conv(&conv, &tensors, x, rest, node.shape)
        }
        (Op::Linear(linear), &[x]) => of_linear(&linear, &tensors, x),
        (Op::Act(how), &[x]) => x.map(|_, v| act(how, v)),
        (Op::Add(how), &[a, b]) => add(a, b, how),
        (Op::UpsampleAdd, &[small, large]) => kernels::upsample_add(small, large),
        (Op::ScaleChannels, &[x, factor]) => x.map(|c, v| v * factor.values[c]),
        (Op::Mean, &[x]) => kernels::mean(x),
        (Op::MaxPool(pool), &[x]) => kernels::max_pool(x, &pool, node.shape),
        (Op::Concat | Op::Flatten, parts) => parts.iter().flat_map(|p| p.values.clone()).collect(),
        (Op::Rows { k }, maps) => maps.iter().flat_map(|map| kernels::rows(map, k)).collect(),
        (Op::ExpectedPlaces { reach }, &[maps]) => {
            kernels::expected_places(maps, tensors[0], reach)
        }
        (Op::Mask { .. }, &[x]) => x.values.clone(),
        (Op::PRelu, &[x]) => x.map(|c, v| if v < 0.0 { tensors[0][c] * v } else { v }),
        (Op::Softmax, &[x]) => {
            let rows = x.values.chunks_exact(x.shape[1].max(1));
            rows.flat_map(kernels::softmax).collect()
        }
        _ => return Err(misfit(node)),
    })
}

/// An activation.
pub fn act(how: Act, x: f32) -> f32 {
    let ramp = || (x / 6.0 + 0.5).clamp(0.0, 1.0);
    match how {
        Act::None => x,
        Act::Leaky(slope) if x < 0.0 => slope * x,
        Act::Leaky(_) => x,
        Act::HardSwish => x * ramp(),
        Act::HardSigmoid => ramp(),
        Act::Sigmoid { scale } => scale / (1.0 + (-x).exp()),
        Act::Clip { low, high } => x.max(low).min(high),
    }
}

fn add(a: &Value, b: &Value, how: Act) -> Vec<f32> {
    let pairs = a.values.iter().zip(&b.values);
    pairs.map(|(a, b)| act(how, a + b)).collect()
}

/// Convolution, bias or norm, what `rest` adds, activation.
fn of_conv(conv: &Conv, tensors: &[&[f32]], x: &Value, rest: &[&Value], to: Shape) -> Vec<f32> {
    let bare = Value {
        shape: to,
        values: kernels::convolve(conv, tensors[0], x, to),
    };
    let mut values = match (conv.norm, tensors) {
        (Some(norm), [_, gamma, beta, mean, var]) => bare.map(|c, v| {
            let deviation = (var[c] + norm.epsilon as f32).sqrt();
            (v - mean[c]) / deviation * gamma[c] + beta[c]
        }),
        _ => bare.map(|c, v| v + tensors[1][c]),
    };
    for added in rest {
        for (sum, v) in values.iter_mut().zip(&added.values) {
            *sum += v;
        }
    }
    values.into_iter().map(|v| act(conv.act, v)).collect()
}

fn of_linear(linear: &Linear, tensors: &[&[f32]], x: &Value) -> Vec<f32> {
    let outputs = 0..linear.to;
    let sum = |o: usize| {
        let weights = tensors[0].iter().skip(o).step_by(linear.to);
        let products = x.values.iter().zip(weights);
        products
            .map(|(&v, &w)| f64::from(v) * f64::from(w))
            .sum::<f64>() as f32
    };
    outputs
        .map(|o| act(linear.act, sum(o) + tensors[1][o]))
        .collect()
}

#[cfg(test)]
mod tests;
