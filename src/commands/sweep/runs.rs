//! The runs of a sweep: where they are, how far, and what came of them.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use chrono::Local;

use super::grid::Combination;
use crate::fs::write_atomic;
use crate::model::weights::Networks;
use crate::{interrupt, program};

/// What a run is called that stops with an error: its last words, in its folder.
const FAILED: &str = "failed.txt";

/// What the run says while it trains.
const LOG: &str = "train.log";

/// Lines of the log that tell why a run failed.
const LAST_WORDS: usize = 6;

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No folder yet.
    New,
    /// It has begun, and may go on.
    Begun,
    /// It has ended well.
    Done,
    /// It has ended with these words.
    Failed(String),
}

/// A combination and its folder.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its settings.
    pub combination: Combination,
    /// `NAME/YYYY-MM-DD_HH-MM-SS` under the sweep's folder; `NAME` alone before it begins.
    pub folder: PathBuf,
    /// How far it is.
    pub state: State,
    /// Names and numbers of the validation that its best weights were measured with, or else of its
    /// last epoch; none before the first.
    pub figures: Vec<(String, String)>,
}

impl Run {
    /// The newest run of a combination; with `retry`, a new one where that has failed.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn find(out: &Path, combination: Combination, retry: bool) -> Result<Self> {
        let home = out.join(combination.name());
        let new = |combination| Self {
            combination,
            folder: home.clone(),
            state: State::New,
            figures: Vec::new(),
        };
        let Some(folder) = newest(&home)? else {
            return Ok(new(combination));
        };
        let state = state(&folder)?;
        if retry && matches!(state, State::Failed(_)) {
            return Ok(new(combination));
        }
        Ok(Self {
            combination,
            figures: figures(&folder),
            folder,
            state,
        })
    }

    /// Give a new run its dated folder.
    pub fn begin(&mut self) {
        if self.state == State::New {
            let now = Local::now().format("%Y-%m-%d_%H-%M-%S");
            self.folder.push(now.to_string());
            self.state = State::Begun;
        }
    }

    /// Train it, which has begun, or go on where it stopped, with the arguments that all runs share, on so many
    /// threads. It says what it says in its log.
    ///
    /// # Errors
    /// When the program cannot be started or its folder not be written; not when the run fails.
    pub fn train(&mut self, shared: &[String], threads: usize) -> Result<()> {
        let folder = self.folder.display().to_string();
        std::fs::create_dir_all(&self.folder).with_context(|| folder.clone())?;
        let log = self.folder.join(LOG);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| log.display().to_string())?;
        let mut command = program::command()?;
        command.env("RAYON_NUM_THREADS", threads.to_string());
        command.arg("train").args(shared);
        for set in self.combination.sets() {
            command.args(["--set", &set]);
        }
        // Everything that a run leaves lies in its own folder.
        for (key, inside) in [("train.out", ""), ("snapshot.dir", "/snapshots")] {
            command.args(["--set", &format!("{key}={folder}{inside}")]);
        }
        if has_checkpoint(&self.folder) {
            command.arg("--resume");
        }
        let code = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .context("cannot start a run")?
            .code();
        self.state = match code {
            Some(0) => State::Done,
            Some(code) if code == i32::from(interrupt::EXIT_CODE) => State::Begun,
            _ if interrupt::requested() => State::Begun,
            code => {
                let words = last_words(&self.folder, code);
                write_atomic(&self.folder.join(FAILED), |file| {
                    Ok(std::io::Write::write_all(file, words.as_bytes())?)
                })?;
                State::Failed(words)
            }
        };
        self.figures = figures(&self.folder);
        Ok(())
    }
}

/// See [`Run::figures`].
fn figures(folder: &Path) -> Vec<(String, String)> {
    let best = Networks::load(&folder.join("best.safetensors"));
    let step = best
        .ok()
        .and_then(|networks| networks.header.notes.get("step").cloned());
    let validation = rows(&folder.join("validation.csv"));
    let of_best = validation
        .iter()
        .find(|row| row.first().map(|(_, number)| number) == step.as_ref());
    let epochs = rows(&folder.join("epochs.csv"));
    let row = of_best.or(validation.last()).or(epochs.last());
    row.cloned().unwrap_or_default()
}

fn newest(home: &Path) -> Result<Option<PathBuf>> {
    if !home.is_dir() {
        return Ok(None);
    }
    let entries = std::fs::read_dir(home).with_context(|| home.display().to_string())?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| home.display().to_string())?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    // Names are times.
    Ok(folders.into_iter().max())
}

fn state(folder: &Path) -> Result<State> {
    if folder.join("final.safetensors").is_file() {
        return Ok(State::Done);
    }
    let failed = folder.join(FAILED);
    if failed.is_file() {
        let words =
            std::fs::read_to_string(&failed).with_context(|| failed.display().to_string())?;
        return Ok(State::Failed(words));
    }
    Ok(State::Begun)
}

fn has_checkpoint(folder: &Path) -> bool {
    let inside = std::fs::read_dir(folder.join("checkpoints"));
    inside.is_ok_and(|mut entries| entries.next().is_some())
}

/// Why a run ended, as its log says.
fn last_words(folder: &Path, code: Option<i32>) -> String {
    let text = std::fs::read(folder.join(LOG)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let error = lines.iter().rposition(|line| line.starts_with("error:"));
    let first = error.unwrap_or(lines.len().saturating_sub(LAST_WORDS));
    let words = lines[first..].join("\n");
    match (code, words.is_empty()) {
        (None, _) => format!("ended by a signal\n{words}"),
        (Some(code), true) => format!("ended with code {code}"),
        _ => words,
    }
}

/// The rows of a table that a run leaves, as names and cells.
fn rows(path: &Path) -> Vec<Vec<(String, String)>> {
    let Ok(file) = File::open(path) else {
        return Vec::new();
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let Ok(header) = reader.headers().cloned() else {
        return Vec::new();
    };
    let row = |record: csv::StringRecord| {
        let pairs = header.iter().zip(record.iter());
        pairs
            .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
            .collect()
    };
    reader.records().filter_map(Result::ok).map(row).collect()
}
