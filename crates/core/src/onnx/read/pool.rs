//! Pooling.

use super::operation::Operation;
use super::reader::Reader;
use super::value::{Data, axis_of};
use super::window::Window;
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::{Conv, Pool};

impl Reader {
    pub fn max_pool(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.map(0)?;
        let [channels, height, width] = self.shape(x);
        let window = Window::of(op, [height, width], None)?;
        let [kernel, stride, pad] = [window.kernel, window.stride, window.lead];
        let regular = [kernel, stride, pad].iter().all(|[y, x]| y == x);
        if !regular || window.trail != pad || window.dilation != [1; 2] || pad[0] >= kernel[0] {
            return Err(op.refuse(format!("windows like this are not supported: {window:?}")));
        }
        let pool = Pool {
            kernel: kernel[0],
            stride: stride[0],
            pad: pad[0],
        };
        let [rows, columns] = window.outputs;
        let id = self.push(op, Op::MaxPool(pool), &[x], [channels, rows, columns])?;
        Ok(Data::map(&self.graph, id))
    }

    /// The mean of whole maps, or else a convolution within channels with equal weights.
    pub fn average_pool(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.map(0)?;
        let [channels, height, width] = self.shape(x);
        let window = Window::of(op, [height, width], None)?;
        let has_pads = window.lead != [0; 2] || window.trail != [0; 2];
        if window.kernel == [height, width] && !has_pads {
            return self.push_mean(op, x);
        }
        if has_pads && op.int("count_include_pad", 0) == 0 {
            return Err(op.refuse("pads that do not count are not supported"));
        }
        let square = window.square(op, [height, width])?;
        let conv = Conv {
            depthwise: true,
            ..square.conv(channels, window.stride[0])
        };
        let area = window.kernel[0] * window.kernel[1];
        let numbers = area.max(square.side * square.side).checked_mul(channels);
        self.spend(op, numbers)?;
        let kernels = vec![1.0 / area as f32; channels * area];
        let numbers = [square.embed(&window, &kernels), vec![0.0; channels]].map(Into::into);
        let id = self.push_conv(op, op.label(), conv, x, numbers)?;
        Ok(Data::map(&self.graph, id))
    }

    /// Over height and width.
    pub fn mean(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.map(0)?;
        if op.kind() == "GlobalAveragePool" {
            return self.push_mean(op, x);
        }
        let axes = op.list("axes", 1)?.unwrap_or_default();
        let axes: Vec<Option<usize>> = axes.iter().map(|&axis| axis_of(axis, 4)).collect();
        if axes != [Some(2), Some(3)] {
            return Err(op.refuse("only means over height and width are supported"));
        }
        let mean = self.push_mean(op, x)?;
        match op.int("keepdims", 1) {
            0 => {
                let id = self.need(op, &mean)?;
                Ok(Data::vector(&self.graph, id))
            }
            _ => Ok(mean),
        }
    }

    fn push_mean(&mut self, op: &Operation<'_>, x: NodeId) -> Result<Data> {
        let [channels, ..] = self.shape(x);
        let id = self.push(op, Op::Mean, &[x], [channels, 1, 1])?;
        Ok(Data::map(&self.graph, id))
    }
}
