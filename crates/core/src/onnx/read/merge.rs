//! Factors and summands for each channel taken into the layers before them.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::passes::drop_dead;
use crate::graph::{Graph, Node, NodeId, Op, Tensor, Weights};
use crate::net::{Act, Conv};

/// Convolutions that only multiply each channel and add to it, multiplied into the convolutions and
/// linear layers that nothing else reads; without nodes that nothing needs and their tensors.
pub fn merge_factors(graph: &Graph, mut weights: Weights) -> Result<(Graph, Weights)> {
    let graph = &drop_dead(graph);
    let readers = readers(graph);
    let mut merged = Graph::default();
    let mut new_ids: Vec<NodeId> = Vec::new();
    for node in graph.nodes() {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|id| new_ids[id.0]).collect();
        let alone = node.inputs.iter().all(|input| readers[input.0] == 1);
        let before = inputs.first().map(|&id| merged.node(id).clone());
        match before {
            Some(before) if is_factor(node) && takes_factors(&before) && alone => {
                multiply(&before, node, &mut weights)?;
                new_ids.push(inputs[0]);
            }
            _ => new_ids.push(merged.push(Node {
                inputs,
                ..node.clone()
            })),
        }
    }
    for (name, id) in graph.outputs() {
        merged.name_output(name.clone(), new_ids[id.0]);
    }
    let needed: Vec<String> = merged.tensors().into_iter().map(|spec| spec.name).collect();
    let needed = needed
        .into_iter()
        .filter_map(|name| weights.0.remove_entry(&name));
    Ok((merged, Weights(needed.collect())))
}

/// How many nodes and outputs read each node.
fn readers(graph: &Graph) -> Vec<usize> {
    let mut readers = vec![0; graph.nodes().len()];
    let inputs = graph.nodes().iter().flat_map(|node| &node.inputs);
    let outputs = graph.outputs().iter().map(|(_, output)| output);
    for id in inputs.chain(outputs) {
        readers[id.0] += 1;
    }
    readers
}

fn is_factor(node: &Node) -> bool {
    let plain = |conv: Conv| Conv {
        padding: conv.padding,
        act: conv.act,
        ..Conv::head(conv.to).depthwise()
    };
    matches!(node.op, Op::Conv(conv) if conv == plain(conv)) && node.inputs.len() == 1
}

fn takes_factors(node: &Node) -> bool {
    match node.op {
        Op::Conv(conv) => conv.act == Act::None && conv.norm.is_none() && node.inputs.len() == 1,
        Op::Linear(linear) => linear.act == Act::None,
        _ => false,
    }
}

/// The layer's tensors by the factors' ones.
fn multiply(layer: &Node, factor: &Node, weights: &mut Weights) -> Result<()> {
    let name = |node: &Node, field: &str| format!("{}.{field}", node.name);
    let channels = layer.shape[0];
    let factors = weights
        .get(&name(factor, "weight"), &[channels, 1, 1, 1])?
        .clone();
    let summands = weights.get(&name(factor, "bias"), &[channels])?.clone();
    let bias = weights.get(&name(layer, "bias"), &[channels])?;
    let moved = bias.iter().zip(factors.iter()).zip(summands.iter());
    let bias: Arc<[f32]> = moved.map(|((b, f), s)| b * f + s).collect();
    if let Some(weight) = weights.0.get_mut(&name(layer, "weight")) {
        let numbers = weight.values.len();
        // Linear layers have their outputs last.
        let channel = |index: usize| match layer.op {
            Op::Linear(_) => index % channels,
            _ => index / (numbers / channels),
        };
        let scaled = weight.values.iter().enumerate();
        weight.values = scaled.map(|(i, v)| v * factors[channel(i)]).collect();
    }
    weights
        .0
        .insert(name(layer, "bias"), Tensor::new(vec![channels], bias)?);
    Ok(())
}
