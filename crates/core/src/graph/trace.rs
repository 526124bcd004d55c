//! From a description to a graph.

use super::{Graph, Node, NodeId, Op, Shape};
use crate::net::{Act, Conv, Linear, Ops, Pool};

/// Writes down what a description does.
#[derive(Debug, Default)]
pub struct Trace {
    graph: Graph,
}

impl Trace {
    /// Of an image of this shape (channels, height, width), and the image.
    pub fn of(shape: Shape) -> (Self, NodeId) {
        let mut trace = Self::default();
        let input = trace.graph.push(Node {
            op: Op::Input,
            inputs: Vec::new(),
            shape,
            name: String::new(),
        });
        (trace, input)
    }

    /// What was written, with these outputs.
    pub fn finish(mut self, outputs: &[(&str, NodeId)]) -> Graph {
        for &(name, id) in outputs {
            self.graph.name_output(name, id);
        }
        self.graph
    }

    fn shape(&self, id: NodeId) -> Shape {
        self.graph.node(id).shape
    }

    fn push(&mut self, op: Op, inputs: &[NodeId], shape: Shape) -> NodeId {
        self.named("", op, inputs, shape)
    }

    fn named(&mut self, name: &str, op: Op, inputs: &[NodeId], shape: Shape) -> NodeId {
        self.graph.push(Node {
            op,
            inputs: inputs.to_vec(),
            shape,
            name: name.to_owned(),
        })
    }
}

impl Ops for Trace {
    type Value = NodeId;

    fn conv(&mut self, name: &str, &x: &NodeId, conv: Conv) -> NodeId {
        let [_, h, w] = self.shape(x);
        let shape = [conv.to, conv.outputs(h), conv.outputs(w)];
        self.named(name, Op::Conv(conv), &[x], shape)
    }

    fn linear(&mut self, name: &str, &x: &NodeId, linear: Linear) -> NodeId {
        self.named(name, Op::Linear(linear), &[x], [linear.to, 1, 1])
    }

    fn act(&mut self, &x: &NodeId, act: Act) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Act(act), &[x], shape)
    }

    fn add(&mut self, &a: &NodeId, &b: &NodeId) -> NodeId {
        let shape = self.shape(a);
        debug_assert_eq!(shape, self.shape(b));
        self.push(Op::Add(Act::None), &[a, b], shape)
    }

    fn upsample_add(&mut self, &small: &NodeId, &large: &NodeId) -> NodeId {
        let shape = self.shape(large);
        self.push(Op::UpsampleAdd, &[small, large], shape)
    }

    fn scale_channels(&mut self, &x: &NodeId, &factor: &NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::ScaleChannels, &[x, factor], shape)
    }

    fn mean(&mut self, &x: &NodeId) -> NodeId {
        let [c, ..] = self.shape(x);
        self.push(Op::Mean, &[x], [c, 1, 1])
    }

    fn max_pool(&mut self, &x: &NodeId, pool: Pool) -> NodeId {
        let [c, h, w] = self.shape(x);
        let side = |side| pool.outputs(side);
        self.push(Op::MaxPool(pool), &[x], [c, side(h), side(w)])
    }

    fn concat(&mut self, parts: &[NodeId]) -> NodeId {
        let channels = parts.iter().map(|&part| self.shape(part)[0]).sum();
        let [_, h, w] = parts.first().map_or([0; 3], |&part| self.shape(part));
        self.push(Op::Concat, parts, [channels, h, w])
    }

    fn flatten(&mut self, parts: &[NodeId]) -> NodeId {
        let numbers = |&part: &NodeId| self.shape(part).iter().product::<usize>();
        let all = parts.iter().map(numbers).sum();
        self.push(Op::Flatten, parts, [all, 1, 1])
    }

    fn rows(&mut self, maps: &[NodeId], k: usize) -> NodeId {
        let numbers = |&map: &NodeId| self.shape(map).iter().product::<usize>();
        let all: usize = maps.iter().map(numbers).sum();
        self.push(Op::Rows { k }, maps, [all / k.max(1), k, 1])
    }

    fn expected_places(&mut self, name: &str, &maps: &NodeId, reach: f32) -> NodeId {
        let [points, ..] = self.shape(maps);
        self.named(
            name,
            Op::ExpectedPlaces { reach },
            &[maps],
            [2 * points, 1, 1],
        )
    }

    fn mask(&mut self, &x: &NodeId, margin: usize) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Mask { margin }, &[x], shape)
    }
}
