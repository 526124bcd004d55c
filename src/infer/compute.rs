//! Who computes networks.

use burn::tensor::Device;

use crate::ops;

/// A device, and whether this program's executor takes burn's place on it.
#[derive(Clone, Debug)]
pub struct Compute {
    /// Where burn computes.
    pub device: Device,
    /// Whether the executor does instead: on the processor it is several times as fast.
    pub executor: bool,
}

impl From<&Device> for Compute {
    /// The executor wherever it can: on `flex`.
    fn from(device: &Device) -> Self {
        Self {
            executor: ops::is_flex(device),
            device: device.clone(),
        }
    }
}

impl Compute {
    /// Burn, whatever the device.
    #[must_use]
    pub fn burn(self) -> Self {
        Self {
            executor: false,
            ..self
        }
    }
}
