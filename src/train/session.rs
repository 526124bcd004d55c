//! One run from start to end: folder, data, model, epochs, validation, weights.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use indicatif::HumanDuration;

use super::checkpoint::{Best, Store};
use super::figures::Figures;
use super::log::RunLog;
use super::progress::Progress;
use super::snapshot::Snapshots;
use super::trainer::{Ended, Trainer};
use super::validation::{self, Validator};
use crate::config::Config;
use crate::data::{self, Dataset};
use crate::fs::write_atomic;
use crate::infer::Predictor;
use crate::interrupt;
use crate::metrics::Report;
use crate::model::{RetinaFace, weights};

/// Share of the time spent waiting for data from which a warning is due, and the number of
/// batches below which it only measures how the workers start.
const WAITING_LIMIT: f64 = 0.05;
const WAITING_MIN_BATCHES: usize = 50;

/// Whether a run begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the start weights, into a folder without checkpoints.
    Fresh,
    /// From the newest checkpoint in the folder.
    Resumed,
}

/// Train as `config` says, inference and training both on `device` (without autodiff).
///
/// # Errors
/// When the folder holds another run, data or weights are bad, or a number is not finite.
pub fn train(config: &Config, start: Start, device: &Device) -> Result<Ended> {
    let out = &config.train.out;
    let store = Store::new(out, config.train.keep_last);
    let checkpoint = find_checkpoint(&store, start, out)?;
    save_config(config, &out.join("config.yaml"))?;
    let (training, validating) = load_data(config)?;
    let mut trainer = make_trainer(config, training, checkpoint.as_deref(), device)?;
    if let Some(path) = &checkpoint {
        let saved = trainer.restore(path)?;
        announce_resumption(path, &trainer, &saved, config)?;
    }
    let resumed_at = checkpoint.map(|_| trainer.position().step);
    let mut session = Session {
        config: config.clone(),
        device: device.clone(),
        store,
        log: RunLog::open(out, resumed_at)?,
        validator: validating.clone().map(|d| Validator::new(config, d)),
        snapshots: validating.map(|d| Snapshots::new(config, d)),
        last_report: None,
    };
    session.run(&mut trainer)
}

fn find_checkpoint(store: &Store, start: Start, out: &Path) -> Result<Option<PathBuf>> {
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

fn save_config(config: &Config, path: &Path) -> Result<()> {
    let text = config.to_yaml()?;
    write_atomic(path, |file| Ok(file.write_all(text.as_bytes())?))
}

/// Training photos, and validation photos when there are some.
fn load_data(config: &Config) -> Result<(Arc<Dataset>, Option<Arc<Dataset>>)> {
    if config.data.train.is_empty() {
        bail!("data.train lists no source: name at least one list of labelled photos");
    }
    let training = Dataset::load(&config.data.train, config).context("data.train")?;
    if config.data.validation.is_empty() {
        eprintln!(
            "no data.validation source: nothing is measured, and the last weights are the best"
        );
        return Ok((Arc::new(training), None));
    }
    let validating = Dataset::load(&config.data.validation, config).context("data.validation")?;
    data::refuse_overlap(&training, &validating)?;
    Ok((Arc::new(training), Some(Arc::new(validating))))
}

fn make_trainer(
    config: &Config,
    training: Arc<Dataset>,
    checkpoint: Option<&Path>,
    device: &Device,
) -> Result<Trainer> {
    let device = device.clone().autodiff();
    device.seed(config.seed);
    let model = RetinaFace::new(config, &device)?;
    let model = match checkpoint {
        Some(_) => model,
        None => weights::initialise(model, &config.init)?,
    };
    Trainer::new(config, training, model, &device)
}

/// Say where the run goes on, and refuse or mention what has changed.
fn announce_resumption(path: &Path, trainer: &Trainer, saved: &Config, now: &Config) -> Result<()> {
    if saved.landmarks != now.landmarks || saved.anchors != now.anchors || saved.input != now.input
    {
        bail!(
            "cannot continue from {}: landmarks, anchors or input of the config have changed; \
             start a new run with init.weights instead",
            path.display()
        );
    }
    let position = trainer.position();
    eprintln!(
        "continuing at epoch {}, batch {}, step {}",
        position.epoch + 1,
        position.batch + 1,
        position.step
    );
    let changed = [
        ("seed", saved.seed != now.seed),
        ("data", saved.data != now.data),
        ("augment", saved.augment != now.augment),
        ("matcher", saved.matcher != now.matcher),
        ("loss", saved.loss != now.loss),
        ("optimizer", saved.optimizer != now.optimizer),
        ("schedule", saved.schedule != now.schedule),
        ("train", saved.train != now.train),
    ];
    let changed: Vec<&str> = changed.iter().filter(|c| c.1).map(|c| c.0).collect();
    if !changed.is_empty() {
        eprintln!(
            "changed since the checkpoint, so the run will differ from an uninterrupted one: {}",
            changed.join(", ")
        );
    }
    Ok(())
}

/// What surrounds the trainer during a run.
struct Session {
    config: Config,
    device: Device,
    store: Store,
    log: RunLog,
    validator: Option<Validator>,
    snapshots: Option<Snapshots>,
    /// The newest validation.
    last_report: Option<Report>,
}

impl Session {
    fn run(&mut self, trainer: &mut Trainer) -> Result<Ended> {
        let (first, begun) = (trainer.position().epoch, Instant::now());
        while trainer.position().epoch < self.config.train.epochs {
            if self.run_epoch(trainer)? == Ended::Interrupted {
                self.save(trainer)?;
                return Ok(Ended::Interrupted);
            }
            let done = trainer.position().epoch - first;
            let left = self.config.train.epochs - trainer.position().epoch;
            if left > 0 {
                let rest = begun.elapsed().mul_f64(left as f64 / done as f64);
                eprintln!("  all epochs done in about {}", HumanDuration(rest));
            }
        }
        let file = self.save_weights(trainer, "final.safetensors", self.last_report.as_ref())?;
        eprintln!("final weights: {}", file.display());
        if self.validator.is_none() {
            self.save_weights(trainer, "best.safetensors", None)?;
        }
        Ok(Ended::Done)
    }

    /// One epoch with everything that follows it. A checkpoint before the validation keeps the
    /// epoch if that one fails; one after it closes the epoch.
    fn run_epoch(&mut self, trainer: &mut Trainer) -> Result<Ended> {
        if self.train_epoch(trainer)? == Ended::Interrupted {
            return Ok(Ended::Interrupted);
        }
        self.save(trainer)?;
        if interrupt::requested() {
            return Ok(Ended::Interrupted);
        }
        self.look_back(trainer)?;
        trainer.finish_epoch();
        self.save(trainer)?;
        Ok(Ended::Done)
    }

    fn train_epoch(&mut self, trainer: &mut Trainer) -> Result<Ended> {
        let epoch = trainer.position().epoch + 1;
        let total = trainer.batches_per_epoch();
        let done = trainer.position().batch;
        let mut progress = Progress::new(epoch, self.config.train.epochs, done, total);
        let ended = trainer.train_one_epoch(|trainer, figures| {
            let position = trainer.position();
            progress.update(position.batch, trainer.sums());
            self.log.step(position.step, &figures.row(epoch))?;
            match &self.snapshots {
                Some(snapshots) if snapshots.due(position.batch, total) => {
                    snapshots.draw_one(&self.predictor(trainer)?, epoch, position.batch)
                }
                _ => Ok(()),
            }
        })?;
        progress.finish(trainer.sums());
        warn_of_waiting(trainer.sums());
        Ok(ended)
    }

    /// Log, draw and validate what the epoch has brought.
    fn look_back(&mut self, trainer: &mut Trainer) -> Result<()> {
        let (epoch, step) = (trainer.position().epoch + 1, trainer.position().step);
        self.log.epoch(step, &trainer.sums().row(epoch))?;
        let predictor = self.predictor(trainer)?;
        if let Some(snapshots) = &self.snapshots {
            snapshots.draw_one(&predictor, epoch, trainer.position().batch)?;
            snapshots.draw_sheet(&predictor, epoch)?;
        }
        let last = epoch == self.config.train.epochs;
        match &self.validator {
            Some(validator) if last || epoch.is_multiple_of(self.config.train.validate_every) => {
                let report = validator.run(&predictor)?;
                eprintln!("{}", validation::describe(&report));
                self.log
                    .validation(step, &validation::row(&report, epoch))?;
                self.keep_if_best(trainer, epoch, &report)?;
                self.last_report = Some(report);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep_if_best(&self, trainer: &mut Trainer, epoch: usize, report: &Report) -> Result<()> {
        let Some(badness) = validation::badness(report) else {
            return Ok(());
        };
        if trainer.offer_best(Best { badness, epoch }) {
            let checkpoint = trainer.checkpoint();
            self.store
                .save_best(&checkpoint, trainer.layout(), &self.config)?;
            self.save_weights(trainer, "best.safetensors", Some(report))?;
        }
        Ok(())
    }

    fn predictor(&self, trainer: &Trainer) -> Result<Predictor> {
        Predictor::new(trainer.averaged_model(), &self.config, &self.device)
    }

    fn save(&self, trainer: &mut Trainer) -> Result<()> {
        let checkpoint = trainer.checkpoint();
        self.store.save(&checkpoint, trainer.layout(), &self.config)
    }

    /// Write the averaged weights to a file in the run's folder.
    fn save_weights(
        &self,
        trainer: &Trainer,
        name: &str,
        report: Option<&Report>,
    ) -> Result<PathBuf> {
        let step = trainer.position().step.to_string();
        let mut notes = BTreeMap::from([("step".to_owned(), step)]);
        if let Some(report) = report {
            notes.insert("validation".into(), serde_json::to_string(report)?);
        }
        let path = self.config.train.out.join(name);
        weights::save_with_notes(&trainer.averaged_model(), &self.config, notes, &path)?;
        Ok(path)
    }
}

fn warn_of_waiting(sums: &Figures) {
    if sums.batches() >= WAITING_MIN_BATCHES && sums.waiting_share() > WAITING_LIMIT {
        eprintln!(
            "warning: {:.0} % of the time went into waiting for data; more data.workers, a larger \
             data.cache_mib or fewer augmentations help",
            100.0 * sums.waiting_share()
        );
    }
}
