//! Windows of convolutions and pooling, which files describe in more ways than graphs.

use super::operation::Operation;
use crate::error::Result;
use crate::net::{Conv, Padding};

/// Largest number that a window may be described by.
const MOST: i64 = 1 << 16;

/// Largest side of a square around a window that is none.
const LARGEST_SQUARE: usize = 31;

/// Kernel, stride and so on along each axis.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Pixels beyond the first edge.
    pub lead: [usize; 2],
    /// Pixels beyond the last edge.
    pub trail: [usize; 2],
    /// What comes out.
    pub outputs: [usize; 2],
}

/// A window within a square, which convolutions of graphs are.
#[derive(Clone, Copy, Debug)]
pub struct Square {
    pub side: usize,
    pub padding: Padding,
    /// Where in the square the window begins.
    pub offset: [usize; 2],
}

impl Window {
    /// Of an operation on maps of `size`; `kernel` is that of its weights.
    pub fn of(op: &Operation<'_>, size: [usize; 2], kernel: Option<[usize; 2]>) -> Result<Self> {
        let pair = |name: &str| match op.ints(name) {
            None | Some([]) => Ok(None),
            Some(&[a, b]) if [a, b].iter().all(|n| (1..=MOST).contains(n)) => {
                Ok(Some([a as usize, b as usize]))
            }
            Some(other) => Err(op.refuse(format!("{name} {other:?} is not supported"))),
        };
        let own = pair("kernel_shape")?;
        if own.is_some() && kernel.is_some() && own != kernel {
            return Err(op.refuse("kernel_shape is not that of the weights"));
        }
        let kernel = kernel
            .or(own)
            .ok_or_else(|| op.refuse("has no kernel_shape"))?;
        let mut window = Self {
            kernel,
            stride: pair("strides")?.unwrap_or([1; 2]),
            dilation: pair("dilations")?.unwrap_or([1; 2]),
            lead: [0; 2],
            trail: [0; 2],
            outputs: [0; 2],
        };
        window.pad(op, size)?;
        for axis in [0, 1] {
            let padded = size[axis] + window.lead[axis] + window.trail[axis];
            let Some(free) = padded.checked_sub(window.reach(axis)) else {
                return Err(op.refuse(format!("its window is larger than its input {size:?}")));
            };
            window.outputs[axis] = free / window.stride[axis] + 1;
            let left_over = !free.is_multiple_of(window.stride[axis]);
            if op.int("ceil_mode", 0) != 0 && left_over {
                return Err(op.refuse(format!(
                    "windows that end beyond the edge (ceil_mode) are not supported, as they are \
                     for an input of {size:?}"
                )));
            }
        }
        Ok(window)
    }

    /// Pixels from the first to the last of a window.
    pub fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    fn pad(&mut self, op: &Operation<'_>, size: [usize; 2]) -> Result<()> {
        let same = match op.text("auto_pad") {
            None | Some("NOTSET") => {
                return self.pad_as_said(op);
            }
            Some("VALID") => return Ok(()),
            Some(same) => same,
        };
        for (axis, &side) in size.iter().enumerate() {
            let needed = (side.div_ceil(self.stride[axis]) - 1) * self.stride[axis];
            let both = (needed + self.reach(axis)).saturating_sub(side);
            self.lead[axis] = match same {
                "SAME_UPPER" => both / 2,
                "SAME_LOWER" => both.div_ceil(2),
                other => return Err(op.refuse(format!("auto_pad {other} is not supported"))),
            };
            self.trail[axis] = both - self.lead[axis];
        }
        Ok(())
    }

    fn pad_as_said(&mut self, op: &Operation<'_>) -> Result<()> {
        match op.ints("pads") {
            None | Some([]) => Ok(()),
            Some(&[top, left, bottom, right])
                if [top, left, bottom, right]
                    .iter()
                    .all(|n| (0..=MOST).contains(n)) =>
            {
                self.lead = [top as usize, left as usize];
                self.trail = [bottom as usize, right as usize];
                Ok(())
            }
            Some(other) => Err(op.refuse(format!("pads {other:?} are not supported"))),
        }
    }

    /// The smallest square that does the same with zeros around the window, on maps of `size`.
    pub fn square(&self, op: &Operation<'_>, size: [usize; 2]) -> Result<Square> {
        let reach = [self.reach(0), self.reach(1)];
        let is_square = reach[0] == reach[1];
        // A square of 2 * half + 1 with as many zeros at the edge as `Padding::Same` has.
        let needed =
            |axis: usize| self.lead[axis].max((reach[axis] - 1).saturating_sub(self.lead[axis]));
        let half = needed(0).max(needed(1));
        let same = Square {
            side: 2 * half + 1,
            padding: Padding::Same,
            offset: self.lead.map(|lead| half - lead),
        };
        let valid = Square {
            side: reach[0],
            padding: Padding::Valid,
            offset: [0; 2],
        };
        let has_no_pads = self.lead == [0; 2] && self.trail == [0; 2];
        let as_many = [0, 1].map(|axis| (size[axis] - 1) / self.stride[axis] + 1);
        let fits_same = as_many == self.outputs && same.side <= LARGEST_SQUARE.max(reach[0]);
        match self.stride[0] == self.stride[1] {
            true if fits_same && is_square && same.side == reach[0] => Ok(same),
            true if is_square && has_no_pads => Ok(valid),
            true if fits_same => Ok(same),
            _ => Err(op.refuse(format!("windows like this are not supported: {self:?}"))),
        }
    }
}

impl Square {
    /// The convolution of such squares, without what belongs to its numbers.
    pub fn conv(&self, to: usize, stride: usize) -> Conv {
        Conv {
            stride,
            padding: self.padding,
            norm: None,
            ..Conv::new(to, self.side)
        }
    }

    /// Kernels of the window within kernels of the square, with zeros around.
    pub fn embed(&self, window: &Window, kernels: &[f32]) -> Vec<f32> {
        let [height, width] = window.kernel;
        let area = self.side * self.side;
        let mut result = vec![0.0; kernels.len() / (height * width) * area];
        let squares = result.chunks_exact_mut(area);
        for (square, kernel) in squares.zip(kernels.chunks_exact(height * width)) {
            for (index, &value) in kernel.iter().enumerate() {
                let y = self.offset[0] + index / width * window.dilation[0];
                let x = self.offset[1] + index % width * window.dilation[1];
                square[y * self.side + x] = value;
            }
        }
        result
    }
}
