//! The backbone of SCRFD-0.5GF (Guo et al., 2021, arXiv:2105.04714): a MobileNetV1 whose stages were
//! searched for, with ReLUs and, as it is published, without norms.

use crate::net::{Act, Conv, Ops};

/// All over this backbone.
const ACT: Act = Act::Leaky(0.0);

/// Channels of the stem.
const STEM: usize = 16;

/// Output channels and stride of each separable convolution, by stage.
const STAGES: [&[(usize, usize)]; 3] = [
    &[(16, 1), (40, 2), (40, 1), (72, 2), (72, 1), (72, 1)],
    &[(152, 2), (152, 1)],
    &[(288, 2), (288, 1), (288, 1), (288, 1), (288, 1), (288, 1)],
];

/// `x` `[B,3,H,W]` -> C3, C4, C5 of 72, 152 and 288 channels.
pub fn forward<O: Ops>(ops: &mut O, x: &O::Value) -> [O::Value; 3] {
    let mut from = STEM;
    let stem = Conv::new(from, 3).stride(2).act(ACT).unnormed();
    let mut x = ops.conv("backbone.stem", x, stem);
    [0, 1, 2].map(|stage| {
        for (block, &(to, stride)) in STAGES[stage].iter().enumerate() {
            let name = format!("backbone.stages.{stage}.{block}");
            let depthwise = Conv::new(from, 3).depthwise().stride(stride).act(ACT);
            x = ops.conv(&format!("{name}.depthwise"), &x, depthwise.unnormed());
            from = to;
            let pointwise = Conv::new(from, 1).act(ACT).unnormed();
            x = ops.conv(&format!("{name}.pointwise"), &x, pointwise);
        }
        x.clone()
    })
}
