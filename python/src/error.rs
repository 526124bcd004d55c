//! Errors as Python's exceptions, whose classes are in `package/retinamark/errors.py`.

use std::error::Error as _;
use std::io;
use std::path::Path;

use pyo3::PyErr;
use pyo3::exceptions::PyOSError;
use retinamark_core::Error;

/// The classes in a module of their own, so that each need not be documented twice.
#[allow(missing_docs)]
mod classes {
    use pyo3::import_exception;

    import_exception!(retinamark.errors, RetinamarkError);
    import_exception!(retinamark.errors, InternalError);
    import_exception!(retinamark.errors, LandmarksError);
    import_exception!(retinamark.errors, NetworkError);
    import_exception!(retinamark.errors, PhotoError);
    import_exception!(retinamark.errors, SettingsError);
    import_exception!(retinamark.errors, TooLargeError);
    import_exception!(retinamark.errors, UnsupportedPhotoError);
    import_exception!(retinamark.errors, WeightsError);
}

pub use classes::*;

/// The exception of an error of the core, in all its words.
pub fn exception(error: &Error) -> PyErr {
    let (mut words, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    of_kind(error, words)
}

fn of_kind(error: &Error, words: String) -> PyErr {
    match error {
        Error::Decode { source, .. } => of_kind(source, words),
        Error::Io { path, source } => os_error(path, source, words),
        Error::Landmarks(_) => LandmarksError::new_err(words),
        Error::Network(_) => NetworkError::new_err(words),
        Error::Onnx(_) | Error::Weights(_) => WeightsError::new_err(words),
        Error::Panicked(_) => InternalError::new_err(words),
        Error::Photo(_) => PhotoError::new_err(words),
        Error::Settings(_) => SettingsError::new_err(words),
        Error::TooLarge(_) => TooLargeError::new_err(words),
        Error::Unsupported(_) => UnsupportedPhotoError::new_err(words),
        _ => RetinamarkError::new_err(words),
    }
}

/// As `open` raises it: Python finds the class, such as FileNotFoundError, by the number.
fn os_error(path: &Path, error: &io::Error, words: String) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        return PyOSError::new_err(words);
    };
    let said = error.to_string();
    let said = said
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    PyOSError::new_err((number, said, path.as_os_str().to_owned()))
}

/// The exception of an error of the main crate: the kind is that of the first cause that has one.
#[cfg(feature = "command")]
pub fn of_command(error: &anyhow::Error) -> PyErr {
    let words = format!("{error:#}");
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<Error>() {
            return of_kind(error, words);
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return io::Error::new(error.kind(), words).into();
        }
    }
    RetinamarkError::new_err(words)
}
