//! Lays the weights that the package ships where `pyproject.toml` has them taken from.

use std::io;
use std::path::PathBuf;

/// The shipped file; what it is called here is said nowhere else.
const SHIPPED: &str = "../weights/retinamark-scrfd500m-wflw98-f16.safetensors";

/// What it is called in the package, as in `package/retinamark/_weights.py`.
const IN_PACKAGE: &str = "weights.safetensors";

fn main() -> io::Result<()> {
    pyo3_build_config::add_extension_module_link_args();
    println!("cargo:rerun-if-changed={SHIPPED}");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    std::fs::copy(SHIPPED, PathBuf::from(out).join(IN_PACKAGE))?;
    Ok(())
}
