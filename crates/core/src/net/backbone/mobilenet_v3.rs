//! MobileNetV3-Large (Howard et al., 2019, arXiv:1905.02244), cut at strides 8, 16 and 32. Layers
//! are counted as in torchvision, whose weights load.

use crate::net::{Act, Conv, Norm, Ops};

/// Of all batch norms here: what the published weights were trained with.
const NORM: Norm = Norm {
    epsilon: 1e-3,
    momentum: 0.01,
};

const RELU: Act = Act::Leaky(0.0);

/// Channels of the stem at width 1.
const STEM: usize = 16;

/// Channels of the last convolution relative to its input.
const LAST: usize = 6;

/// A block: kernel, expanded and output channels (at width 1 in the table), whether it has
/// squeeze-and-excitation, stride.
type Row = (usize, usize, usize, bool, usize);

/// Table 1 of the paper by stage, without its first and last convolutions.
const STAGES: [&[Row]; 3] = [
    &[
        (3, 16, 16, false, 1),
        (3, 64, 24, false, 2),
        (3, 72, 24, false, 1),
        (5, 72, 40, true, 2),
        (5, 120, 40, true, 1),
        (5, 120, 40, true, 1),
    ],
    &[
        (3, 240, 80, false, 2),
        (3, 200, 80, false, 1),
        (3, 184, 80, false, 1),
        (3, 184, 80, false, 1),
        (3, 480, 112, true, 1),
        (3, 672, 112, true, 1),
    ],
    &[
        (5, 672, 160, true, 2),
        (5, 960, 160, true, 1),
        (5, 960, 160, true, 1),
    ],
];

/// In the blocks of each stage.
const ACTS: [Act; 3] = [RELU, Act::HardSwish, Act::HardSwish];

/// The multiple of 8 next to `channels`, from 8 on; the one above where the next takes more than a
/// tenth away.
fn divisible(channels: f32) -> usize {
    let nearest = ((channels + 4.0) as usize / 8 * 8).max(8);
    if (nearest as f32) < 0.9 * channels {
        nearest + 8
    } else {
        nearest
    }
}

fn conv(to: usize, kernel: usize) -> Conv {
    Conv::new(to, kernel).norm(NORM)
}

/// `x` `[B,C,H,W]` -> C3, C4, C5; width 1 has 40, 112 and 960 channels.
pub fn forward<O: Ops>(ops: &mut O, x: &O::Value, width: f32) -> [O::Value; 3] {
    let scaled = |channels: usize| divisible(channels as f32 * width);
    let mut from = scaled(STEM);
    let stem = conv(from, 3).stride(2).act(Act::HardSwish);
    let mut x = ops.conv("backbone.stem", x, stem);
    [0, 1, 2].map(|stage| {
        for (index, &(kernel, inner, to, squeeze, stride)) in STAGES[stage].iter().enumerate() {
            let name = format!("backbone.stages.{stage}.{index}.path");
            let row = (kernel, scaled(inner), scaled(to), squeeze, stride);
            x = block(ops, &name, &x, from, row, ACTS[stage]);
            from = scaled(to);
        }
        if stage == 2 {
            let name = format!("backbone.stages.2.{}.path.0", STAGES[2].len());
            x = ops.conv(&name, &x, conv(LAST * from, 1).act(Act::HardSwish));
        }
        x.clone()
    })
}

/// Inverted residual (Sandler et al., 2018, arXiv:1801.04381): more channels, a convolution within
/// each, fewer channels; the input is added where shapes allow it.
fn block<O: Ops>(
    ops: &mut O,
    name: &str,
    input: &O::Value,
    from: usize,
    (kernel, inner, to, squeeze, stride): Row,
    act: Act,
) -> O::Value {
    let mut layer = 0;
    let mut next = || {
        layer += 1;
        format!("{name}.{}", layer - 1)
    };
    let mut x = input.clone();
    // The first block has all its channels from the start.
    if inner != from {
        x = ops.conv(&next(), &x, conv(inner, 1).act(act));
    }
    let depthwise = conv(inner, kernel).depthwise().stride(stride).act(act);
    x = ops.conv(&next(), &x, depthwise);
    if squeeze {
        x = squeeze_excite(ops, &next(), &x, inner);
    }
    let last = conv(to, 1);
    if stride == 1 && from == to {
        x = ops.conv(&next(), &x, last.ending_path());
        ops.add(&x, input)
    } else {
        ops.conv(&next(), &x, last)
    }
}

/// Squeeze-and-excitation (Hu et al., 2017, arXiv:1709.01507) with a hard sigmoid.
fn squeeze_excite<O: Ops>(ops: &mut O, name: &str, x: &O::Value, channels: usize) -> O::Value {
    let middle = divisible((channels / 4) as f32);
    let mean = ops.mean(x);
    let reduce = Conv::head(middle).act(RELU);
    let middle = ops.conv(&format!("{name}.reduce"), &mean, reduce);
    let expand = Conv::head(channels).act(Act::HardSigmoid);
    let factor = ops.conv(&format!("{name}.expand"), &middle, expand);
    ops.scale_channels(x, &factor)
}
