//! Training runs below a folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// A training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its folder, as seen from the one that was searched; of that one its own name.
    pub name: PathBuf,
    /// Its settings.
    pub config: PathBuf,
    /// The weights to measure; none where the run has not come that far.
    pub weights: Option<PathBuf>,
}

/// All folders in `dir`, and `dir` itself, that hold a `config.yaml` beside weights or checkpoints,
/// by name. Its best weights are taken, else the final ones; with `newest` the other way round.
///
/// # Errors
/// When a folder cannot be read.
pub fn runs(dir: &Path, newest: bool) -> Result<Vec<Run>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.with_context(|| format!("--models {}", dir.display()))?;
        if entry.file_type().is_dir() || entry.depth() == 0 {
            found.extend(run(dir, entry.path(), newest)?);
        }
    }
    Ok(found)
}

fn run(dir: &Path, folder: &Path, newest: bool) -> Result<Option<Run>> {
    let mut files = ["best.safetensors", "final.safetensors"].map(|name| folder.join(name));
    if newest {
        files.reverse();
    }
    let weights = files.into_iter().find(|file| file.is_file());
    let config = folder.join("config.yaml");
    if !config.is_file() || (weights.is_none() && !folder.join("checkpoints").is_dir()) {
        return Ok(None);
    }
    let mut name = folder.strip_prefix(dir).unwrap_or(folder).to_owned();
    if name.as_os_str().is_empty() {
        let whole = dir.canonicalize();
        let whole = whole.with_context(|| format!("--models {}", dir.display()))?;
        name = whole.file_name().map_or_else(|| "run".into(), Into::into);
    }
    Ok(Some(Run {
        name,
        config,
        weights,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("study");
        for file in [
            "config.yaml",
            "final.safetensors",
            "a=1/2026-01-02/config.yaml",
            "a=1/2026-01-02/best.safetensors",
            "a=1/2026-01-02/final.safetensors",
            "a=1/2026-01-02/checkpoints/best.safetensors",
            "begun/config.yaml",
            "begun/checkpoints/step_000000001.safetensors",
            "faces/config.yaml",
            "weights/best.safetensors",
        ] {
            let path = dir.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = |newest| -> Vec<(String, Option<String>)> {
            let name = |path: &Path| path.to_string_lossy().replace('\\', "/");
            let runs = runs(&dir, newest).unwrap().into_iter();
            runs.map(|run| {
                let weights = run.weights.as_deref();
                let weights = weights.map(|file| name(file.strip_prefix(&dir).unwrap()));
                (name(&run.name), weights)
            })
            .collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let study = ("study".to_owned(), some("final.safetensors"));
        let begun = ("begun".to_owned(), None);
        let nested = |file: &str| {
            let name = "a=1/2026-01-02";
            (name.to_owned(), Some(format!("{name}/{file}.safetensors")))
        };
        assert_eq!(found(false), [study.clone(), nested("best"), begun.clone()]);
        assert_eq!(found(true), [study, nested("final"), begun]);
        assert!(runs(&dir.join("absent"), false).is_err());
    }
}
