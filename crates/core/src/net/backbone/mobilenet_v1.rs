//! MobileNetV1 (Howard et al., 2017, arXiv:1704.04861), cut at strides 8, 16 and 32.

use super::Widths;
use crate::net::{Act, Conv, Ops};

/// All over this backbone.
const ACT: Act = Act::Leaky(0.1);

/// Channels of the stem at width 1.
const STEM: usize = 32;

/// Output channels at width 1 and stride of each separable convolution, by stage.
const STAGES: [&[(usize, usize)]; 3] = [
    &[(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)],
    &[(512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)],
    &[(1024, 2), (1024, 1)],
];

/// `x` `[B,C,H,W]` -> C3, C4, C5; width 0.25 has 8 to 256 channels. The stem is the first layer,
/// every separable convolution is one.
pub fn forward<O: Ops>(ops: &mut O, x: &O::Value, widths: Widths) -> [O::Value; 3] {
    let mut layer = 0;
    let mut from = widths.of(layer, STEM);
    let stem = Conv::new(from, 3).stride(2).act(ACT);
    let mut x = ops.conv("backbone.stem", x, stem);
    [0, 1, 2].map(|stage| {
        for (block, &(to, stride)) in STAGES[stage].iter().enumerate() {
            let name = format!("backbone.stages.{stage}.{block}");
            let depthwise = Conv::new(from, 3).depthwise().stride(stride).act(ACT);
            x = ops.conv(&format!("{name}.depthwise"), &x, depthwise);
            layer += 1;
            from = widths.of(layer, to);
            let pointwise = Conv::new(from, 1).act(ACT);
            x = ops.conv(&format!("{name}.pointwise"), &x, pointwise);
        }
        x.clone()
    })
}
