//! Where the numbers of a convolution lie: planes padded and split by stride, so that every tap of
//! the kernel is one offset into a flat row.

use std::mem::MaybeUninit;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;

/// Sizes of one convolution. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) batch: usize,
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    /// Padding above and to the left.
    pub(crate) lead: [usize; 2],
    /// One filter per channel.
    pub(crate) depthwise: bool,
}

impl Geometry {
    /// The sizes of `conv` on an input of `dims`, or nothing for a convolution that the fused
    /// kernels do not cover.
    pub(crate) fn of(conv: &Conv2d, dims: [usize; 4]) -> Option<Self> {
        let [batch, in_channels, height, width] = dims;
        let [out_channels, per_group, ..] = conv.weight.dims();
        let input = [height, width];
        // (before, after) of the rows and of the columns.
        let (rows, columns) = match conv.padding {
            PaddingConfig2d::Valid => ((0, 0), (0, 0)),
            PaddingConfig2d::Explicit(top, left, bottom, right) => ((top, bottom), (left, right)),
            PaddingConfig2d::Same => return None,
        };
        let depthwise = conv.groups > 1;
        let groups_fit = if depthwise {
            conv.groups == in_channels && in_channels == out_channels && per_group == 1
        } else {
            per_group == in_channels
        };
        let kernel = conv.kernel_size;
        let stride = conv.stride[0];
        let pads_fit = rows.0.max(rows.1) < kernel[0] && columns.0.max(columns.1) < kernel[1];
        let padded = [height + rows.0 + rows.1, width + columns.0 + columns.1];
        let fits = groups_fit
            && pads_fit
            && conv.dilation == [1, 1]
            && conv.stride[1] == stride
            && stride > 0
            && batch * in_channels * height * width > 0
            && padded[0] >= kernel[0]
            && padded[1] >= kernel[1];
        fits.then(|| Self {
            batch,
            in_channels,
            out_channels,
            input,
            output: [0, 1].map(|d| (padded[d] - kernel[d]) / stride + 1),
            kernel,
            stride,
            lead: [rows.0, columns.0],
            depthwise,
        })
    }

    /// Whether input planes can be read where they are: 1x1, stride 1.
    pub(super) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1
    }

    /// Kernel taps in row-major order.
    pub(super) fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [rows, columns] = self.kernel;
        (0..rows).flat_map(move |y| (0..columns).map(move |x| [y, x]))
    }

    /// How far the kernel reaches, in steps of the stride.
    pub(super) fn reach(&self) -> [usize; 2] {
        self.kernel.map(|k| (k - 1) / self.stride)
    }

    /// Floats of one input plane.
    pub(super) fn in_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Floats of one output plane.
    pub(super) fn out_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }
}

/// Layout of padded planes, split into `step` x `step` phases so that neighbours at the stride's
/// distance are adjacent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Rows and columns of one phase.
    pub(super) size: [usize; 2],
    pub(super) step: usize,
    /// Padding above and to the left.
    pub(super) lead: [usize; 2],
}

impl Grid {
    /// For the input of a convolution.
    pub(super) fn of_input(g: &Geometry) -> Self {
        let reach = g.reach();
        let size = [0, 1].map(|d| g.output[d] + reach[d]);
        Self {
            size,
            step: g.stride,
            lead: g.lead,
        }
    }

    /// For output gradients in the layout that lines up with [`Grid::of_input`].
    pub(super) fn aligned_output(g: &Geometry) -> Self {
        let size = [g.output[0], g.output[1] + g.reach()[1]];
        Self {
            size,
            step: 1,
            lead: [0, 0],
        }
    }

    /// Floats of one phase.
    pub(super) fn phase(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Floats of one plane.
    pub(super) fn plane(&self) -> usize {
        self.phase() * self.step * self.step
    }

    /// Offset of tap (y, x) from the position of its output.
    pub(super) fn tap(&self, [y, x]: [usize; 2]) -> usize {
        let phase = (y % self.step) * self.step + x % self.step;
        phase * self.phase() + (y / self.step) * self.size[1] + x / self.step
    }

    /// Writes a plane of `size` into `dst` (one plane of this grid), zeros around it.
    pub(super) fn fill(&self, src: &[f32], [height, width]: [usize; 2], dst: &mut [f32]) {
        dst.fill(0.0);
        let step = self.step;
        for y in 0..height {
            let row = &src[y * width..][..width];
            let (phase, at) = ((y + self.lead[0]) % step, (y + self.lead[0]) / step);
            if at >= self.size[0] {
                break;
            }
            if step == 1 {
                let columns = width.min(self.size[1] - self.lead[1]);
                dst[at * self.size[1] + self.lead[1]..][..columns].copy_from_slice(&row[..columns]);
                continue;
            }
            for side in 0..step {
                let start = (phase * step + side) * self.phase() + at * self.size[1];
                let line = &mut dst[start..start + self.size[1]];
                // The first column x >= 0 with (x + lead) % step == side.
                let first = (side + step - self.lead[1] % step) % step;
                let to = (first + self.lead[1]) / step;
                let from = row.iter().skip(first).step_by(step);
                for (d, s) in line[to.min(self.size[1])..].iter_mut().zip(from) {
                    *d = *s;
                }
            }
        }
    }
}

/// Where flat results go: position p is (p / width, p % width) of a lattice that covers every
/// `step`-th pixel of the target from `origin` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Positions of one flat row.
    pub(super) width: usize,
    /// Rows and columns of the lattice that are kept.
    pub(super) keep: [usize; 2],
    pub(super) origin: [usize; 2],
    pub(super) step: usize,
    /// Columns of the target plane.
    pub(super) target: usize,
}

impl Place {
    /// Flat positions up to the last that is kept.
    pub(super) fn span(&self) -> usize {
        match self.keep {
            [0, _] | [_, 0] => 0,
            [rows, columns] => (rows - 1) * self.width + columns,
        }
    }

    /// Copies the flat positions `from..from + src.len()` into the target plane.
    pub(super) fn put(&self, src: &[f32], from: usize, dst: &mut [MaybeUninit<f32>]) {
        let end = from + src.len();
        let mut at = from;
        while at < end {
            let (row, column) = (at / self.width, at % self.width);
            let next = (row + 1) * self.width;
            if column < self.keep[1] {
                let len = (self.keep[1] - column).min(end - at);
                let piece = &src[at - from..][..len];
                let start = (self.origin[0] + row * self.step) * self.target
                    + self.origin[1]
                    + column * self.step;
                if self.step == 1 {
                    dst[start..start + len].write_copy_of_slice(piece);
                } else {
                    let to = dst[start..].iter_mut().step_by(self.step);
                    to.zip(piece).for_each(|(d, s)| {
                        d.write(*s);
                    });
                }
            }
            at = next;
        }
    }
}
