//! What can go wrong.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use crate::panics::Panicked;

/// Why something could not be done; its text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network, a graph or its inputs contradict themselves or each other.
    #[error("{0}")]
    Network(String),
    /// An ONNX file is damaged or has what cannot be computed here, or a graph has what ONNX cannot
    /// say.
    #[error("{0}")]
    Onnx(String),
    /// A weights file is damaged, or another program's.
    #[error("{0}")]
    Weights(String),
    /// Settings contradict themselves or each other.
    #[error("{0}")]
    Settings(String),
    /// Landmarks are not those of the scheme that they are taken for.
    #[error("{0}")]
    Landmarks(String),
    /// A photo is damaged, cut off or empty.
    #[error("{0}")]
    Photo(String),
    /// No photo, or one of a kind that cannot be read.
    #[error("{0}")]
    Unsupported(String),
    /// A photo, or its file, is larger than is allowed.
    #[error("{0}")]
    TooLarge(String),
    /// The system does not give a file's bytes.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is in a file cannot be read.
    #[error("cannot read {}", .path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A library failed where it must not.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Error {
    /// A photo's fault, in our words or those of a decoder.
    pub(crate) fn photo(text: impl Display) -> Self {
        Self::Photo(text.to_string())
    }

    /// [`Self::photo`], in all words of an error: its own and those of what caused it.
    pub(crate) fn photo_because(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let words: Vec<String> = causes.map(ToString::to_string).collect();
        Self::Photo(words.join(": "))
    }

    /// The same, of what is in the file `path`.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            // It says so already.
            Self::Io { .. } => self,
            _ => Self::Decode {
                path: path.to_owned(),
                source: Box::new(self),
            },
        }
    }
}

/// With [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// `bail!(Kind, "text {}", ..)`: return the [`Error`] of that kind.
macro_rules! bail {
    ($kind:ident, $($text:tt)+) => {
        return Err($crate::Error::$kind(format!($($text)+)))
    };
}

/// `ensure!(condition, Kind, "text {}", ..)`: [`bail!`] unless it holds.
macro_rules! ensure {
    ($holds:expr, $kind:ident, $($text:tt)+) => {
        if !$holds {
            $crate::error::bail!($kind, $($text)+);
        }
    };
}

pub(crate) use {bail, ensure};
