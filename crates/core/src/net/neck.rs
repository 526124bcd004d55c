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

/// A pyramid that also leads upwards again (PAFPN, Liu et al., 2018, arXiv:1803.01534), as SCRFD has
/// it, without norms and activations: C3, C4, C5 -> P3, P4, P5 of `channels`, sizes stay.
pub fn pafpn<O: Ops>(ops: &mut O, maps: &[O::Value; 3], channels: usize) -> [O::Value; 3] {
    let lateral = Conv::new(channels, 1).unnormed();
    let conv = Conv::new(channels, 3).unnormed();
    let down = conv.stride(2);
    let [c3, c4, c5] =
        [0, 1, 2].map(|i| ops.conv(&format!("pafpn.lateral.{i}"), &maps[i], lateral));
    let c4 = ops.upsample_add(&c5, &c4);
    let c3 = ops.upsample_add(&c4, &c3);
    let p3 = ops.conv("pafpn.merge.0", &c3, conv);
    let p4 = ops.conv("pafpn.merge.1", &c4, conv);
    let p5 = ops.conv("pafpn.merge.2", &c5, conv);
    let from_p3 = ops.conv("pafpn.down.0", &p3, down);
    let p4 = ops.add(&p4, &from_p3);
    let from_p4 = ops.conv("pafpn.down.1", &p4, down);
    let p5 = ops.add(&p5, &from_p4);
    let p4 = ops.conv("pafpn.out.0", &p4, conv);
    let p5 = ops.conv("pafpn.out.1", &p5, conv);
    [p3, p4, p5]
}

/// What SCRFD's heads of a level share: two separable convolutions of maps with `from` channels to
/// maps with `channels`, without norms.
pub fn separable_pairs<O: Ops>(
    ops: &mut O,
    level: usize,
    x: &O::Value,
    [from, channels]: [usize; 2],
) -> O::Value {
    let act = Act::Leaky(0.0);
    let pointwise = Conv::new(channels, 1).act(act).unnormed();
    let mut x = x.clone();
    for (pair, from) in [from, channels].into_iter().enumerate() {
        let name = format!("pairs.{level}.{pair}");
        let depthwise = Conv::new(from, 3).depthwise().act(act).unnormed();
        x = ops.conv(&format!("{name}.depthwise"), &x, depthwise);
        x = ops.conv(&format!("{name}.pointwise"), &x, pointwise);
    }
    x
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
