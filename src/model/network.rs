//! What the detector and the aligner have in common.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;

use crate::config::{Config, Task};

/// A network that is trained, saved and loaded.
pub trait Network: Module {
    /// The task that trains it.
    const TASK: Task;

    /// The network that `config` describes, with random weights from `device`'s generator.
    ///
    /// # Errors
    /// When `config` holds an impossible setting: names its key.
    fn new(config: &Config, device: &Device) -> Result<Self>;

    /// The same function with batch norms folded into convolutions: faster, for inference only.
    /// Take it of a [`Module::valid`] model.
    #[must_use]
    fn fold(self) -> Self;

    /// Whether [`Network::fold`] was called.
    fn is_folded(&self) -> bool;

    /// Switch learning of the `parts` off (no gradients, batch norms use and keep their running
    /// statistics) and of all others on.
    ///
    /// # Errors
    /// When there is no such part: lists those that there are.
    fn freeze_parts(self, parts: &[&str]) -> Result<Self>;
}
