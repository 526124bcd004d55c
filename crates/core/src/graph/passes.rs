//! Graphs into cheaper ones that compute the same.

use std::sync::Arc;

use super::{Graph, Node, NodeId, Op, Tensor, Weights};
use crate::error::Result;
use crate::net::Act;

impl Node {
    /// A convolution with a bias instead of its norm.
    #[must_use]
    pub fn without_norm(&self) -> Self {
        let mut node = self.clone();
        if let Op::Conv(conv) = &mut node.op {
            conv.norm = None;
        }
        node
    }
}

/// Convolutions with biases instead of batch norms: the graph that [`fold_norms`] has weights for.
#[must_use]
pub fn without_norms(graph: &Graph) -> Graph {
    let nodes = graph.nodes.iter().map(Node::without_norm).collect();
    Graph {
        nodes,
        ..graph.clone()
    }
}

/// Batch norms multiplied into the convolutions before them, which get biases instead. The result
/// has the tensors of the new graph only. Convolutions in bytes have biases already.
///
/// # Errors
/// Names a tensor that is missing or of another shape.
pub fn fold_norms(graph: &Graph, weights: &Weights) -> Result<(Graph, Weights)> {
    let mut tensors = Weights::default();
    for node in graph.nodes() {
        if weights.is_in_bytes(&node.name) {
            for (name, tensor) in weights.of_conv(&node.name).0 {
                tensors.insert(name, tensor);
            }
            continue;
        }
        let specs = graph.tensors_of(node);
        let values = specs.iter().map(|t| weights.get(&t.name, &t.shape));
        let values: Vec<&Arc<[f32]>> = values.collect::<Result<_>>()?;
        match (&node.op, &values[..]) {
            (Op::Conv(conv), [weight, gamma, beta, mean, var]) => {
                let epsilon = conv.norm.map_or(0.0, |norm| norm.epsilon as f32);
                let scales = gamma.iter().zip(var.iter());
                let scales: Vec<f32> = scales.map(|(g, v)| g / (v + epsilon).sqrt()).collect();
                let biases = beta.iter().zip(mean.iter()).zip(&scales);
                let biases: Vec<f32> = biases.map(|((b, m), s)| b - m * s).collect();
                let rows = weight.chunks_exact((weight.len() / conv.to.max(1)).max(1));
                let scaled = rows
                    .zip(&scales)
                    .flat_map(|(row, s)| row.iter().map(move |v| v * s));
                let scaled: Vec<f32> = scaled.collect();
                let shape = specs[0].shape.clone();
                tensors.insert(format!("{}.weight", node.name), Tensor::new(shape, scaled)?);
                let bias = Tensor::new(vec![conv.to], biases)?;
                tensors.insert(format!("{}.bias", node.name), bias);
            }
            _ => {
                for (spec, values) in specs.into_iter().zip(values) {
                    tensors.insert(spec.name, Tensor::new(spec.shape, values.clone())?);
                }
            }
        }
    }
    Ok((without_norms(graph), tensors))
}

impl Weights {
    fn insert(&mut self, name: String, tensor: Tensor) {
        self.0.insert(name, tensor);
    }
}

/// Without nodes that no output needs. The input stays.
#[must_use]
pub fn drop_dead(graph: &Graph) -> Graph {
    let mut needed = vec![false; graph.nodes.len()];
    for &(_, id) in &graph.outputs {
        needed[id.0] = true;
    }
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        needed[index] |= node.op == Op::Input;
        if needed[index] {
            for input in &node.inputs {
                needed[input.0] = true;
            }
        }
    }
    let mut new_ids = vec![NodeId(0); graph.nodes.len()];
    let mut kept = Graph::default();
    for (index, node) in graph.nodes.iter().enumerate() {
        if needed[index] {
            let inputs = node.inputs.iter().map(|input| new_ids[input.0]).collect();
            new_ids[index] = kept.push(Node {
                inputs,
                ..node.clone()
            });
        }
    }
    for (name, id) in &graph.outputs {
        kept.name_output(name.clone(), new_ids[id.0]);
    }
    kept
}

/// Activations and sums moved into the nodes that give their operands, where nothing else reads
/// those: the activation behind a sum or a convolution without one, behind a concatenation into its
/// parts, and a sum into the convolution that ends before it.
#[must_use]
pub fn fuse(graph: &Graph) -> Graph {
    let mut fused = graph.clone();
    for index in 0..fused.nodes.len() {
        match fused.nodes[index].op {
            Op::Act(act) => fuse_act(&mut fused, NodeId(index), act),
            Op::Add(act) => fuse_add(&mut fused, NodeId(index), act),
            _ => {}
        }
    }
    drop_dead(&fused)
}

fn readers(graph: &Graph, id: NodeId) -> usize {
    let inputs = graph.nodes.iter().flat_map(|node| &node.inputs);
    let outputs = graph.outputs.iter().map(|(_, output)| output);
    inputs.chain(outputs).filter(|&&read| read == id).count()
}

/// Whether `id` can end in an activation, or all that it consists of can.
fn can_act(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    readers(graph, id) == 1
        && match node.op {
            Op::Conv(conv) => conv.act == Act::None,
            Op::Linear(linear) => linear.act == Act::None,
            Op::Add(act) => act == Act::None,
            Op::Concat => node.inputs.iter().all(|&part| can_act(graph, part)),
            _ => false,
        }
}

fn set_act(graph: &mut Graph, id: NodeId, new: Act) {
    match &mut graph.nodes[id.0].op {
        Op::Conv(conv) => conv.act = new,
        Op::Linear(linear) => linear.act = new,
        Op::Add(act) => *act = new,
        Op::Concat => {
            for part in graph.nodes[id.0].inputs.clone() {
                set_act(graph, part, new);
            }
        }
        _ => {}
    }
}

fn fuse_act(graph: &mut Graph, id: NodeId, act: Act) {
    let x = graph.nodes[id.0].inputs[0];
    if can_act(graph, x) {
        set_act(graph, x, act);
        replace(graph, id, x);
    }
}

/// The last of the operands that is a convolution takes the other one as its second input.
fn fuse_add(graph: &mut Graph, id: NodeId, act: Act) {
    let operands = graph.nodes[id.0].inputs.clone();
    let Some(&last) = operands.iter().max() else {
        return;
    };
    let other = operands.iter().find(|&&operand| operand != last);
    let Some(&other) = other else { return };
    let node = graph.node(last);
    let Op::Conv(mut conv) = node.op else { return };
    if conv.act != Act::None || node.inputs.len() > 1 || readers(graph, last) > 1 {
        return;
    }
    // An activation behind the sum was not moved into it yet: it comes later in the order.
    conv.act = act;
    graph.nodes[last.0].op = Op::Conv(conv);
    graph.nodes[last.0].inputs.push(other);
    replace(graph, id, last);
}

/// Everyone who reads `old` reads `new`.
fn replace(graph: &mut Graph, old: NodeId, new: NodeId) {
    let inputs = graph.nodes.iter_mut().flat_map(|node| &mut node.inputs);
    let outputs = graph.outputs.iter_mut().map(|(_, id)| id);
    for id in inputs.chain(outputs).filter(|id| **id == old) {
        *id = new;
    }
}
