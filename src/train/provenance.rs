//! How a run came about: `run.json` in its folder, with an entry for every start of the program.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use chrono::{Local, SecondsFormat};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::config::{Config, SourceConfig, SourceKind};
use crate::data::{self, Dataset, Sample};
use crate::fs::write_atomic;
use crate::{ops, text};

/// Name of the file.
const NAME: &str = "run.json";

/// One start.
#[derive(Serialize)]
struct Entry {
    /// Local time with its offset, RFC 3339.
    started: String,
    /// Optimiser steps that were done already; none in a run that begins.
    resumed_at_step: Option<usize>,
    command: Vec<String>,
    version: &'static str,
    /// Of this program's source, where whoever built it said so in `RETINAMARK_COMMIT`.
    commit: Option<&'static str>,
    host: Host,
    seed: u64,
    training: Vec<Source>,
    validation: Vec<Source>,
}

/// What numbers and speed may depend on.
#[derive(Serialize)]
struct Host {
    system: String,
    device: String,
    /// Of the kernels on the processor.
    instruction_set: &'static str,
    cores: usize,
    /// That compute; those that prepare batches are a setting.
    threads: usize,
}

/// A source of photos as the run sees it.
#[derive(Serialize)]
struct Source {
    kind: SourceKind,
    lists: Vec<List>,
    photos: usize,
    /// Without ignored ones.
    faces: usize,
    /// Of those, with at least one landmark.
    labelled_faces: usize,
}

/// A list, the WIDER list or the disagreements beside it.
#[derive(Serialize)]
struct List {
    path: PathBuf,
    files: usize,
    /// Of the contents; of several files one after the other, by name.
    sha256: String,
}

/// Add how the run starts, or goes on after `resumed_at` steps, to `run.json` in its folder.
///
/// # Errors
/// When a list cannot be read any more, or the file not be read or written.
pub(super) fn record(
    config: &Config,
    device: &Device,
    training: &Dataset,
    validating: Option<&Dataset>,
    resumed_at: Option<usize>,
) -> Result<()> {
    let validation = &config.data.validation;
    let entry = Entry {
        started: Local::now().to_rfc3339_opts(SecondsFormat::Secs, false),
        resumed_at_step: resumed_at,
        command: std::env::args_os()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect(),
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("RETINAMARK_COMMIT"),
        host: host(device),
        seed: config.seed,
        training: sources(&config.data.train, training)?,
        validation: match validating {
            Some(dataset) => sources(validation, dataset)?,
            None => Vec::new(),
        },
    };
    let path = config.train.out.join(NAME);
    let mut entries = earlier(&path)?;
    entries.push(serde_json::to_value(entry)?);
    write_atomic(&path, |file| {
        Ok(serde_json::to_writer_pretty(file, &entries)?)
    })
}

fn earlier(path: &Path) -> Result<Vec<Value>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    serde_json::from_str(&text::read(path)?).with_context(|| {
        format!(
            "{} is not the list of a run's starts: move it away, and a new one begins",
            path.display()
        )
    })
}

fn host(device: &Device) -> Host {
    Host {
        system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        device: format!("{device:?}"),
        instruction_set: ops::instruction_set(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        threads: rayon::current_num_threads(),
    }
}

fn sources(sources: &[SourceConfig], dataset: &Dataset) -> Result<Vec<Source>> {
    let one = |(index, source): (usize, &SourceConfig)| -> Result<Source> {
        let own = |sample: &&Sample| sample.source == index;
        let samples: Vec<&Sample> = dataset.samples.iter().filter(own).collect();
        // An aligner has a sample for each face.
        let photos: HashSet<&Path> = samples.iter().map(|sample| &*sample.path).collect();
        let faces = samples.iter().flat_map(|sample| &sample.faces);
        let faces: Vec<_> = faces.filter(|face| !face.ignored).collect();
        Ok(Source {
            kind: source.kind,
            lists: lists(source)?,
            photos: photos.len(),
            faces: faces.len(),
            labelled_faces: faces.iter().filter(|face| face.has_landmarks()).count(),
        })
    };
    sources.iter().enumerate().map(one).collect()
}

fn lists(source: &SourceConfig) -> Result<Vec<List>> {
    let mut lists = vec![list(&source.list, &data::list_files(source)?)?];
    for beside in source.wider.iter().chain(&source.disagreement) {
        lists.push(list(beside, std::slice::from_ref(beside))?);
    }
    Ok(lists)
}

fn list(path: &Path, files: &[PathBuf]) -> Result<List> {
    let mut hash = Sha256::new();
    for path in files {
        let mut copy = || std::io::copy(&mut File::open(path)?, &mut hash);
        copy().with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(List {
        path: path.to_owned(),
        files: files.len(),
        sha256: format!("{:x}", hash.finalize()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of FIPS 180-2.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn lists_of_one_file_or_several_are_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, text) in [("list.txt", "abc"), ("2.pts", "bc"), ("1.pts", "a")] {
            std::fs::write(path(name), text).unwrap();
        }
        let source = |kind, list| SourceConfig {
            kind,
            list,
            images: PathBuf::new(),
            weight: 1.0,
            wider: None,
            disagreement: Some(path("1.pts")),
            max_disagreement: None,
            half_disagreement: None,
            complete: None,
        };
        let found = |kind, list| {
            let lists = lists(&source(kind, list)).unwrap().into_iter();
            lists.map(|l| (l.files, l.sha256)).collect::<Vec<_>>()
        };
        let one = found(SourceKind::Wflw, path("list.txt"));
        assert_eq!(one[0], (1, ABC.to_owned()));
        assert!(one.len() == 2 && one[1].1 != ABC);
        let several = found(SourceKind::Pts, folder.path().to_owned());
        assert_eq!(several[0], (2, ABC.to_owned()));
        assert!(lists(&source(SourceKind::Wflw, path("absent"))).is_err());
    }
}
