use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Checkpoint;
use crate::config::Config;
use crate::optim::Layout;

const BEST: &str = "best.safetensors";

/// The folder of a run's checkpoints.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    keep_last: usize,
}

impl Store {
    /// Checkpoints of the run in `out`, of which the last `keep_last` stay.
    pub fn new(out: &Path, keep_last: usize) -> Self {
        Self {
            folder: out.join("checkpoints"),
            keep_last: keep_last.max(1),
        }
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn latest(&self) -> Result<Option<PathBuf>> {
        Ok(self.numbered()?.pop())
    }

    /// Save under the number of its step, then remove what is older than the last few.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub fn save(&self, checkpoint: &Checkpoint, layout: &Layout, config: &Config) -> Result<()> {
        let step = checkpoint.state.position.step;
        let path = self.folder.join(format!("step_{step:09}.safetensors"));
        checkpoint.save(layout, config, &path)?;
        let all = self.numbered()?;
        for old in &all[..all.len().saturating_sub(self.keep_last)] {
            std::fs::remove_file(old)
                .with_context(|| format!("cannot remove {}", old.display()))?;
        }
        Ok(())
    }

    /// Save as the best one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_best(
        &self,
        checkpoint: &Checkpoint,
        layout: &Layout,
        config: &Config,
    ) -> Result<()> {
        checkpoint.save(layout, config, &self.folder.join(BEST))
    }

    /// Numbered checkpoints, oldest first.
    fn numbered(&self) -> Result<Vec<PathBuf>> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let context = || format!("cannot read {}", self.folder.display());
        let mut found = Vec::new();
        for item in std::fs::read_dir(&self.folder).with_context(context)? {
            let path = item.with_context(context)?.path();
            let step = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_prefix("step_")?.strip_suffix(".safetensors"))
                .and_then(|number| number.parse::<u64>().ok());
            found.extend(step.map(|step| (step, path)));
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }
}
