//! Arguments of commands that run networks.

use anyhow::Result;
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
