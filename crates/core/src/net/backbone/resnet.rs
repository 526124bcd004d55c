//! ResNet (He et al., 2015, arXiv:1512.03385), cut at strides 8, 16 and 32. The stride of a
//! bottleneck sits on its 3x3 convolution, as in torchvision, whose weights load.

use crate::net::{Act, Conv, Ops, Pool};

/// Plain ReLU all over this backbone: that is what its published weights were trained with.
const ACT: Act = Act::Leaky(0.0);

/// Channels of the stem.
const STEM: usize = 64;

/// Behind the stem.
const POOL: Pool = Pool {
    kernel: 3,
    stride: 2,
    pad: 1,
};

/// Which ResNet.
#[derive(Clone, Copy)]
pub enum Depth {
    /// 18 layers: pairs of 3x3 convolutions.
    R18,
    /// 50 layers: bottlenecks of 1x1, 3x3, 1x1.
    R50,
}

impl Depth {
    /// Blocks in each of the four stages.
    const fn blocks(self) -> [usize; 4] {
        match self {
            Self::R18 => [2, 2, 2, 2],
            Self::R50 => [3, 4, 6, 3],
        }
    }

    /// Output channels of a block relative to its inner ones.
    const fn expansion(self) -> usize {
        match self {
            Self::R18 => 1,
            Self::R50 => 4,
        }
    }

    /// The convolutions of a block; the last one has no activation.
    fn path(self, inner: usize, stride: usize) -> Vec<Conv> {
        let to = inner * self.expansion();
        match self {
            Self::R18 => vec![
                Conv::new(inner, 3).stride(stride).act(ACT),
                Conv::new(to, 3).ending_path(),
            ],
            Self::R50 => vec![
                Conv::new(inner, 1).act(ACT),
                Conv::new(inner, 3).stride(stride).act(ACT),
                Conv::new(to, 1).ending_path(),
            ],
        }
    }
}

/// `x` `[B,C,H,W]` -> C3, C4, C5.
pub fn forward<O: Ops>(ops: &mut O, x: &O::Value, depth: Depth) -> [O::Value; 3] {
    let stem = Conv::new(STEM, 7).stride(2).act(ACT);
    let x = ops.conv("backbone.stem", x, stem);
    let mut x = ops.max_pool(&x, POOL);
    let mut from = STEM;
    let maps = [0, 1, 2, 3].map(|stage| {
        let inner = STEM << stage;
        let to = inner * depth.expansion();
        for index in 0..depth.blocks()[stage] {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            let name = format!("backbone.stages.{stage}.{index}");
            let mut around = x.clone();
            for (at, conv) in depth.path(inner, stride).into_iter().enumerate() {
                x = ops.conv(&format!("{name}.path.{at}"), &x, conv);
            }
            if stride != 1 || from != to {
                let shortcut = Conv::new(to, 1).stride(stride);
                around = ops.conv(&format!("{name}.shortcut"), &around, shortcut);
            }
            let sum = ops.add(&x, &around);
            x = ops.act(&sum, ACT);
            from = to;
        }
        x.clone()
    });
    let [_, c3, c4, c5] = maps;
    [c3, c4, c5]
}
