//! What a run needs before its first step: its folder, data, model, and where it stands.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

use super::checkpoint::Store;
use super::task::Trainable;
use super::trainer::Trainer;
use crate::config::{AlignerConfig, Config};
use crate::console;
use crate::data::{self, Dataset};
use crate::fs::write_atomic;
use crate::model::weights;

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the start weights, into a folder without checkpoints.
    Fresh,
    /// From the newest checkpoint in the folder.
    Resumed,
}

/// The checkpoint to start from, if it is right that there is one.
pub(super) fn find_checkpoint(store: &Store, start: Start, out: &Path) -> Result<Option<PathBuf>> {
    match (start, store.latest()?) {
        (Start::Fresh, Some(_)) => bail!(
            "{} holds a run already: continue it with --resume, or choose another folder with \
             --set train.out=FOLDER",
            out.display()
        ),
        (Start::Resumed, None) => bail!(
            "there is no checkpoint to continue from in {}: start without --resume",
            out.display()
        ),
        (_, latest) => Ok(latest),
    }
}

/// Save the resolved config beside everything else that the run leaves.
pub(super) fn save_config(config: &Config) -> Result<()> {
    let text = config.to_yaml()?;
    let path = config.train.out.join("config.yaml");
    write_atomic(&path, |file| Ok(file.write_all(text.as_bytes())?))
}

/// Training photos, and validation photos when there are some.
pub(super) fn load_data(config: &Config) -> Result<(Arc<Dataset>, Option<Arc<Dataset>>)> {
    if config.data.train.is_empty() {
        bail!("data.train lists no source: name at least one list of labelled photos");
    }
    let training = Dataset::load_training(config).context("data.train")?;
    tell(&training.report);
    if config.data.validation.is_empty() {
        console::note(
            "no data.validation source: nothing is measured, and the last weights are the best",
        );
        return Ok((Arc::new(training.for_training(config)?), None));
    }
    let validating = Dataset::load(&config.data.validation, config).context("data.validation")?;
    tell(&validating.report);
    if validating
        .samples
        .iter()
        .all(|s| s.faces.iter().all(|face| face.ignored))
    {
        console::note(
            "data.validation names no face: nothing can be measured, and the last weights are the \
             best",
        );
    }
    data::refuse_overlap(&training, &validating)?;
    Ok((
        Arc::new(training.for_training(config)?),
        Some(Arc::new(validating)),
    ))
}

/// What was left out of the lists, and what is worth knowing of them.
pub(super) fn tell(report: &data::Report) {
    if !report.is_empty() {
        console::note(report);
    }
}

/// The model on `device` with autodiff, with its start weights unless a checkpoint follows.
pub(super) fn make_trainer<N: Trainable>(
    config: &Config,
    training: Arc<Dataset>,
    checkpoint: Option<&Path>,
    device: &Device,
) -> Result<Trainer<N>> {
    let device = device.clone().autodiff();
    device.seed(config.seed);
    let model = N::new(config, &device)?;
    let model = match checkpoint {
        Some(_) => model,
        None => weights::initialise(model.fitted_to(&training, config)?, config)?,
    };
    let parts: Vec<&str> = config.optimizer.freeze.iter().map(String::as_str).collect();
    model.clone().freeze_parts(&parts)?; // refuses unknown ones before hours of training
    Trainer::new(config, training, model, &device)
}

/// What a run leads to: the averaged weights, blended with other ones where the config says so.
pub(super) fn final_model<N: Trainable>(trainer: &Trainer<N>, config: &Config) -> Result<N> {
    let model = trainer.averaged_model();
    match config.train.blend() {
        Some((other, share)) => weights::blend(model, other, share),
        None => Ok(model),
    }
}

/// Whether two aligners are the same network, however they are used.
fn same_network(a: &AlignerConfig, b: &AlignerConfig) -> bool {
    let network = |c: &AlignerConfig| AlignerConfig {
        min_score: 0.0,
        passes: 1,
        flip: false,
        ..c.clone()
    };
    network(a) == network(b)
}

/// Say where the run goes on, and refuse or mention what has changed.
pub(super) fn announce_resumption<N: Trainable>(
    path: &Path,
    trainer: &Trainer<N>,
    saved: &Config,
    now: &Config,
) -> Result<()> {
    let parts = [
        ("task", saved.task != now.task),
        ("landmarks", saved.landmarks != now.landmarks),
        ("input", saved.input != now.input),
        ("model", saved.model != now.model),
        ("anchors", saved.anchors != now.anchors),
        ("head", saved.head != now.head),
        ("aligner", !same_network(&saved.aligner, &now.aligner)),
    ];
    let other: Vec<&str> = parts.iter().filter(|p| p.1).map(|p| p.0).collect();
    if !other.is_empty() {
        bail!(
            "cannot continue from {}: what the network is has changed in the config ({}); start a \
             new run with init.weights instead",
            path.display(),
            other.join(", ")
        );
    }
    let position = trainer.position();
    console::note(format!(
        "continuing at epoch {}, batch {}, step {}",
        position.epoch + 1,
        position.batch + 1,
        position.step
    ));
    let changed = [
        ("seed", saved.seed != now.seed),
        ("data", saved.data != now.data),
        ("augment", saved.augment != now.augment),
        ("matcher", saved.matcher != now.matcher),
        ("loss", saved.loss != now.loss),
        ("distill", saved.distill != now.distill),
        ("optimizer", saved.optimizer != now.optimizer),
        ("schedule", saved.schedule != now.schedule),
        ("train", saved.train != now.train),
    ];
    let changed: Vec<&str> = changed.iter().filter(|c| c.1).map(|c| c.0).collect();
    if !changed.is_empty() {
        console::note(format!(
            "changed since the checkpoint, so the run will differ from an uninterrupted one: {}",
            changed.join(", ")
        ));
    }
    Ok(())
}
