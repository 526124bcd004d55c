//! The native half of the Python package `retinamark`; `package/retinamark` is the other one,
//! whose `_native.pyi` says what people see of both.

#![warn(missing_docs)]

mod array;
mod batch;
#[cfg(feature = "command")]
mod command;
mod detector;
mod error;
mod face;
#[cfg(feature = "command")]
mod interruptible;
mod networks;
mod options;
mod photo;
mod pools;

use pyo3::prelude::*;

/// `retinamark._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<detector::Detector>()?;
    module.add_class::<face::Face>()?;
    module.add_class::<photo::Pixels>()?;
    #[cfg(feature = "command")]
    command::add_to(module)?;
    Ok(())
}
