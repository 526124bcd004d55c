//! Which loss trains which network.

use anyhow::Result;
use burn::tensor::Tensor;

use super::{AlignLoss, Losses, MultiBox};
use crate::anchors::Targets;
use crate::config::LossConfig;
use crate::model::{Aligner, Network, RetinaFace};

/// A network with the loss that it is trained by.
pub trait Learn: Network {
    /// The loss of `images` `[B,3,S,S]` with the targets of each.
    ///
    /// # Errors
    /// When images and targets differ in number or shape.
    fn losses(&self, config: &LossConfig, images: Tensor<4>, targets: &[Targets])
    -> Result<Losses>;
}

impl Learn for RetinaFace {
    fn losses(
        &self,
        config: &LossConfig,
        images: Tensor<4>,
        targets: &[Targets],
    ) -> Result<Losses> {
        let outputs = self.forward(images);
        MultiBox::new(config.clone()).forward(self, &outputs, targets)
    }
}

impl Learn for Aligner {
    fn losses(
        &self,
        config: &LossConfig,
        images: Tensor<4>,
        targets: &[Targets],
    ) -> Result<Losses> {
        AlignLoss::new(config.clone()).forward(&self.forward(images), targets)
    }
}
