//! One run from start to end: folder, data, model, epochs, validation, weights.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::Device;
use indicatif::HumanDuration;

use super::checkpoint::{Best, Store};
use super::figures::Figures;
use super::log::RunLog;
use super::progress::Progress;
use super::provenance;
use super::setup::{self, Start};
use super::snapshot::Snapshots;
use super::task::Trainable;
use super::trainer::{Ended, Trainer};
use super::validation::{self, Validator};
use crate::config::Config;
use crate::console;
use crate::fs::{self, FolderLock};
use crate::infer::Predictor;
use crate::interrupt;
use crate::metrics::Report;
use crate::model::{weights, with_network};

/// The weights of the best epoch, in the run's folder.
const BEST: &str = "best.safetensors";

/// Share of the time spent waiting for data from which a warning is due, and the number of
/// batches below which it only measures how the workers start.
const WAITING_LIMIT: f64 = 0.05;
const WAITING_MIN_BATCHES: usize = 50;

/// Train as `config` says, inference and training both on `device` (without autodiff).
///
/// # Errors
/// When the folder holds another run, data or weights are bad, or a number is not finite.
pub fn train(config: &Config, start: Start, device: &Device) -> Result<Ended> {
    with_network!(config.task, N => train_network::<N>(config, start, device))
}

fn train_network<N: Trainable>(config: &Config, start: Start, device: &Device) -> Result<Ended> {
    let out = &config.train.out;
    let _lock = FolderLock::take(out)?;
    let store = Store::new(out, config.train.keep_last);
    let checkpoint = setup::find_checkpoint(&store, start, out)?;
    let (training, validating) = setup::load_data(config)?;
    let mut trainer: Trainer<N> =
        setup::make_trainer(config, Arc::clone(&training), checkpoint.as_deref(), device)?;
    if let Some(path) = &checkpoint {
        let saved = trainer.restore(path)?;
        setup::announce_resumption(path, &trainer, &saved, config)?;
    }
    if validating.is_some() {
        // What validation needs is there now, not after an epoch.
        make_predictor(config, device, &trainer)?;
        fs::check_folder(&config.snapshot.dir).context("snapshot.dir")?;
    }
    setup::final_model(&trainer, config)?; // as early as that
    // Only now is anything written: what cannot start leaves nothing.
    setup::save_config(config)?;
    let stand = checkpoint.map(|_| trainer.position().stand());
    let resumed_at = stand.map(|stand| stand.step);
    provenance::record(config, device, &training, validating.as_deref(), resumed_at)?;
    let mut session = Session {
        config: config.clone(),
        device: device.clone(),
        store,
        log: RunLog::open(out, stand)?,
        validator: validating.clone().map(|d| Validator::new(config, d)),
        snapshots: validating.map(|d| Snapshots::new(config, d)),
        last_report: None,
    };
    let ended = session.run(&mut trainer);
    // Photos that nobody could decode were met on the way.
    setup::tell(&training.left_out());
    ended
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
    fn run(&mut self, trainer: &mut Trainer<impl Trainable>) -> Result<Ended> {
        let (first, begun) = (trainer.position().epoch, Instant::now());
        while trainer.position().epoch < self.config.train.epochs {
            if self.run_epoch(trainer)? == Ended::Interrupted {
                return Ok(Ended::Interrupted);
            }
            let done = trainer.position().epoch - first;
            let left = self.config.train.epochs - trainer.position().epoch;
            if left > 0 {
                let rest = begun.elapsed().mul_f64(left as f64 / done as f64);
                console::note(format!(
                    "  all epochs done in about {}",
                    HumanDuration(rest)
                ));
            }
        }
        self.save_final(trainer)?;
        if trainer.best().is_none() {
            self.save_weights(trainer, BEST, None)?;
            if self.validator.is_some() {
                console::note(format!(
                    "no validation could tell which epoch is the best: {BEST} holds the last one"
                ));
            }
        }
        Ok(Ended::Done)
    }

    /// One epoch with everything that follows it; wherever it ends, a checkpoint knows. One before
    /// the validation keeps the epoch if that fails, one after it closes the epoch.
    fn run_epoch(&mut self, trainer: &mut Trainer<impl Trainable>) -> Result<Ended> {
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

    fn train_epoch(&mut self, trainer: &mut Trainer<impl Trainable>) -> Result<Ended> {
        let epoch = trainer.position().epoch + 1;
        let total = trainer.batches_per_epoch();
        let done = trainer.position().batch;
        let mut progress = Progress::new(epoch, self.config.train.epochs, done, total);
        let mut unlogged = false;
        let ended = trainer.train_one_epoch(|trainer, figures| {
            let position = trainer.position();
            progress.update(position.batch, trainer.sums());
            let logged = self.log.step(position.step, &figures.row(epoch));
            unlogged = logged.is_err();
            logged?;
            let before = position.batch.saturating_sub(figures.batches());
            if let Some(snapshots) = &self.snapshots
                && snapshots.due(before, position.batch, total)
            {
                let predictor = make_predictor(&self.config, &self.device, trainer)?;
                warn_of_failure(snapshots.draw_one(&predictor, epoch, position.batch));
            }
            Ok(())
        });
        // First what must not be lost: Ctrl-C may have ended whoever reads the words, and a log on
        // a full disk is no reason to lose the steps since the last checkpoint.
        let saved = match &ended {
            Ok(Ended::Interrupted) => self.save(trainer),
            Err(_) if unlogged => self.save(trainer),
            _ => Ok(()),
        };
        progress.finish(trainer.sums());
        let ended = ended?;
        saved?;
        warn_of_waiting(trainer.sums());
        Ok(ended)
    }

    /// Log, draw and validate what the epoch has brought.
    fn look_back(&mut self, trainer: &mut Trainer<impl Trainable>) -> Result<()> {
        let (epoch, step) = (trainer.position().epoch + 1, trainer.position().step);
        self.log.epoch(step, &trainer.sums().row(epoch))?;
        let predictor = make_predictor(&self.config, &self.device, trainer)?;
        if let Some(snapshots) = &self.snapshots {
            warn_of_failure(snapshots.draw_one(&predictor, epoch, trainer.position().batch));
            warn_of_failure(snapshots.draw_sheet(&predictor, epoch));
        }
        let last = epoch == self.config.train.epochs;
        match &self.validator {
            Some(validator) if last || epoch.is_multiple_of(self.config.train.validate_every) => {
                let report = validator.run(&predictor)?;
                console::note(validation::describe(&report));
                self.log
                    .validation(step, &validation::row(&report, epoch))?;
                self.keep_if_best(trainer, epoch, &report)?;
                self.last_report = Some(report);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep_if_best<N: Trainable>(
        &self,
        trainer: &mut Trainer<N>,
        epoch: usize,
        report: &Report,
    ) -> Result<()> {
        let Some(badness) = validation::badness(N::TASK, report) else {
            return Ok(());
        };
        if trainer.offer_best(Best { badness, epoch }) {
            let checkpoint = trainer.checkpoint();
            self.store
                .save_best(&checkpoint, trainer.layout(), &self.config)?;
            self.save_weights(trainer, BEST, Some(report))?;
        }
        Ok(())
    }

    fn save(&self, trainer: &mut Trainer<impl Trainable>) -> Result<()> {
        let checkpoint = trainer.checkpoint();
        self.store.save(&checkpoint, trainer.layout(), &self.config)
    }

    /// Write what the run has led to, blended with other weights where the config says so.
    fn save_final(&mut self, trainer: &Trainer<impl Trainable>) -> Result<()> {
        let model = setup::final_model(trainer, &self.config)?;
        if self.config.train.blend().is_some() {
            self.last_report = None;
            if let Some(validator) = &self.validator {
                let predictor = model.clone().predictor(&self.config, &self.device)?;
                let report = validator.run(&predictor)?;
                console::note(format!("blended:\n{}", validation::describe(&report)));
                self.last_report = Some(report);
            }
        }
        let report = self.last_report.as_ref();
        let file = self.save_model(&model, trainer, "final.safetensors", report)?;
        console::note(format!("final weights: {}", file.display()));
        Ok(())
    }

    /// Write the averaged weights to a file in the run's folder.
    fn save_weights(
        &self,
        trainer: &Trainer<impl Trainable>,
        name: &str,
        report: Option<&Report>,
    ) -> Result<PathBuf> {
        self.save_model(&trainer.averaged_model(), trainer, name, report)
    }

    fn save_model<N: Trainable>(
        &self,
        model: &N,
        trainer: &Trainer<N>,
        name: &str,
        report: Option<&Report>,
    ) -> Result<PathBuf> {
        let step = trainer.position().step.to_string();
        let mut notes = BTreeMap::from([("step".to_owned(), step)]);
        if let Some(report) = report {
            notes.insert("validation".into(), serde_json::to_string(report)?);
        }
        let path = self.config.train.out.join(name);
        weights::save_with_notes(model, &self.config, notes, &path)?;
        Ok(path)
    }
}

/// The averaged weights, ready to detect.
fn make_predictor(
    config: &Config,
    device: &Device,
    trainer: &Trainer<impl Trainable>,
) -> Result<Predictor> {
    trainer.averaged_model().predictor(config, device)
}

/// A picture that cannot be drawn is no reason to stop a run.
fn warn_of_failure(drawn: Result<()>) {
    if let Err(error) = drawn {
        console::note(format!("warning: no snapshot: {error:#}"));
    }
}

fn warn_of_waiting(sums: &Figures) {
    if sums.batches() >= WAITING_MIN_BATCHES && sums.waiting_share() > WAITING_LIMIT {
        console::note(format!(
            "warning: {:.0} % of the time went into waiting for data; more data.workers, a larger \
             data.cache_mib or fewer augmentations help",
            100.0 * sums.waiting_share()
        ));
    }
}
