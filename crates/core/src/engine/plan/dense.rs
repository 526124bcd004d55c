//! Steps of dense convolutions.

use super::build::{Build, check_stride};
use crate::engine::kernels::WINOGRAD_BLOCKS;
use crate::engine::layout::Place;
use crate::engine::plan::roles::Role;
use crate::engine::steps::{DirectConv, Output, Strips, Upsample, WinogradConv};
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::{Act, Conv};

/// Rows of outputs in a strip that is computed in bytes, at least.
const BYTE_ROWS: usize = 4;

impl Build<'_> {
    pub(super) fn conv(
        &mut self,
        id: NodeId,
        conv: &Conv,
        upsample: Option<Upsample>,
    ) -> Result<()> {
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
            together.extend(self.sibling(id, conv)?);
        }
        let outputs = self.outputs(&together);
        let names: Vec<&str> = together
            .iter()
            .map(|id| &*self.graph.node(*id).name)
            .collect();
        let acts = self.acts(&together);
        let in_bytes = self.weights.byte_scale(&node.name)?.is_some();
        let by_winograd = conv.kernel == 3 && conv.stride == 1 && conv.pad() == 1 && !in_bytes;
        if by_winograd && add.is_none() && input.blocks() <= WINOGRAD_BLOCKS {
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
        let weights = self.packed.dense(self.isa, self.weights, &names)?;
        let read = if in_bytes { input.alone() } else { input };
        let taps = DirectConv::taps(&read, conv.kernel);
        let map = &outputs[0].map;
        let row = taps.len() * input.lanes * acts.len() * input.lanes * map.shape[2];
        // Rows that two strips read become bytes twice.
        let unit = if in_bytes { BYTE_ROWS } else { 1 };
        self.push(DirectConv {
            strips: Strips::new(map.shape[1], unit, row),
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
    fn sibling(&mut self, id: NodeId, conv: &Conv) -> Result<Option<NodeId>> {
        let node = self.graph.node(id);
        if !node.shape[0].is_multiple_of(self.isa.lanes()) {
            return Ok(None);
        }
        let scale = self.weights.byte_scale(&node.name)?;
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
                && self.weights.byte_scale(&self.graph.node(other).name).ok() == Some(scale)
                && Conv {
                    to: conv.to,
                    act: conv.act,
                    weight: conv.weight,
                    bias: conv.bias,
                    ends_path: conv.ends_path,
                    ..like
                } == *conv
        };
        let found = readers.into_iter().find(fits);
        let found = found.filter(|&other| self.map(other).buffer != own);
        if let Some(other) = found {
            self.done[other.0] = true;
        }
        Ok(found)
    }

    pub(super) fn outputs(&mut self, ids: &[NodeId]) -> Vec<Output> {
        let mut end = 0;
        let output = |&id: &NodeId| {
            let map = self.map(id);
            end += map.blocks();
            Output { map, end }
        };
        ids.iter().map(output).collect()
    }

    /// Of each block.
    pub(super) fn acts(&self, ids: &[NodeId]) -> Vec<Act> {
        let lanes = self.isa.lanes();
        let of = |id: &NodeId| match self.graph.node(*id).op {
            Op::Conv(conv) => vec![conv.act; conv.to.div_ceil(lanes)],
            _ => Vec::new(),
        };
        ids.iter().flat_map(of).collect()
    }
}
