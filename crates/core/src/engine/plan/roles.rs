//! Which nodes are computed together.

use crate::graph::{Graph, NodeId, Op};
use crate::net::{Act, Conv};

/// Who computes a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A step of its own.
    Own,
    /// A convolution within each channel whose only reader, a 1x1 convolution, computes it row by
    /// row.
    WithPointwise,
    /// The first convolution, whose rows the two convolutions behind it, its only readers, compute
    /// strip by strip.
    InStrips,
    /// A head, computed into rows of anchors with the others of its map.
    Head,
    /// A convolution that is computed when the smaller map that is added to it is known.
    WithUpsample,
    /// Written in pieces by those whose parts it puts together.
    Parts,
}

/// Roles and readers of all nodes.
#[derive(Debug)]
pub struct Roles {
    roles: Vec<Role>,
    readers: Vec<Vec<NodeId>>,
    is_output: Vec<bool>,
}

impl Roles {
    /// Of a fused graph, for blocks of `lanes` channels.
    pub fn of(graph: &Graph, lanes: usize) -> Self {
        let count = graph.nodes().len();
        let mut roles = Self {
            roles: vec![Role::Own; count],
            readers: vec![Vec::new(); count],
            is_output: vec![false; count],
        };
        for (index, node) in graph.nodes().iter().enumerate() {
            for input in &node.inputs {
                roles.readers[input.0].push(NodeId(index));
            }
        }
        for &(_, id) in graph.outputs() {
            roles.is_output[id.0] = true;
        }
        for index in 0..count {
            let role = roles.choose(graph, NodeId(index), lanes);
            roles.roles[index] = role;
        }
        roles
    }

    /// Of one node.
    pub fn role(&self, id: NodeId) -> Role {
        self.roles[id.0]
    }

    /// Who reads a node.
    pub fn readers(&self, id: NodeId) -> &[NodeId] {
        &self.readers[id.0]
    }

    /// Whether only one node reads it.
    pub fn is_private(&self, id: NodeId) -> bool {
        !self.is_output[id.0] && self.readers[id.0].len() == 1
    }

    /// Whether `reader` may overwrite it: nobody reads it later.
    pub fn is_last(&self, id: NodeId, reader: NodeId) -> bool {
        !self.is_output[id.0] && self.readers[id.0].iter().all(|&other| other <= reader)
    }

    fn choose(&self, graph: &Graph, id: NodeId, lanes: usize) -> Role {
        let node = graph.node(id);
        match node.op {
            Op::Concat if self.can_be_written_in_parts(graph, id, lanes) => Role::Parts,
            Op::Conv(conv) if self.is_private(id) => {
                let reader = self.readers[id.0][0];
                let is_image = graph.node(node.inputs[0]).op == Op::Input;
                match graph.node(reader).op {
                    Op::Conv(next) if is_image && self.goes_on(graph, reader, &next) => {
                        Role::InStrips
                    }
                    Op::Conv(next) if conv.depthwise && is_pointwise(&next) => {
                        match graph.node(reader).inputs[0] == id {
                            true => Role::WithPointwise,
                            false => Role::Own,
                        }
                    }
                    Op::Rows { .. } if is_head(&conv) && node.inputs.len() == 1 && !is_image => {
                        Role::Head
                    }
                    Op::UpsampleAdd if !conv.depthwise && !is_image => {
                        match graph.node(reader).inputs[1] == id {
                            true => Role::WithUpsample,
                            false => Role::Own,
                        }
                    }
                    _ => Role::Own,
                }
            }
            _ => Role::Own,
        }
    }

    /// Whether `id`, a convolution, works within channels for a 1x1 convolution that alone reads it.
    fn goes_on(&self, graph: &Graph, id: NodeId, conv: &Conv) -> bool {
        let next = self.readers[id.0].first().map(|&next| graph.node(next));
        conv.depthwise
            && self.is_private(id)
            && next.is_some_and(|next| {
                matches!(next.op, Op::Conv(conv) if is_pointwise(&conv)) && next.inputs[0] == id
            })
    }

    /// Whether all parts are convolutions that can write whole blocks of it.
    fn can_be_written_in_parts(&self, graph: &Graph, id: NodeId, lanes: usize) -> bool {
        let parts = &graph.node(id).inputs;
        let whole = |part: &NodeId| graph.node(*part).shape[0].is_multiple_of(lanes);
        parts.iter().rev().skip(1).all(whole)
            && parts.iter().enumerate().all(|(at, &part)| {
                let concats = self.readers[part.0].iter();
                let concats = concats.filter(|&&reader| graph.node(reader).op == Op::Concat);
                matches!(graph.node(part).op, Op::Conv(_))
                    && !parts[..at].contains(&part)
                    && concats.count() == 1
            })
    }
}

fn is_pointwise(conv: &Conv) -> bool {
    conv.kernel == 1 && conv.stride == 1 && !conv.depthwise
}

fn is_head(conv: &Conv) -> bool {
    is_pointwise(conv) && conv.act == Act::None
}
