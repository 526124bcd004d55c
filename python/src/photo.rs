//! What is taken for a photo.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use retinamark_core::imaging::{Limits, decode_rgb, load_rgb};
use retinamark_core::{Error, Result};

use crate::array;

/// A photo as it was given, in a form that needs no Python any more.
pub enum Photo {
    /// A file that is not read yet.
    File(PathBuf),
    /// A file in memory, which Python owns.
    Bytes(PyBackedBytes),
    /// A copy of an array's or a picture's pixels.
    Pixels(RgbImage),
    /// One that was looked at before.
    Kept(Arc<RgbImage>),
}

impl Photo {
    /// Of a path, the bytes of a file, an array, a PIL image, or the [`Pixels`] of an earlier look.
    ///
    /// # Errors
    /// TypeError and ValueError on anything else.
    pub fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(kept) = given.cast::<Pixels>() {
            return Ok(Self::Kept(kept.get().0.clone()));
        }
        if let Ok(bytes) = given.extract() {
            return Ok(Self::Bytes(bytes));
        }
        if given.hasattr("__fspath__")? || given.is_instance_of::<pyo3::types::PyString>() {
            return Ok(Self::File(given.extract()?));
        }
        let pixels = given.py().import("retinamark._photos")?;
        let pixels = pixels.call_method1("pixels", (given,))?;
        let (rgb, height, width): (PyBackedBytes, u32, u32) = pixels.extract()?;
        let photo = RgbImage::from_raw(width, height, rgb.to_vec());
        let photo = photo.ok_or_else(|| crate::error::PhotoError::new_err("pixels are missing"))?;
        Ok(Self::Pixels(photo))
    }

    /// Upright RGB.
    ///
    /// # Errors
    /// As [`load_rgb`] and [`decode_rgb`].
    pub fn decode(self) -> Result<Arc<RgbImage>> {
        let limits = Limits::default();
        match self {
            Self::File(path) => load_rgb(&path, &limits).map(Arc::new),
            Self::Bytes(bytes) => decode_rgb(&bytes, &limits).map(Arc::new),
            Self::Pixels(photo) => Ok(Arc::new(photo)),
            Self::Kept(photo) => Ok(photo),
        }
    }

    /// [`Photo::decode`] of what was given, while others run Python.
    ///
    /// # Errors
    /// As there and [`Photo::of`].
    pub fn decoded(given: &Bound<'_, PyAny>) -> PyResult<Arc<RgbImage>> {
        let photo = Self::of(given)?;
        let decode = || retinamark_core::panics::caught::<_, Error>(|| photo.decode());
        let decoded = given.py().detach(decode);
        decoded.map_err(|error| crate::error::exception(&error))
    }
}

/// The pixels of a photo that was looked at, which faces keep for crops and drawings.
#[pyclass(frozen, module = "retinamark._native")]
pub struct Pixels(pub Arc<RgbImage>);

#[pymethods]
impl Pixels {
    /// A copy: uint8 [height, width, 3], RGB.
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array_of(py, &self.0)
    }
}

/// A picture as uint8 [height, width, 3], RGB.
///
/// # Errors
/// When there is no NumPy.
pub fn array_of<'py>(py: Python<'py>, picture: &RgbImage) -> PyResult<Bound<'py, PyAny>> {
    let (width, height) = picture.dimensions();
    array::bytes(py, picture, &[height as usize, width as usize, 3])
}
