//! Helpers shared by all tests.

use std::path::{Path, PathBuf};

/// A folder that vanishes with the value.
pub fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A file under `tests/data`.
#[allow(dead_code, reason = "not every build has a module with fixtures")]
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}
