//! What the main crate adds: its command, drawings, evaluation.

use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::ensure;
use clap::Parser;
use image::{ImageFormat, RgbImage};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use retinamark::cli::{Cli, Command};
use retinamark::{commands, output, program};
use retinamark_core::imaging;
use retinamark_core::panics::caught;

use crate::error::{InternalError, SettingsError, exception, of_command};
use crate::face::Face;
use crate::interruptible::interruptible;
use crate::photo::{Photo, array_of};

/// Longest side of a picture in a notebook, pixels.
const NOTEBOOK_SIDE: u32 = 1024;

/// Add all of it to the module.
///
/// # Errors
/// When Python has no room for it.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(draw, module)?)?;
    module.add_function(wrap_pyfunction!(drawn_png, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)
}

/// Run the command with these arguments, the first of which is its name; `again` starts it, without arguments.
/// Gives the exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>, again: Vec<OsString>) -> u8 {
    program::is_started_by(again);
    py.detach(|| {
        let code = match Cli::try_parse_from(arguments) {
            Ok(cli) => number(commands::finish(cli)),
            Err(error) => {
                // Nobody reading is no reason to fail.
                let _ = error.print();
                u8::try_from(error.exit_code()).unwrap_or(2)
            }
        };
        // At its end Python does not know of this buffer.
        let _ = io::stdout().flush();
        code
    })
}

/// The standard library tells the number to nobody but the system.
fn number(code: ExitCode) -> u8 {
    let is_it = |&number: &u8| ExitCode::from(number) == code;
    (0..=u8::MAX).find(is_it).unwrap_or(1)
}

/// A copy of the photo with boxes, scores and landmarks: uint8 [height, width, 3], RGB.
#[pyfunction]
fn draw<'py>(
    photo: &Bound<'py, PyAny>,
    faces: Vec<Bound<'py, Face>>,
) -> PyResult<Bound<'py, PyAny>> {
    array_of(photo.py(), &drawn(photo, &faces, u32::MAX)?)
}

/// The same as a PNG file of a size for notebooks.
#[pyfunction]
fn drawn_png<'py>(
    photo: &Bound<'py, PyAny>,
    faces: Vec<Bound<'py, Face>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let picture = drawn(photo, &faces, NOTEBOOK_SIDE)?;
    let mut png = Cursor::new(Vec::new());
    let written = picture.write_to(&mut png, ImageFormat::Png);
    written.map_err(|error| InternalError::new_err(error.to_string()))?;
    Ok(PyBytes::new(photo.py(), png.get_ref()))
}

/// Made smaller where it has more than `most` pixels on a side.
fn drawn(photo: &Bound<'_, PyAny>, faces: &[Bound<'_, Face>], most: u32) -> PyResult<RgbImage> {
    let py = photo.py();
    let photo = Photo::decoded(photo)?;
    let faces: Vec<_> = faces
        .iter()
        .map(|face| face.get().found().clone())
        .collect();
    let work = || {
        let mut picture = RgbImage::clone(&photo);
        output::draw(&mut picture, &faces);
        let (width, height) = picture.dimensions();
        let longer = width.max(height);
        if longer <= most {
            return Ok(picture);
        }
        let side =
            |side: u32| (u64::from(side) * u64::from(most) / u64::from(longer)).max(1) as u32;
        imaging::resize(&picture, [side(width), side(height)])
    };
    py.detach(|| caught(work))
        .map_err(|error| exception(&error))
}

/// The text of `report.json` for the arguments of `retinamark evaluate`.
#[pyfunction]
fn evaluate(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<String> {
    let words = ["retinamark".into(), "evaluate".into()]
        .into_iter()
        .chain(arguments);
    let cli = Cli::try_parse_from(words);
    let cli = cli.map_err(|error| SettingsError::new_err(error.to_string()))?;
    let Command::Evaluate(arguments) = cli.command else {
        return Err(SettingsError::new_err("these are no arguments of evaluate"));
    };
    let report = interruptible(py, |stop| {
        let go_on = || {
            ensure!(!stop.load(Ordering::Relaxed), "stopped");
            Ok(())
        };
        caught::<_, anyhow::Error>(|| commands::evaluation_report(&arguments, &go_on))
    })?;
    report.map_err(|error| of_command(&error))
}
