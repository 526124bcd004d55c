//! Size and work of a network, counted on the layers themselves.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};

use super::Aligner;
use super::backbone::{Backbone, MobileBlock, MobileLayer, Residual, Separable};
use super::blocks::ConvBn;
use super::retinaface::RetinaFace;
use super::se::SeBlock;
use super::shapes::shapes;
use super::ssh::Ssh;

/// Height and width of a feature map.
type Size = [usize; 2];

/// Counts multiply-adds of convolutions and fully connected layers; norms, activations and sums
/// are left out, as is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiplications, each with its addition.
    pub multiply_adds: u64,
}

impl Cost {
    fn conv(&mut self, conv: &Conv2d, size: Size) -> Size {
        let [outputs, inputs, kh, kw] = conv.weight.dims();
        let (top, left, bottom, right) = match conv.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => (top, left, bottom, right),
            PaddingConfig2d::Same => (kh / 2, kw / 2, kh / 2, kw / 2),
            PaddingConfig2d::Valid => (0, 0, 0, 0),
        };
        let out = [
            (size[0] + top + bottom).saturating_sub(kh) / conv.stride[0] + 1,
            (size[1] + left + right).saturating_sub(kw) / conv.stride[1] + 1,
        ];
        self.multiply_adds += (outputs * inputs * kh * kw * out[0] * out[1]) as u64;
        out
    }

    fn block(&mut self, block: &ConvBn, size: Size) -> Size {
        self.conv(&block.conv, size)
    }

    fn separable(&mut self, layer: &Separable, size: Size) -> Size {
        let size = self.block(&layer.depthwise, size);
        self.block(&layer.pointwise, size)
    }

    fn mobile(&mut self, block: &MobileBlock, size: Size) -> Size {
        block.path.iter().fold(size, |size, layer| match layer {
            MobileLayer::Conv(conv) | MobileLayer::HardSwish(conv) => self.block(conv, size),
            MobileLayer::Squeeze(squeeze) => {
                // On means over the whole map.
                self.conv(&squeeze.reduce, [1, 1]);
                self.conv(&squeeze.expand, [1, 1]);
                size
            }
        })
    }

    fn residual(&mut self, layer: &Residual, size: Size) -> Size {
        if let Some(shortcut) = &layer.shortcut {
            self.block(shortcut, size);
        }
        layer.path.iter().fold(size, |size, c| self.block(c, size))
    }

    fn linear(&mut self, linear: &Linear) {
        self.multiply_adds += linear.weight.dims().iter().product::<usize>() as u64;
    }

    /// Adds the backbone's work at `size` (height, width); gives the sizes of C3, C4, C5.
    pub fn backbone(&mut self, backbone: &Backbone, size: Size) -> [Size; 3] {
        let mut sizes = Vec::new();
        match backbone {
            Backbone::MobilenetV1(net) => {
                let mut size = self.block(&net.stem, size);
                for stage in &net.stages {
                    size = stage.iter().fold(size, |size, l| self.separable(l, size));
                    sizes.push(size);
                }
            }
            Backbone::MobilenetV3(net) => {
                let mut size = self.block(&net.stem, size);
                for stage in &net.stages {
                    size = stage.iter().fold(size, |size, b| self.mobile(b, size));
                    sizes.push(size);
                }
            }
            Backbone::Resnet(net) => {
                let mut size = self.block(&net.stem, size).map(|side| side.div_ceil(2));
                for stage in &net.stages {
                    size = stage.iter().fold(size, |size, l| self.residual(l, size));
                    sizes.push(size);
                }
                sizes.remove(0);
            }
        }
        [sizes[0], sizes[1], sizes[2]]
    }

    fn ssh(&mut self, ssh: &Ssh, size: Size) {
        for block in [
            &ssh.conv3,
            &ssh.conv5_1,
            &ssh.conv5_2,
            &ssh.conv7_2,
            &ssh.conv7_3,
        ] {
            self.block(block, size);
        }
    }

    fn se(&mut self, se: &SeBlock) {
        self.linear(&se.reduce);
        self.linear(&se.expand);
    }
}

/// Multiply-adds of each part of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Backbone.
    pub backbone: Cost,
    /// Feature pyramid, context modules, channel attention.
    pub neck: Cost,
    /// Class and box heads.
    pub heads: Cost,
    /// The landmark heads at every location; inference runs them only where a face was found.
    pub landmark_heads: Cost,
}

impl Costs {
    /// Each part with its name.
    pub fn parts(&self) -> [(&'static str, Cost); 4] {
        [
            ("backbone", self.backbone),
            ("neck", self.neck),
            ("heads", self.heads),
            ("landmark heads", self.landmark_heads),
        ]
    }

    /// Multiply-adds of all parts.
    pub fn total(&self) -> u64 {
        self.parts()
            .iter()
            .map(|(_, cost)| cost.multiply_adds)
            .sum()
    }

    /// Of one image of `size` (height, width).
    pub fn of(model: &RetinaFace, size: Size) -> Self {
        let mut costs = Self::default();
        let sizes = costs.backbone.backbone(&model.backbone, size);
        for (lateral, size) in model.fpn.lateral.iter().zip(sizes) {
            costs.neck.block(lateral, size);
        }
        for (merge, size) in model.fpn.merge.iter().zip(sizes) {
            costs.neck.block(merge, size);
        }
        for (ssh, size) in model.ssh.iter().zip(sizes) {
            costs.neck.ssh(ssh, size);
        }
        for se in &model.se {
            costs.neck.se(se);
        }
        for (level, size) in sizes.into_iter().enumerate() {
            costs.heads.conv(&model.class_heads[level], size);
            costs.heads.conv(&model.box_heads[level], size);
            let landmarks = &model.landmark_heads[level];
            for block in &landmarks.tower {
                costs.landmark_heads.block(block, size);
            }
            costs.landmark_heads.conv(&landmarks.out, size);
        }
        costs
    }
}

/// Of one look at a crop.
pub fn of_aligner(model: &Aligner) -> Cost {
    let mut cost = Cost::default();
    let sizes = cost.backbone(&model.backbone, [model.side(); 2]);
    for (reduce, size) in model.reduce.iter().zip(sizes) {
        cost.block(reduce, size);
    }
    cost.block(&model.halve, sizes[0]);
    if let Some(heatmaps) = &model.heatmaps {
        for (lateral, size) in heatmaps.lateral.iter().zip(sizes) {
            cost.block(lateral, size);
        }
        for block in &heatmaps.mix {
            cost.block(block, sizes[0]);
        }
        cost.conv(&heatmaps.logits, sizes[0]);
    }
    for layer in model.scales.iter().chain([&model.points]) {
        cost.linear(layer);
    }
    cost
}

/// Learned numbers of each part (running statistics of batch norms are not learned).
pub fn parameters(model: &impl Module) -> BTreeMap<String, usize> {
    let mut parts = BTreeMap::new();
    for (name, shape) in shapes(model) {
        if !name.contains(".running_") {
            let part = name.split('.').next().unwrap_or_default();
            *parts.entry(part.to_string()).or_default() += shape.num_elements();
        }
    }
    parts
}
