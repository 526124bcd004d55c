//! A network written down: nodes in the order of their computation, with the shapes that they give
//! for one size of input.
//!
//! [`Trace`] makes it of a description in [`crate::net`]; [`passes`] rewrite it. Its tensors are
//! known by name only; [`Weights`] hold their numbers.

mod bytes;
mod cost;
pub mod passes;
#[cfg(any(test, feature = "reference"))]
pub mod reference;
mod tensors;
mod trace;

use crate::net::{Act, Conv, Linear, Pool};

pub use bytes::{
    BYTE_FIELDS, ByteScale, RANGE_FIELD, is_byte_field, range_of, rounded_weights, weight_byte,
};
pub use cost::Cost;
pub use tensors::{Kind, Tensor, TensorSpec, Weights};
pub use trace::Trace;

/// Channels (or anchors, for rows), height (or numbers an anchor) and width of what a node gives for
/// one image.
pub type Shape = [usize; 3];

/// Which node of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// What a node does. See [`crate::net::Ops`] for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// The image.
    Input,
    /// Inputs: x, and after fusion perhaps a value that is added before the activation.
    Conv(Conv),
    /// Inputs: x.
    Linear(Linear),
    /// Inputs: x.
    Act(Act),
    /// Inputs: the two summands; the activation comes of fusion.
    Add(Act),
    /// Inputs: small, large.
    UpsampleAdd,
    /// Inputs: x, factor.
    ScaleChannels,
    /// Inputs: x.
    Mean,
    /// Inputs: x.
    MaxPool(Pool),
    /// Inputs: the parts.
    Concat,
    /// Inputs: the parts.
    Flatten,
    /// Inputs: the maps.
    Rows {
        /// Numbers an anchor.
        k: usize,
    },
    /// Inputs: the maps.
    ExpectedPlaces {
        /// From the centre of a map to its edge.
        reach: f32,
    },
    /// Inputs: x.
    Mask {
        /// Pixels from the middle of a window to its edge.
        margin: usize,
    },
    /// Inputs: x. `slope x` where `x` is negative, with a slope for each channel (tensor
    /// `a.slope` `[C]`); only in networks that were read.
    PRelu,
    /// Inputs: rows. Softmax of the numbers of each; only in networks that were read.
    Softmax,
}

/// One step of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// Of which values.
    pub inputs: Vec<NodeId>,
    /// What it gives.
    pub shape: Shape,
    /// What its tensors' names begin with; empty where it has none.
    pub name: String,
}

/// A network for one size of input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    outputs: Vec<(String, NodeId)>,
}

impl Graph {
    /// The nodes; inputs of each stand before it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One of them.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// What it gives: names and nodes.
    pub fn outputs(&self) -> &[(String, NodeId)] {
        &self.outputs
    }

    /// The node of the output called `name`.
    pub fn output(&self, name: &str) -> Option<NodeId> {
        let found = self.outputs.iter().find(|(own, _)| own == name);
        found.map(|&(_, id)| id)
    }

    /// Shape of the image; all zeros for a graph without one.
    pub fn input_shape(&self) -> Shape {
        let input = self.nodes.iter().find(|node| node.op == Op::Input);
        input.map_or([0; 3], |node| node.shape)
    }

    /// Whether any convolution has a batch norm.
    pub fn has_norms(&self) -> bool {
        let mut ops = self.nodes.iter().map(|node| &node.op);
        ops.any(|op| matches!(op, Op::Conv(conv) if conv.norm.is_some()))
    }

    /// A node more.
    pub fn push(&mut self, node: Node) -> NodeId {
        debug_assert!(node.inputs.iter().all(|input| input.0 < self.nodes.len()));
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    /// Call what `id` gives an output.
    pub fn name_output(&mut self, name: impl Into<String>, id: NodeId) {
        self.outputs.push((name.into(), id));
    }

    /// Names of the parts of the network, which are what names of tensors begin with, in order.
    pub fn parts(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = Vec::new();
        for node in self.nodes.iter().filter(|node| !node.name.is_empty()) {
            let part = node.part();
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts
    }
}

impl Node {
    /// First component of the name.
    pub fn part(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}
