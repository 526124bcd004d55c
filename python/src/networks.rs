//! The networks of a detector's files.

use std::path::{Path, PathBuf};

use retinamark_core::infer::{Aligner, Predictor};
use retinamark_core::weights::{Network, Networks};
use retinamark_core::{Error, Result};

/// Which files the looks come from, as the command names them.
pub struct Files {
    /// Both looks, or one.
    pub weights: PathBuf,
    /// Aligners, one after another.
    pub aligners: Vec<PathBuf>,
    /// Another first look, which may be an SCRFD detector as ONNX.
    pub detector: Option<PathBuf>,
}

impl Files {
    /// Their networks. Aligners take the place of those in the first look's file; another first look keeps the
    /// aligners of `weights` where there are no others.
    ///
    /// # Errors
    /// Names the file that cannot be read, is none of ours, or has no aligner.
    pub fn load(self) -> Result<Predictor> {
        match self.detector {
            None => first_then(&self.weights, &self.aligners),
            Some(first) if self.aligners.is_empty() => first_then(&first, &[self.weights]),
            Some(first) => first_then(&first, &self.aligners),
        }
    }
}

fn first_then(first: &Path, aligners: &[PathBuf]) -> Result<Predictor> {
    let mut more = Vec::new();
    for path in aligners {
        more.extend(aligners_of(path)?);
    }
    let bytes = read(first)?;
    if first
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"))
    {
        let own = Predictor::from_onnx(&bytes).map_err(|error| in_file(first, error))?;
        return more.iter().try_fold(own, then);
    }
    let work = || {
        let mut networks = Networks::parse(&bytes)?;
        if networks.detector.is_some() && !more.is_empty() {
            networks.aligners.clear();
        }
        networks.aligners.extend(more);
        Predictor::of_networks(&networks)
    };
    work().map_err(|error| in_file(first, error))
}

fn then(own: Predictor, next: &Network) -> Result<Predictor> {
    let network = Aligner::new(&next.settings, &next.weights)?;
    own.with_aligner(Box::new(network), &next.settings)
}

fn aligners_of(path: &Path) -> Result<Vec<Network>> {
    let found = Networks::parse(&read(path)?).and_then(|networks| match networks.aligners {
        none if none.is_empty() => Err(Error::Weights("it holds no aligner".to_owned())),
        aligners => Ok(aligners),
    });
    found.map_err(|error| in_file(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

fn in_file(path: &Path, error: Error) -> Error {
    Error::Decode {
        path: path.to_owned(),
        source: Box::new(error),
    }
}
