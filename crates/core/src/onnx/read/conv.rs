//! Convolutions.

use std::sync::Arc;

use super::constant::Constant;
use super::operation::Operation;
use super::reader::Reader;
use super::value::Data;
use super::window::Window;
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::Conv;

impl Reader {
    pub fn conv(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.map(0)?;
        let [from, height, width] = self.shape(x);
        let weight = op.constant(1)?;
        let (&[to, inputs, kh, kw], Some(kernels)) = (&weight.dims[..], weight.floats()) else {
            return Err(op.refuse(format!("weights {:?} are not supported", weight.dims)));
        };
        let groups = usize::try_from(op.int("group", 1)).unwrap_or(0);
        let fits = inputs.checked_mul(groups) == Some(from) && to > 0 && kh > 0 && kw > 0;
        if !fits || !to.is_multiple_of(groups) {
            let dims = &weight.dims;
            return Err(op.refuse(format!("{groups} groups of {dims:?} for {from} channels")));
        }
        let window = Window::of(op, [height, width], Some([kh, kw]))?;
        let square = window.square(op, [height, width])?;
        let depthwise = groups == from && to == from;
        let conv = Conv {
            depthwise,
            ..square.conv(to, window.stride[0])
        };
        let mut kernels = kernels.clone();
        if [kh, kw] != [square.side; 2] {
            let area = square.side.checked_mul(square.side);
            self.spend(op, area.and_then(|area| area.checked_mul(to * inputs)))?;
            kernels = square.embed(&window, &kernels).into();
        }
        if !depthwise && groups > 1 {
            self.spend(op, kernels.len().checked_mul(groups))?;
            kernels = ungroup(&kernels, to, groups).into();
        }
        let bias = bias(op, op.known(2)?, to)?;
        let name = op.tensor_name(1, "weight");
        let id = self.push_conv(op, name, conv, x, [kernels, bias])?;
        Ok(Data::map(&self.graph, id))
    }

    /// A convolution with these kernels and biases.
    pub fn push_conv(
        &mut self,
        op: &Operation<'_>,
        name: &str,
        conv: Conv,
        x: NodeId,
        numbers: [Arc<[f32]>; 2],
    ) -> Result<NodeId> {
        let [_, height, width] = self.shape(x);
        let shape = [conv.to, conv.outputs(height), conv.outputs(width)];
        self.push_named(op, name, (Op::Conv(conv), shape), &[x], numbers.into())
    }
}

/// Of `to` outputs; zeros where there is none.
pub fn bias(op: &Operation<'_>, bias: Option<&Constant>, to: usize) -> Result<Arc<[f32]>> {
    let Some(bias) = bias else {
        return Ok(vec![0.0; to].into());
    };
    match bias.floats() {
        Some(values) if values.len() == to => Ok(values.clone()),
        _ => Err(op.refuse(format!("bias {:?} for {to} outputs", bias.dims))),
    }
}

/// Kernels of groups as kernels over all channels, with zeros for other groups.
fn ungroup(kernels: &[f32], to: usize, groups: usize) -> Vec<f32> {
    let row = kernels.len() / to;
    let mut all = Vec::with_capacity(kernels.len() * groups);
    for (output, kernel) in kernels.chunks_exact(row).enumerate() {
        let group = output / (to / groups);
        all.extend((0..groups * row).map(|i| match i / row == group {
            true => kernel[i % row],
            false => 0.0,
        }));
    }
    all
}
