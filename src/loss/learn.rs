//! Which loss trains which network.

use anyhow::Result;
use burn::tensor::Tensor;

use super::{AlignLoss, DetectorLoss, Losses};
use crate::anchors::Targets;
use crate::config::Config;
use crate::model::{Aligner, Network, RetinaFace};

/// A network with the loss that it is trained by.
pub trait Learn: Network {
    /// That loss.
    type Loss: Sync;

    /// The loss that `config` describes.
    ///
    /// # Errors
    /// When the landmark scheme is impossible.
    fn loss(config: &Config) -> Result<Self::Loss>;

    /// The loss of `images` `[B,C,S,S]` with the targets of each.
    ///
    /// # Errors
    /// When images and targets differ in number or shape.
    fn losses(&self, loss: &Self::Loss, images: Tensor<4>, targets: &[Targets]) -> Result<Losses>;
}

impl Learn for RetinaFace {
    type Loss = DetectorLoss;

    fn loss(config: &Config) -> Result<DetectorLoss> {
        DetectorLoss::new(config)
    }

    fn losses(
        &self,
        loss: &DetectorLoss,
        images: Tensor<4>,
        targets: &[Targets],
    ) -> Result<Losses> {
        let outputs = self.forward(images);
        loss.forward(self, &outputs, targets)
    }
}

impl Learn for Aligner {
    type Loss = AlignLoss;

    fn loss(config: &Config) -> Result<AlignLoss> {
        Ok(AlignLoss::new(&config.loss, &config.landmarks.scheme()?))
    }

    fn losses(&self, loss: &AlignLoss, images: Tensor<4>, targets: &[Targets]) -> Result<Losses> {
        loss.forward(&self.forward(images), targets)
    }
}
