//! The graph in the making.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::constant::product;
use super::operation::Operation;
use super::value::{self, Data, Form};
use crate::error::Result;
use crate::graph::{Graph, Node, NodeId, Op, Shape, Tensor, Weights};

/// Numbers that files may make of those that they have, together: more than any network needs and
/// less than memory.
const BUDGET: usize = 1 << 27;

/// Numbers of the largest map.
const LARGEST: usize = 1 << 28;

/// A graph in the making.
pub struct Reader {
    pub graph: Graph,
    pub weights: Weights,
    pub opset: i64,
    /// Of nodes with tensors.
    names: BTreeSet<String>,
    /// Numbers that may still be made.
    budget: usize,
}

impl Reader {
    /// Nothing yet.
    pub fn new(opset: i64) -> Self {
        Self {
            graph: Graph::default(),
            weights: Weights::default(),
            opset,
            names: BTreeSet::new(),
            budget: BUDGET,
        }
    }

    /// What a node gives.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.graph.node(id).shape
    }

    /// One node that gives all numbers in order, where there is one.
    pub fn whole(&mut self, data: &Data) -> Option<NodeId> {
        Some(match &data.form {
            Form::Map(id) | Form::Table(id) => *id,
            Form::Planes {
                maps,
                prior: None,
                softmax: false,
            } => *maps,
            Form::Resized { .. } | Form::Planes { .. } => return None,
            &Form::Last(id) => self.rows(&[id], self.shape(id)[0])?,
            Form::Rows { maps, k } => self.rows(maps, *k)?,
            Form::Vector(parts) => match parts[..] {
                [only] if value::is_vector(self.shape(only)) => only,
                _ => {
                    let all = self.numbers(parts)?;
                    self.unnamed(Op::Flatten, parts, [all, 1, 1])
                }
            },
        })
    }

    /// The same for an operation, which is refused otherwise.
    pub fn need(&mut self, op: &Operation<'_>, data: &Data) -> Result<NodeId> {
        let id = self.whole(data);
        id.ok_or_else(|| op.refuse("its input cannot be had as a whole here"))
    }

    fn numbers(&self, ids: &[NodeId]) -> Option<usize> {
        let mut numbers = ids
            .iter()
            .map(|&id| self.shape(id).iter().product::<usize>());
        numbers.try_fold(0usize, |sum, n| {
            sum.checked_add(n).filter(|&sum| sum <= LARGEST)
        })
    }

    fn rows(&mut self, maps: &[NodeId], k: usize) -> Option<NodeId> {
        let rows = self.numbers(maps)? / k.max(1);
        Some(self.unnamed(Op::Rows { k }, maps, [rows, k, 1]))
    }

    /// A node whose shape is known to be possible.
    fn unnamed(&mut self, op: Op, inputs: &[NodeId], shape: Shape) -> NodeId {
        self.graph.push(Node {
            op,
            inputs: inputs.to_vec(),
            shape,
            name: String::new(),
        })
    }

    /// A node without tensors.
    pub fn push(
        &mut self,
        op: &Operation<'_>,
        what: Op,
        inputs: &[NodeId],
        shape: Shape,
    ) -> Result<NodeId> {
        if !is_possible(shape) {
            return Err(op.refuse(format!("gives an impossible size {shape:?}")));
        }
        Ok(self.unnamed(what, inputs, shape))
    }

    /// A node with tensors: numbers for all that the graph says it has, in that order.
    pub fn push_named(
        &mut self,
        op: &Operation<'_>,
        wanted: &str,
        (what, shape): (Op, Shape),
        inputs: &[NodeId],
        numbers: Vec<Arc<[f32]>>,
    ) -> Result<NodeId> {
        if !is_possible(shape) {
            return Err(op.refuse(format!("gives an impossible size {shape:?}")));
        }
        let node = Node {
            op: what,
            inputs: inputs.to_vec(),
            shape,
            name: self.unique(wanted),
        };
        for (spec, values) in self.graph.tensors_of(&node).into_iter().zip(numbers) {
            let tensor = Tensor::new(spec.shape, values);
            let tensor = tensor.map_err(|error| op.refuse(error))?;
            self.weights.0.insert(spec.name, tensor);
        }
        Ok(self.graph.push(node))
    }

    /// `wanted`, with a number where a node is called so already.
    fn unique(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 1;
        while !self.names.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        name
    }

    /// Take `numbers` from what may be made.
    pub fn spend(&mut self, op: &Operation<'_>, numbers: Option<usize>) -> Result<()> {
        let left = numbers.and_then(|numbers| self.budget.checked_sub(numbers));
        self.budget = left.ok_or_else(|| op.refuse("takes too much memory"))?;
        Ok(())
    }
}

/// Whether a map can be of this size.
pub fn is_possible(shape: Shape) -> bool {
    product(&shape).is_some_and(|numbers| (1..=LARGEST).contains(&numbers))
}
