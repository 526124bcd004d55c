//! A plain stack of 3x3 convolutions and maximum pools, as small landmark regressors of 56 to 128
//! pixels have it: each stage ends in half the size.

use super::Widths;
use crate::net::{Act, Conv, Ops, Pool};

/// Behind every convolution.
const ACT: Act = Act::Leaky(0.0);

/// Behind every stage: half of an odd size is rounded up, as strides of convolutions do.
const POOL: Pool = Pool {
    kernel: 3,
    stride: 2,
    pad: 1,
};

/// Channels of the convolutions of each stage, at width 1. The first three stages end in C3.
const STAGES: [&[usize]; 5] = [&[32], &[64, 64], &[64, 64], &[128, 128], &[256]];

/// `x` `[B,C,H,W]` -> C3, C4, C5 at strides 8, 16, 32. Every convolution is a layer.
pub fn forward<O: Ops>(ops: &mut O, x: &O::Value, widths: Widths) -> [O::Value; 3] {
    let mut x = x.clone();
    let mut layer = 0;
    let maps = std::array::from_fn::<_, 5, _>(|stage| {
        for (index, &channels) in STAGES[stage].iter().enumerate() {
            let to = widths.of(layer, channels);
            layer += 1;
            let name = format!("backbone.stages.{stage}.{index}");
            x = ops.conv(&name, &x, Conv::new(to, 3).act(ACT));
        }
        x = ops.max_pool(&x, POOL);
        x.clone()
    });
    let [_, _, c3, c4, c5] = maps;
    [c3, c4, c5]
}
