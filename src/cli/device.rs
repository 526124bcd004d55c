//! Arguments of commands that run networks.

use anyhow::Result;
use burn::tensor::Device;
use clap::{Args, ValueEnum};

use crate::device;
use crate::infer::Compute;

/// Where networks run.
#[derive(Clone, Debug, Args)]
pub struct DeviceArgs {
    /// Where the network runs
    #[arg(long, default_value = "flex")]
    pub device: String,
    /// Who computes: this program's executor, where the device is `flex`, or burn everywhere
    #[arg(long, value_enum, default_value = "own", hide = true)]
    pub engine: EngineKind,
}

/// Where networks learn.
#[derive(Clone, Debug, Args)]
pub struct DevicesArgs {
    /// Device to train on: flex (this machine's CPU), or one whose feature is built in; several, as in
    /// cuda:0,cuda:1, share the micro-batches of each step (optimizer.accumulate)
    #[arg(
        long = "device",
        default_value = "flex",
        value_name = "NAME[,NAME...]",
        value_delimiter = ','
    )]
    pub names: Vec<String>,
}

impl DevicesArgs {
    /// The devices; the first one is for inference too.
    ///
    /// # Errors
    /// As [`device::by_name`].
    pub fn open(&self) -> Result<Vec<Device>> {
        self.names
            .iter()
            .map(|name| device::by_name(name))
            .collect()
    }
}

/// Who computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// The executor, on `flex`.
    Own,
    /// burn.
    Burn,
}

impl DeviceArgs {
    /// The device, and who computes on it.
    ///
    /// # Errors
    /// As [`device::by_name`].
    pub fn compute(&self) -> Result<Compute> {
        let compute = Compute::from(&device::by_name(&self.device)?);
        Ok(match self.engine {
            EngineKind::Own => compute,
            EngineKind::Burn => compute.burn(),
        })
    }
}
