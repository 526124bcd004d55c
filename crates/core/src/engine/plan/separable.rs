//! Steps of the first convolution and of convolutions within channels.

use super::build::{Build, check_stride, unsupported};
use crate::engine::layout::Map;
use crate::engine::plan::roles::Role;
use crate::engine::steps::{
    Depthwise, DepthwiseConv, DepthwisePointwise, Stem, StemStep, Strips, Upsample,
};
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::Conv;

/// Rows of outputs that a strip behind the stem has: with all that they are made of, they stay in
/// the cache.
const STEM_ROWS: usize = 12;

impl Build<'_> {
    pub(super) fn stem(&mut self, id: NodeId, conv: &Conv) -> Result<()> {
        let stem = self.stem_of(id, conv)?;
        let output = self.map(id);
        let inputs = conv.kernel * conv.kernel * self.normalise.channels();
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
        let row = Stem::row(self.normalise, width, conv.pad());
        let factor = self.normalise.std.map(|std| 1.0 / std);
        let channels = self.normalise.channels();
        Ok(Stem {
            size: [height, width],
            geometry: [conv.kernel, conv.stride, conv.pad()],
            weights,
            acts: self.acts(&[id]),
            width: node.shape[2],
            taps: (0..conv.kernel).map(|y| y * row).collect(),
            mean: self.normalise.mean[..channels].repeat(width),
            factor: factor[..channels].repeat(width),
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

    pub(super) fn depthwise(&mut self, id: NodeId, conv: &Conv) -> Result<()> {
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

    pub(super) fn depthwise_pointwise(
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
        let weights = self.packed.dense(self.isa, self.weights, &[&node.name])?;
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
}
