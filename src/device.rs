//! Device names.

use anyhow::{Result, bail};
use burn::tensor::Device;

/// The device called `name`: `flex`, or `tch`, `wgpu`, `cuda` where built in.
///
/// # Errors
/// When the name is unknown or its feature is not built in.
pub fn by_name(name: &str) -> Result<Device> {
    match name {
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "tch")]
        "tch" => Ok(Device::libtorch()),
        other => bail!("unknown device {other:?}: choose flex"),
    }
}
