//! From a graph to steps.

use super::place::{Places, share};
use super::roles::{Role, Roles};
use super::{Packed, Plan};
use crate::engine::kernels::Isa;
use crate::engine::layout::{Map, Place};
use crate::engine::steps::{
    ActStep, AddStep, CopyStep, GatherStep, LinearStep, MaskStep, MaxPoolStep, MeanStep, Normalise,
    PReluStep, PlacesStep, ScaleStep, SoftmaxRows, Step, Upsample,
};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, NodeId, Op, Weights};
use crate::net::{Act, Conv, Linear};

/// A plan of `graph`, which is fused and has no norms, for at most `images` images at a time.
///
/// # Errors
/// When a tensor is missing or of another shape, or for what the executor cannot do.
pub fn build(
    isa: Isa,
    graph: &Graph,
    weights: &Weights,
    normalise: &Normalise,
    packed: &Packed,
    images: usize,
) -> Result<Plan> {
    check_bytes(graph, weights)?;
    let roles = Roles::of(graph, isa.lanes());
    let mut build = Build {
        isa,
        graph,
        weights,
        normalise,
        packed,
        places: Places::new(graph, &roles, isa.lanes()),
        roles,
        done: vec![false; graph.nodes().len()],
        steps: Vec::new(),
    };
    for index in 0..graph.nodes().len() {
        build.node(NodeId(index))?;
    }
    build.finish(images)
}

/// What is known while steps are made.
pub(super) struct Build<'a> {
    pub(super) isa: Isa,
    pub(super) graph: &'a Graph,
    pub(super) weights: &'a Weights,
    pub(super) normalise: &'a Normalise,
    pub(super) packed: &'a Packed,
    pub(super) roles: Roles,
    pub(super) places: Places,
    pub(super) done: Vec<bool>,
    pub(super) steps: Vec<Box<dyn Step>>,
}

impl Build<'_> {
    fn finish(self, images: usize) -> Result<Plan> {
        let mut outputs = Vec::new();
        let mut kept = Vec::new();
        for (name, id) in self.graph.outputs() {
            let place = self.places.get(*id);
            let place = place.ok_or_else(|| unsupported(self.graph.node(*id), "as an output"))?;
            match place {
                Place::Map(map) => kept.push(map.buffer),
                Place::Rows { buffer, .. } => kept.push(buffer),
                Place::Image => {}
            }
            outputs.push((name.clone(), place));
        }
        let (slot_of, slots) = share(&self.steps, &self.places.buffers, &kept);
        let scratch = self.steps.iter().map(|step| step.scratch(images)).max();
        Ok(Plan {
            slot_of,
            slots: slots.into_iter().map(|len| len * images).collect(),
            scratch: scratch.unwrap_or(0),
            steps: self.steps,
            outputs,
        })
    }

    pub(super) fn push(&mut self, step: impl Step + 'static) {
        self.steps.push(Box::new(step));
    }

    fn node(&mut self, id: NodeId) -> Result<()> {
        let graph = self.graph;
        let node = graph.node(id);
        if std::mem::replace(&mut self.done[id.0], true) {
            return Ok(());
        }
        match (self.roles.role(id), node.op) {
            (Role::WithPointwise | Role::WithUpsample | Role::InStrips, _) => {}
            (Role::Head, _) => self.heads(node.inputs[0])?,
            (Role::Parts, _) => {
                self.map(id);
            }
            (Role::Own, Op::Input) => self.input(id),
            (Role::Own, Op::Conv(conv)) => self.conv(id, &conv, None)?,
            (Role::Own, Op::Linear(linear)) => self.linear(id, &linear)?,
            (Role::Own, Op::Act(act)) => {
                let map = self.in_place(id, node.inputs[0])?;
                self.push(ActStep { map, act });
            }
            (Role::Own, Op::PRelu) => {
                let slope = format!("{}.slope", node.name);
                let slope = self.packed.vector(self.weights, &slope)?;
                let map = self.in_place(id, node.inputs[0])?;
                self.push(PReluStep { map, slope });
            }
            (Role::Own, Op::Softmax) => self.softmax(id)?,
            (Role::Own, Op::Add(act)) => {
                let map = self.in_place(id, node.inputs[0])?;
                let other = self.read(node.inputs[1])?;
                self.push(AddStep { map, other, act });
            }
            (Role::Own, Op::UpsampleAdd) => self.upsample_add(id)?,
            (Role::Own, Op::ScaleChannels) => {
                let map = self.in_place(id, node.inputs[0])?;
                let factor = self.read(node.inputs[1])?;
                self.push(ScaleStep { map, factor });
            }
            (Role::Own, Op::Mean) => {
                let input = self.read(node.inputs[0])?;
                let output = self.map(id);
                self.push(MeanStep { input, output });
            }
            (Role::Own, Op::MaxPool(pool)) => {
                let input = self.read(node.inputs[0])?;
                let output = self.map(id);
                self.push(MaxPoolStep {
                    input,
                    pool,
                    output,
                });
            }
            (Role::Own, Op::Concat) => self.concat(id)?,
            // The layer behind it reads the parts.
            (Role::Own, Op::Flatten) => {}
            (Role::Own, Op::Rows { .. }) => self.rows(id)?,
            (Role::Own, Op::ExpectedPlaces { reach }) => {
                let input = self.read(node.inputs[0])?;
                let prior = self
                    .packed
                    .prior(self.isa, self.weights, &node.name, &input)?;
                let output = self.map(id);
                self.push(PlacesStep {
                    input,
                    prior,
                    reach,
                    output,
                });
            }
            (Role::Own, Op::Mask { margin }) => {
                let map = self.in_place(id, node.inputs[0])?;
                if margin > 0 {
                    self.push(MaskStep { map, margin });
                }
            }
        }
        Ok(())
    }

    pub(super) fn map(&mut self, id: NodeId) -> Map {
        self.places.map(self.graph, &self.roles, id)
    }

    /// The map of a node that was computed.
    pub(super) fn read(&self, id: NodeId) -> Result<Map> {
        match self.places.get(id) {
            Some(Place::Map(map)) => Ok(map),
            _ => Err(unsupported(self.graph.node(id), "where a map is read")),
        }
    }

    fn input(&mut self, id: NodeId) {
        let [channels, ..] = self.graph.node(id).shape;
        if channels == self.normalise.channels() {
            self.places.set(id, Place::Image);
        } else {
            let output = self.map(id);
            self.push(GatherStep { output });
        }
    }

    /// The map of `x` for `id` to overwrite: its own, unless somebody needs that later.
    fn in_place(&mut self, id: NodeId, x: NodeId) -> Result<Map> {
        let input = self.read(x)?;
        if self.roles.is_last(x, id) {
            self.places.set(id, Place::Map(input));
            return Ok(input);
        }
        let output = self.map(id);
        self.push(CopyStep {
            input,
            output,
            first_channel: 0,
        });
        Ok(output)
    }

    /// In place: rows are read by one node only.
    fn softmax(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id);
        let rows = node.inputs[0];
        let Some(Place::Rows { buffer, len }) = self.places.get(rows) else {
            return Err(unsupported(node, "of anything but rows"));
        };
        if !self.roles.is_last(rows, id) {
            return Err(unsupported(node, "of rows that are read elsewhere"));
        }
        self.places.set(id, Place::Rows { buffer, len });
        let k = node.shape[1];
        self.push(SoftmaxRows { buffer, len, k });
        Ok(())
    }

    fn concat(&mut self, id: NodeId) -> Result<()> {
        let output = self.map(id);
        let mut first_channel = 0;
        for &part in &self.graph.node(id).inputs {
            let input = self.read(part)?;
            self.push(CopyStep {
                input,
                output,
                first_channel,
            });
            first_channel += input.shape[0];
        }
        Ok(())
    }

    fn upsample_add(&mut self, id: NodeId) -> Result<()> {
        let [small, large] = self.graph.node(id).inputs[..] else {
            return Err(unsupported(self.graph.node(id), "with these inputs"));
        };
        let other = self.read(small)?;
        if let (Role::WithUpsample, Op::Conv(conv)) =
            (self.roles.role(large), self.graph.node(large).op)
        {
            let map = self.map(id);
            self.places.set(large, Place::Map(map));
            return self.conv(large, &conv, Some(Upsample { small: other }));
        }
        let map = self.in_place(id, large)?;
        let act = Act::None;
        self.push(AddStep { map, other, act });
        Ok(())
    }

    fn linear(&mut self, id: NodeId, linear: &Linear) -> Result<()> {
        let node = self.graph.node(id);
        let source = self.graph.node(node.inputs[0]);
        let parts = match source.op {
            Op::Flatten => &source.inputs,
            _ => &node.inputs,
        };
        let inputs: Vec<Map> = parts
            .iter()
            .map(|&part| self.read(part))
            .collect::<Result<_>>()?;
        let weights = self
            .packed
            .linear(self.isa, self.weights, &node.name, &inputs)?;
        let (act, output) = (linear.act, self.map(id));
        self.push(LinearStep {
            inputs,
            weights,
            act,
            output,
        });
        Ok(())
    }
}

/// No others than convolutions over channels of maps can be in bytes.
fn check_bytes(graph: &Graph, weights: &Weights) -> Result<()> {
    let known = graph.byte_convs();
    for (index, node) in graph.nodes().iter().enumerate() {
        if weights.byte_scale(&node.name)?.is_some() && !known.contains(&NodeId(index)) {
            return Err(unsupported(node, "in 8 bits"));
        }
    }
    Ok(())
}

/// The kernels know neighbours and every other pixel.
pub(super) fn check_stride(node: &Node, conv: &Conv) -> Result<()> {
    match conv.stride {
        1 | 2 => Ok(()),
        _ => Err(unsupported(node, "with this stride")),
    }
}

pub(super) fn unsupported(node: &Node, how: &str) -> Error {
    Error::Network(format!(
        "the executor has no {:?} {} {how}",
        node.op, node.name
    ))
}
