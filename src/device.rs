//! Device names: where the network computes; and reading from there.

mod read;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

pub use read::{Reading, read, reads};

/// Every device: its name, the cargo feature that builds it in, and whether this build has it.
const DEVICES: [(&str, &str, bool); 4] = [
    ("flex", "default", true),
    ("tch", "tch", cfg!(feature = "tch")),
    ("wgpu", "wgpu", cfg!(feature = "wgpu")),
    ("cuda", "cuda", cfg!(feature = "cuda")),
];

/// Names of the devices in this build.
pub fn built_in() -> Vec<&'static str> {
    let built = DEVICES.iter().filter(|(_, _, built)| *built);
    built.map(|(name, _, _)| *name).collect()
}

/// The device called `name`.
///
/// - `flex`: the CPU, in pure Rust. Always there.
/// - `tch`: libtorch on the CPU; `tch:0` on the first CUDA card.
/// - `wgpu`: the best card that Vulkan, Metal or DirectX 12 reach; `wgpu:1` the second card.
/// - `cuda`: the first NVIDIA card; `cuda:1` the second one.
///
/// Training needs `.autodiff()` of it.
///
/// # Errors
/// When the name is unknown (lists the known ones) or its feature is not built in (names it).
pub fn by_name(name: &str) -> Result<Device> {
    let (kind, index) = match name.split_once(':') {
        None => (name, None),
        Some((kind, index)) => {
            let index: usize = index
                .parse()
                .with_context(|| format!("device {name:?}: expected a card number after ':'"))?;
            (kind, Some(index))
        }
    };
    let Some((_, feature, built)) = DEVICES.iter().find(|(known, _, _)| *known == kind) else {
        let known = DEVICES.map(|(known, _, _)| known).join(", ");
        bail!("unknown device {name:?}: the devices are {known}");
    };
    if !built {
        bail!(
            "device {kind:?} is not built in: build with `--features {feature}` (this build has {})",
            built_in().join(", ")
        );
    }
    open(kind, index)
}

/// `kind` is one of the built-in devices. burn deprecates its libtorch backend in favour of its
/// own CUDA one; on a CPU it is still the fastest to train on, so it stays.
#[allow(deprecated)]
fn open(kind: &str, index: Option<usize>) -> Result<Device> {
    match (kind, index) {
        ("flex", None) => Ok(Device::flex()),
        #[cfg(feature = "tch")]
        ("tch", None) => Ok(Device::libtorch()),
        #[cfg(feature = "tch")]
        ("tch", Some(index)) => Ok(Device::libtorch_cuda(index)),
        #[cfg(feature = "wgpu")]
        ("wgpu", None) => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "wgpu")]
        ("wgpu", Some(index)) => Ok(Device::wgpu(burn::tensor::DeviceKind::DiscreteGpu(index))),
        #[cfg(feature = "cuda")]
        ("cuda", index) => Ok(Device::cuda(index.unwrap_or(0))),
        _ => bail!("device {kind:?} takes no card number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> String {
        format!("{:#}", by_name(name).unwrap_err())
    }

    #[test]
    fn flex_is_always_there() {
        assert!(by_name("flex").is_ok());
        assert!(built_in().contains(&"flex"));
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        let message = error("gpu");
        assert!(message.contains("gpu") && message.contains("flex, tch, wgpu, cuda"));
        assert!(error("flex:x").contains("card number"));
        assert!(error("flex:1").contains("takes no card number"));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_feature_is_named() {
        let message = error("cuda:0");
        assert!(message.contains("--features cuda"), "{message}");
    }
}
