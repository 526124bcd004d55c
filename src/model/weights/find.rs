//! Where the weights are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

/// File name of the weights that ship with the program.
pub const SHIPPED: &str = "retinamark-scrfd500m-wflw98.safetensors";

/// Environment variable that names a weights file.
pub const ENVIRONMENT: &str = "RETINAMARK_WEIGHTS";

/// The weights file to use, the first of:
/// 1. `explicit` (`--weights`),
/// 2. the environment variable `RETINAMARK_WEIGHTS`,
/// 3. [`SHIPPED`] beside the executable, or in `weights/` there,
/// 4. [`SHIPPED`] in `weights/` of the source folder that the program was built from,
/// 5. [`SHIPPED`] in `retinamark/weights/` of the user's data folder (Linux:
///    `~/.local/share/retinamark/weights/`).
///
/// # Errors
/// When a file named by 1 or 2 is not there, or 3 to 5 give none: with the places looked at.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = explicit {
        ensure!(path.is_file(), "weights {}: no such file", path.display());
        return Ok(path.to_path_buf());
    }
    if let Some(path) = std::env::var_os(ENVIRONMENT).filter(|p| !p.is_empty()) {
        let path = PathBuf::from(path);
        ensure!(
            path.is_file(),
            "{ENVIRONMENT}={}: no such file",
            path.display()
        );
        return Ok(path);
    }
    first_of(places())
}

fn first_of(places: Vec<PathBuf>) -> Result<PathBuf> {
    if let Some(path) = places.iter().find(|p| p.is_file()) {
        return Ok(path.clone());
    }
    let looked: String = places
        .iter()
        .map(|p| format!("\n  {}", p.display()))
        .collect();
    bail!(
        "no weights: give --weights FILE, set {ENVIRONMENT}, or put the shipped file at one of{looked}"
    )
}

fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let executable = std::env::current_exe().and_then(|p| p.canonicalize());
    if let Some(folder) = executable.ok().as_deref().and_then(Path::parent) {
        places.push(folder.join(SHIPPED));
        places.push(folder.join("weights").join(SHIPPED));
    }
    places.push(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("weights")
            .join(SHIPPED),
    );
    if let Some(data) = dirs::data_dir() {
        places.push(data.join("retinamark").join("weights").join(SHIPPED));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_existing_place_wins() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("b"), "").unwrap();
        std::fs::write(place("c"), "").unwrap();
        let found = first_of(vec![place("a"), place("b"), place("c")]).unwrap();
        assert_eq!(found, place("b"));
        let error = first_of(vec![place("a"), place("d")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(ENVIRONMENT) && error.contains("/d"),
            "{error}"
        );
    }

    #[test]
    fn a_named_file_must_exist() {
        let error = find(Some(Path::new("nowhere.safetensors"))).unwrap_err();
        assert!(error.to_string().contains("nowhere.safetensors"));
    }
}
