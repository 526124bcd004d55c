//! From a graph to steps.

use super::place::{Places, share};
use super::roles::{Role, Roles};
use super::{Packed, Plan};
use crate::engine::kernels::Isa;
use crate::engine::layout::{Map, Place};
use crate::engine::steps::{
    ActStep, AddStep, CopyRows, CopyStep, Depthwise, DepthwiseConv, DepthwisePointwise, DirectConv,
    GatherStep, Head, Heads, LinearStep, MaskStep, MaxPoolStep, MeanStep, Normalise, Output,
    PReluStep, PlacesStep, ScaleStep, SoftmaxRows, Stem, StemStep, Step, Strips, Upsample,
    WinogradConv,
};
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, NodeId, Op, Weights};
use crate::net::{Act, Conv, Linear};

/// Colours of an image.
const COLOURS: usize = 3;

/// Rows of outputs that a strip behind the stem has: with all that they are made of, they stay in
/// the cache.
const STEM_ROWS: usize = 12;

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

struct Build<'a> {
    isa: Isa,
    graph: &'a Graph,
    weights: &'a Weights,
    normalise: &'a Normalise,
    packed: &'a Packed,
    roles: Roles,
    places: Places,
    done: Vec<bool>,
    steps: Vec<Box<dyn Step>>,
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

    fn push(&mut self, step: impl Step + 'static) {
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

    fn map(&mut self, id: NodeId) -> Map {
        self.places.map(self.graph, &self.roles, id)
    }

    /// The map of a node that was computed.
    fn read(&self, id: NodeId) -> Result<Map> {
        match self.places.get(id) {
            Some(Place::Map(map)) => Ok(map),
            _ => Err(unsupported(self.graph.node(id), "where a map is read")),
        }
    }

    fn input(&mut self, id: NodeId) {
        let [channels, ..] = self.graph.node(id).shape;
        if channels == COLOURS {
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

    fn conv(&mut self, id: NodeId, conv: &Conv, upsample: Option<Upsample>) -> Result<()> {
        let node = self.graph.node(id);
        if self.places.get(node.inputs[0]) == Some(Place::Image) {
            return self.stem(id, conv);
        }
        let source = node.inputs[0];
        if self.roles.role(source) == Role::WithPointwise {
            return self.depthwise_pointwise(id, source, conv, upsample);
        }
        if conv.depthwise {
            return self.depthwise(id, conv);
        }
        check_stride(node, conv)?;
        let input = self.read(source)?;
        let add = node.inputs.get(1).map(|&add| self.read(add)).transpose()?;
        let mut together = vec![id];
        if add.is_none() && upsample.is_none() {
            together.extend(self.sibling(id, conv));
        }
        let outputs = self.outputs(&together);
        let names: Vec<&str> = together
            .iter()
            .map(|id| &*self.graph.node(*id).name)
            .collect();
        let acts = self.acts(&together);
        if conv.kernel == 3 && conv.stride == 1 && conv.pad() == 1 && add.is_none() {
            let strips = WinogradConv::strips(&outputs[0].map);
            let weights = self.packed.winograd(self.isa, self.weights, &names)?;
            self.push(WinogradConv {
                input,
                weights,
                acts,
                upsample,
                outputs,
                strips,
            });
            return Ok(());
        }
        let weights = self.packed.conv(self.isa, self.weights, &names)?;
        let taps = DirectConv::taps(&input, conv.kernel);
        let map = &outputs[0].map;
        let row = taps.len() * input.lanes * acts.len() * input.lanes * map.shape[2];
        self.push(DirectConv {
            strips: Strips::new(map.shape[1], 1, row),
            geometry: [conv.kernel, conv.stride, conv.pad()],
            input,
            weights,
            acts,
            add,
            upsample,
            outputs,
            taps,
        });
        Ok(())
    }

    /// Another convolution of the same map that can be computed with `id`: its channels begin at a
    /// new block.
    fn sibling(&mut self, id: NodeId, conv: &Conv) -> Option<NodeId> {
        let node = self.graph.node(id);
        if !node.shape[0].is_multiple_of(self.isa.lanes()) {
            return None;
        }
        let own = self.map(id).buffer;
        let readers = self.roles.readers(node.inputs[0]).to_vec();
        let fits = |&other: &NodeId| {
            let Op::Conv(like) = self.graph.node(other).op else {
                return false;
            };
            other > id
                && !self.done[other.0]
                && self.roles.role(other) == Role::Own
                && self.graph.node(other).inputs.len() == 1
                && Conv {
                    to: conv.to,
                    act: conv.act,
                    ..like
                } == *conv
        };
        let found = readers.into_iter().find(fits)?;
        if self.map(found).buffer == own {
            return None;
        }
        self.done[found.0] = true;
        Some(found)
    }

    fn outputs(&mut self, ids: &[NodeId]) -> Vec<Output> {
        let mut end = 0;
        let output = |&id: &NodeId| {
            let map = self.map(id);
            end += map.blocks();
            Output { map, end }
        };
        ids.iter().map(output).collect()
    }

    /// Of each block.
    fn acts(&self, ids: &[NodeId]) -> Vec<Act> {
        let lanes = self.isa.lanes();
        let of = |id: &NodeId| match self.graph.node(*id).op {
            Op::Conv(conv) => vec![conv.act; conv.to.div_ceil(lanes)],
            _ => Vec::new(),
        };
        ids.iter().flat_map(of).collect()
    }

    fn stem(&mut self, id: NodeId, conv: &Conv) -> Result<()> {
        let stem = self.stem_of(id, conv)?;
        let output = self.map(id);
        let inputs = conv.kernel * conv.kernel * COLOURS;
        let cost = inputs * output.blocks() * output.lanes * output.shape[2];
        self.push(StemStep {
            strips: Strips::new(output.shape[1], 4, cost),
            stem,
            output,
        });
        Ok(())
    }

    fn stem_of(&self, id: NodeId, conv: &Conv) -> Result<Stem> {
        let node = self.graph.node(id);
        check_stride(node, conv)?;
        if conv.depthwise || node.inputs.len() > 1 {
            return Err(unsupported(node, "of the image"));
        }
        let [_, height, width] = self.graph.node(node.inputs[0]).shape;
        let weights = self
            .packed
            .stem(self.isa, self.weights, &node.name, self.normalise)?;
        let row = Stem::row(width, conv.pad());
        let [r, g, b] = self.normalise.std.map(|std| 1.0 / std);
        Ok(Stem {
            size: [height, width],
            geometry: [conv.kernel, conv.stride, conv.pad()],
            weights,
            acts: self.acts(&[id]),
            width: node.shape[2],
            taps: (0..conv.kernel).map(|y| y * row).collect(),
            mean: self.normalise.mean.repeat(width),
            factor: [r, g, b].repeat(width),
            normalise: *self.normalise,
        })
    }

    /// What the first of two convolutions reads, and what computes that where it is in no buffer.
    fn strips_of(&self, source: NodeId, pad: usize) -> Result<(Map, Option<Stem>)> {
        let Op::Conv(conv) = self.graph.node(source).op else {
            return Ok((self.read(source)?, None));
        };
        if self.roles.role(source) != Role::InStrips {
            return Ok((self.read(source)?, None));
        }
        let mut map = Map {
            shape: self.graph.node(source).shape,
            pad,
            lanes: self.isa.lanes(),
            ..Map::NOTHING
        };
        map.buffer_blocks = map.blocks();
        Ok((map, Some(self.stem_of(source, &conv)?)))
    }

    fn depthwise_of(&self, id: NodeId, conv: &Conv, input: Map) -> Result<Depthwise> {
        let node = self.graph.node(id);
        if node.inputs.len() > 1 {
            return Err(unsupported(node, "with a sum"));
        }
        let (weights, bias) = self.packed.depthwise(self.isa, self.weights, &node.name)?;
        Ok(Depthwise {
            input,
            geometry: [conv.kernel, conv.stride, conv.pad()],
            weights,
            bias,
            act: conv.act,
        })
    }

    fn depthwise(&mut self, id: NodeId, conv: &Conv) -> Result<()> {
        let input = self.read(self.graph.node(id).inputs[0])?;
        let own = self.depthwise_of(id, conv, input)?;
        let output = self.map(id);
        let row = conv.kernel * conv.kernel * output.row();
        self.push(DepthwiseConv {
            conv: own,
            output,
            strips: Strips::new(output.shape[1], 1, row),
        });
        Ok(())
    }

    fn depthwise_pointwise(
        &mut self,
        id: NodeId,
        source: NodeId,
        conv: &Conv,
        upsample: Option<Upsample>,
    ) -> Result<()> {
        let node = self.graph.node(id);
        let Op::Conv(first) = self.graph.node(source).op else {
            return Err(unsupported(node, "here"));
        };
        let (input, stem) = self.strips_of(self.graph.node(source).inputs[0], first.pad())?;
        let own = self.depthwise_of(source, &first, input)?;
        let [_, _, width] = self.graph.node(source).shape;
        let weights = self.packed.conv(self.isa, self.weights, &[&node.name])?;
        let add = node.inputs.get(1).map(|&add| self.read(add)).transpose()?;
        let output = self.outputs(&[id])[0];
        let blocks = own.input.blocks();
        let map = &output.map;
        let per_pixel = blocks * (map.blocks() * map.lanes + conv.kernel * conv.kernel);
        self.push(DepthwisePointwise {
            taps: (0..blocks).map(|block| block * width * map.lanes).collect(),
            strips: match stem {
                // Rows of the stem that two strips need are computed twice.
                Some(_) => Strips::new(map.shape[1], STEM_ROWS, usize::MAX),
                None => Strips::new(map.shape[1], 1, per_pixel * map.lanes * width),
            },
            stem,
            conv: own,
            width,
            weights,
            acts: self.acts(&[id]),
            add,
            upsample,
            output,
        });
        Ok(())
    }

    /// All heads of the map `source`.
    fn heads(&mut self, source: NodeId) -> Result<()> {
        let graph = self.graph;
        let input = self.read(source)?;
        let readers = self.roles.readers(source).iter().copied();
        let ids: Vec<NodeId> = readers
            .filter(|&id| self.roles.role(id) == Role::Head)
            .collect();
        let mut heads = Vec::new();
        let mut first = 0;
        for &id in &ids {
            self.done[id.0] = true;
            let rows = self.roles.readers(id)[0];
            let channels = graph.node(id).shape[0];
            let head = self.head(rows, id, first);
            heads.push(head);
            first += channels;
        }
        let names: Vec<&str> = ids.iter().map(|id| &*graph.node(*id).name).collect();
        let weights = self.packed.conv(self.isa, self.weights, &names)?;
        self.push(Heads {
            taps: DirectConv::taps(&input, 1),
            acts: vec![Act::None; weights.blocks()],
            input,
            weights,
            heads,
        });
        Ok(())
    }

    /// Where the map `id` goes among the `rows`.
    fn head(&mut self, rows: NodeId, id: NodeId, first: usize) -> Head {
        let graph = self.graph;
        let (buffer, len) = self.places.rows(graph, rows);
        let before = graph.node(rows).inputs.iter().take_while(|&&map| map != id);
        let numbers = |map: &NodeId| graph.node(*map).shape.iter().product::<usize>();
        Head {
            buffer,
            len,
            offset: before.map(numbers).sum(),
            first,
            channels: graph.node(id).shape[0],
        }
    }

    /// Maps that are no heads are copied; heads are there already.
    fn rows(&mut self, id: NodeId) -> Result<()> {
        for &map in &self.graph.node(id).inputs {
            if self.roles.role(map) != Role::Head {
                let input = self.read(map)?;
                let head = self.head(id, map, 0);
                self.push(CopyRows { input, head });
            }
        }
        Ok(())
    }
}

/// The kernels know neighbours and every other pixel.
fn check_stride(node: &Node, conv: &Conv) -> Result<()> {
    match conv.stride {
        1 | 2 => Ok(()),
        _ => Err(unsupported(node, "with this stride")),
    }
}

fn unsupported(node: &Node, how: &str) -> Error {
    Error::Network(format!(
        "the executor has no {:?} {} {how}",
        node.op, node.name
    ))
}
