//! From C3, C4, C5 to what the heads read.

use super::{Act, Conv, Init, Linear, Ops};

/// Feature pyramid (Lin et al., 2016, arXiv:1612.03144) with nearest upsampling to the size of the
/// finer level, so that any input size works: C3, C4, C5 -> P3, P4, P5 of `channels`, sizes stay.
pub fn fpn<O: Ops>(ops: &mut O, maps: &[O::Value; 3], channels: usize, act: Act) -> [O::Value; 3] {
    let lateral = Conv::new(channels, 1).act(act);
    let merge = Conv::new(channels, 3).act(act);
    let p5 = ops.conv("fpn.lateral.2", &maps[2], lateral);
    let c4 = ops.conv("fpn.lateral.1", &maps[1], lateral);
    let p4 = ops.upsample_add(&p5, &c4);
    let p4 = ops.conv("fpn.merge.1", &p4, merge);
    let c3 = ops.conv("fpn.lateral.0", &maps[0], lateral);
    let p3 = ops.upsample_add(&p4, &c3);
    let p3 = ops.conv("fpn.merge.0", &p3, merge);
    [p3, p4, p5]
}

/// Context module of SSH (Najibi et al., 2017, arXiv:1708.03979): half the `channels` (a multiple
/// of 4) from a 3x3 convolution, a quarter each from two and from three in a row (5x5 and 7x7
/// receptive fields, the first convolution shared). Shape unchanged.
pub fn ssh<O: Ops>(ops: &mut O, level: usize, x: &O::Value, channels: usize, act: Act) -> O::Value {
    let mut conv = |name: &str, x: &O::Value, to: usize, act: Act| {
        ops.conv(&format!("ssh.{level}.{name}"), x, Conv::new(to, 3).act(act))
    };
    let quarter = channels / 4;
    let narrow = conv("conv3", x, channels / 2, Act::None);
    let shared = conv("conv5_1", x, quarter, act);
    let middle = conv("conv5_2", &shared, quarter, Act::None);
    let wide = conv("conv7_2", &shared, quarter, act);
    let wide = conv("conv7_3", &wide, quarter, Act::None);
    let all = ops.concat(&[narrow, middle, wide]);
    ops.act(&all, Act::Leaky(0.0))
}

/// Channel attention of a level (Hu et al., 2017, arXiv:1709.01507): global mean, `channels /
/// reduction`, ReLU, `channels`, twice the sigmoid. The last layer starts at zero, so that the
/// block begins as the identity.
pub fn se<O: Ops>(
    ops: &mut O,
    level: usize,
    x: &O::Value,
    channels: usize,
    reduction: usize,
) -> O::Value {
    let reduce = Linear::new((channels / reduction).max(1)).act(Act::Leaky(0.0));
    let expand = Linear {
        weight: Init::Constant(0.0),
        bias: Init::Constant(0.0),
        ..Linear::new(channels)
    };
    let mean = ops.mean(x);
    let middle = ops.linear(&format!("se.{level}.reduce"), &mean, reduce);
    let expand = expand.act(Act::Sigmoid { scale: 2.0 });
    let factor = ops.linear(&format!("se.{level}.expand"), &middle, expand);
    ops.scale_channels(x, &factor)
}
