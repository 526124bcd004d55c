//! Training photos must not be validated on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Dataset;

/// Fail when both data sets hold a photo: the same file, or a copy of it, byte for byte.
///
/// # Errors
/// Names an example and says how many photos are shared.
pub fn refuse_overlap(train: &Dataset, validation: &Dataset) -> Result<()> {
    let mut by_size: HashMap<u64, Vec<&Path>> = HashMap::new();
    for sample in &train.samples {
        by_size
            .entry(size(&sample.path))
            .or_default()
            .push(&sample.path);
    }
    let mut shared = Vec::new();
    for sample in &validation.samples {
        let candidates = by_size.get(&size(&sample.path));
        let mut candidates = candidates.into_iter().flatten();
        if let Some(twin) = candidates.find(|path| same(path, &sample.path)) {
            shared.push((&sample.path, twin));
        }
    }
    if let Some((validated, trained)) = shared.first() {
        bail!(
            "training and validation share {} of {} validation photos, for example {} (training \
             has it as {}); remove them from data.train or data.validation",
            shared.len(),
            validation.samples.len(),
            validated.display(),
            trained.display()
        );
    }
    Ok(())
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// Whether two paths of files of one size lead to the same photo.
fn same(a: &Path, b: &Path) -> bool {
    let real = |p: &Path| -> Option<PathBuf> { p.canonicalize().ok() };
    if a == b || real(a).is_some_and(|a| real(b) == Some(a)) {
        return true;
    }
    match (std::fs::read(a), std::fs::read(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
