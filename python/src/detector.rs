//! `Detector`.

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;
use pyo3::prelude::*;
use retinamark_core::geometry::{Face as Found, Scheme};
use retinamark_core::infer::{DetectOptions, Predictor};
use retinamark_core::panics::caught;
use retinamark_core::{Error, Result};

use crate::batch::{self, Errors};
use crate::error::exception;
use crate::face::Face;
use crate::networks::Files;
use crate::options::{Again, Sizes, Wanted, check, size_text};
use crate::photo::{Photo, Pixels};
use crate::pools;

/// What was found in a photo.
pub struct Seen {
    /// Best first.
    pub faces: Vec<Found>,
    /// The upright photo.
    pub photo: Arc<RgbImage>,
}

/// Networks and how to look with them; needs no Python.
pub struct Looks {
    predictor: Predictor,
    options: DetectOptions,
}

impl Looks {
    /// The faces of a photo, on the threads that the caller is in.
    ///
    /// # Errors
    /// When it cannot be decoded, or a library fails.
    pub fn find(&self, photo: Photo) -> Result<Seen> {
        caught::<_, Error>(|| {
            let photo = photo.decode()?;
            let faces = self.predictor.detect(&photo, &self.options)?;
            Ok(Seen { faces, photo })
        })
    }
}

/// Finds faces (the first look) and looks again at each (the second). May be used from many threads at once.
///
/// weights: a file of `retinamark` [the one that RETINAMARK_WEIGHTS names, or the one of this package].
/// aligner: files of second looks, instead of that of `weights`.
/// detector: another first look: SCRFD's ONNX file, or a file of `retinamark`.
/// size: longer side of the photo where it is looked at, 32 to 3072 pixels [640]; "full": its own size; a pair:
///     two looks; "auto": as many as it is worth. Larger finds smaller faces.
/// any_angle: look at the photo on its sides and upside down too: four times the work.
/// score: lowest score of a face [0.5].
/// nms: of two boxes that overlap by more than this IoU the weaker one goes [0.4].
/// max_faces: most faces of a photo [750].
/// passes: how often each face is looked at again, 1 to 10 [2].
/// flip: in a mirror too, and the mean taken: slower, more exact.
/// one_pass: only the first look: coarse landmarks, without scores.
///
/// None is what the weights say; what stands in brackets is that of the shipped ones.
#[pyclass(frozen, module = "retinamark")]
pub struct Detector {
    looks: Looks,
    scheme: Arc<Scheme>,
    weights: PathBuf,
}

#[pymethods]
impl Detector {
    #[new]
    #[pyo3(signature = (weights=None, *, aligner=None, detector=None, size=None, any_angle=false,
                        score=None, nms=None, max_faces=None, passes=None, flip=false, one_pass=false))]
    #[allow(
        clippy::too_many_arguments,
        reason = "they have names where it is called"
    )]
    fn new(
        py: Python<'_>,
        weights: Option<PathBuf>,
        aligner: Option<OneOrMany>,
        detector: Option<PathBuf>,
        size: Option<Sizes>,
        any_angle: bool,
        score: Option<f32>,
        nms: Option<f32>,
        max_faces: Option<usize>,
        passes: Option<usize>,
        flip: bool,
        one_pass: bool,
    ) -> PyResult<Self> {
        let again = Again { passes, flip };
        check(
            !one_pass || aligner.is_none() && !again.is_asked(),
            "one_pass leaves out the second look, which aligner, passes and flip are about",
        )?;
        let weights = weights.map_or_else(|| shipped(py), Ok)?;
        let files = Files {
            weights: weights.clone(),
            aligners: aligner.map_or_else(Vec::new, OneOrMany::list),
            detector,
        };
        let mut predictor = py
            .detach(|| caught(|| files.load()))
            .map_err(|error| exception(&error))?;
        if one_pass {
            predictor = predictor.one_pass();
        }
        check(
            predictor.finds_faces(),
            "these weights hold an aligner only, which cannot find faces: give it as aligner=",
        )?;
        check(
            predictor.looks_again() || !again.is_asked(),
            "passes and flip need an aligner, which these weights do not hold",
        )?;
        again.change(predictor.align_options_mut())?;
        let wanted = Wanted {
            sizes: size,
            any_angle,
            score,
            nms,
            max_faces,
        };
        let mut options = DetectOptions::from(&predictor.settings().detect);
        wanted.change(&mut options)?;
        Ok(Self {
            scheme: Arc::new(predictor.scheme().clone()),
            looks: Looks { predictor, options },
            weights,
        })
    }

    /// The faces of a photo: a path, the bytes of a file, a uint8 array [height, width, 3] (RGB) or [height, width]
    /// (grey), or a PIL image. Files and PIL images are turned as their EXIF data says, transparency lies over white.
    ///
    /// Raises PhotoError and its kinds, OSError; TypeError and ValueError on arrays of another type or shape.
    fn detect<'py>(&self, photo: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = photo.py();
        let (photo, pool) = (Photo::of(photo)?, pools::shared()?);
        let seen = py.detach(|| pool.install(|| self.looks.find(photo)));
        let Seen { faces, photo } = seen.map_err(|error| exception(&error))?;
        let size = photo.dimensions();
        self.faces(py, faces, size, Some(photo))
    }

    /// The faces of many photos, `threads` of them at a time (None: one a core), in the order of `photos`, which
    /// may be any iterable. Photos are not kept: `Face.crop` then has to be given them.
    ///
    /// errors: "raise" the exception of the first photo that fails, or "return" it in the photo's place.
    #[pyo3(signature = (photos, threads=None, errors=Errors::Raise))]
    #[pyo3(text_signature = "($self, photos, threads=None, errors='raise')")]
    fn detect_batch<'py>(
        &self,
        photos: &Bound<'py, PyAny>,
        threads: Option<usize>,
        errors: Errors,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = photos.py();
        check(threads != Some(0), "threads: choose at least 1")?;
        let found = batch::run(&self.looks, photos, threads, errors)?;
        let given = found.into_iter().map(|one| match one {
            Ok(batch::Faces { faces, size }) => self.faces(py, faces, size, None),
            Err(error) => Ok(error.into_value(py).into_bound(py).into_any()),
        });
        given.collect()
    }

    /// How many landmarks a face has.
    #[getter]
    fn landmarks(&self) -> usize {
        self.scheme.len()
    }

    fn __repr__(&self) -> String {
        let options = &self.looks.options;
        format!(
            "Detector({:?}, landmarks={}, size={}, score={}, nms={}, max_faces={}, looks={})",
            self.weights.display().to_string(),
            self.scheme.len(),
            size_text(options),
            options.score,
            options.nms_iou,
            options.max_faces,
            1 + self
                .looks
                .predictor
                .align_options()
                .map(|look| look.passes)
                .sum::<usize>(),
        )
    }
}

impl Detector {
    /// Python's list of faces, which keeps `photo` if there is one.
    fn faces<'py>(
        &self,
        py: Python<'py>,
        faces: Vec<Found>,
        size: (u32, u32),
        photo: Option<Arc<RgbImage>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let face = |found| Face::new(found, self.scheme.clone(), photo.clone());
        let faces: Vec<Face> = faces.into_iter().map(face).collect();
        let class = py.import("retinamark._faces")?.getattr("Faces")?;
        class.call1((faces, size, photo.clone().map(Pixels)))
    }
}

/// The weights that are used where none are named.
fn shipped(py: Python<'_>) -> PyResult<PathBuf> {
    py.import("retinamark._weights")?
        .call_method0("default")?
        .extract()
}

/// A file, or several.
#[derive(FromPyObject)]
enum OneOrMany {
    One(PathBuf),
    Many(Vec<PathBuf>),
}

impl OneOrMany {
    fn list(self) -> Vec<PathBuf> {
        match self {
            Self::One(path) => vec![path],
            Self::Many(paths) => paths,
        }
    }
}
