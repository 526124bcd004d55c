//! `Face`.

use std::fmt::Write as _;
use std::sync::Arc;

use image::RgbImage;
use pyo3::prelude::*;
use retinamark_core::geometry::{Face as Found, Scheme};
use retinamark_core::imaging::crop::aligned_crop;
use retinamark_core::record::FaceRecord;

use crate::array;
use crate::error::{InternalError, SettingsError, exception};
use crate::options::check;
use crate::photo::{Photo, array_of};

/// A face of a photo, in its pixels. Arrays are new with every access: changing one changes no face.
#[pyclass(frozen, module = "retinamark")]
pub struct Face {
    found: Found,
    scheme: Arc<Scheme>,
    photo: Option<Arc<RgbImage>>,
}

impl Face {
    /// With landmarks of `scheme`, of a photo that may be kept for crops.
    pub const fn new(found: Found, scheme: Arc<Scheme>, photo: Option<Arc<RgbImage>>) -> Self {
        Self {
            found,
            scheme,
            photo,
        }
    }

    /// What was found.
    #[cfg(feature = "command")]
    pub const fn found(&self) -> &Found {
        &self.found
    }

    fn photo(&self, given: Option<&Bound<'_, PyAny>>) -> PyResult<Arc<RgbImage>> {
        match (given, &self.photo) {
            (Some(given), _) => Photo::decoded(given),
            (None, Some(kept)) => Ok(kept.clone()),
            (None, None) => Err(SettingsError::new_err(
                "the faces of a batch do not keep their photos: give crop(photo=...)",
            )),
        }
    }
}

#[pymethods]
impl Face {
    /// Left, top, right, bottom: float32 [4], pixels of the upright photo.
    #[getter(r#box)]
    fn bounds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array::floats(py, <[f32; 4]>::from(self.found.box_xyxy), &[4])
    }

    /// Probability of a face, 0 to 1.
    #[getter]
    const fn score(&self) -> f32 {
        self.found.score
    }

    /// x and y of each landmark: float32 [landmarks, 2], pixels of the upright photo.
    #[getter]
    fn landmarks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let points = &self.found.landmarks;
        let numbers = points.iter().copied().flatten();
        array::floats(py, numbers, &[points.len(), 2])
    }

    /// Probability of each landmark to be close: float32 [landmarks], or None.
    #[getter]
    fn landmark_scores<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let scores = self.found.landmark_scores.as_ref();
        let array = |scores: &Vec<f32>| array::floats(py, scores.iter().copied(), &[scores.len()]);
        scores.map(array).transpose()
    }

    /// The mean of `landmark_scores`, or None.
    #[getter]
    fn landmark_confidence(&self) -> Option<f32> {
        self.found.confidence()
    }

    /// Whether the landmarks are not to be trusted: `landmark_confidence` below 0.6.
    #[getter]
    fn unsure(&self) -> bool {
        self.found.is_unsure()
    }

    /// Pitch, yaw and roll of the head: float32 [3], degrees, or None.
    #[getter]
    fn pose<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let pose = self.found.pose;
        pose.map(|pose| array::floats(py, pose.degrees(), &[3]))
            .transpose()
    }

    /// The face upright, aligned by eyes and mouth: uint8 [size, size, 3], RGB, black beyond the photo's edges.
    /// `photo` is needed for faces of a batch, which do not keep theirs.
    #[pyo3(signature = (size=112, photo=None))]
    fn crop<'py>(
        &self,
        py: Python<'py>,
        size: u32,
        photo: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        check((8..=4096).contains(&size), "size: choose 8 to 4096 pixels")?;
        let photo = self.photo(photo)?;
        let crop = py.detach(|| aligned_crop(&photo, &self.found, &self.scheme, size));
        array_of(py, &crop.map_err(|error| exception(&error))?)
    }

    /// The face as in `detections.jsonl`: plain numbers, rounded.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // Through the very text: a `float` then is the number that the file has, not the nearest `float32`.
        let text = serde_json::to_string(&FaceRecord::new(&self.found))
            .map_err(|error| InternalError::new_err(error.to_string()))?;
        py.import("json")?.call_method1("loads", (text,))
    }

    fn __repr__(&self) -> String {
        let record = FaceRecord::new(&self.found);
        let [left, top, right, bottom] = record.box_xyxy.map(|v| format!("{v:.1}"));
        let mut text = format!(
            "Face(box=[{left}, {top}, {right}, {bottom}], score={:.3}, landmarks={}",
            record.score,
            record.landmarks.len()
        );
        if let Some(confidence) = record.landmark_confidence {
            // Writing to a string cannot fail.
            let _ = write!(text, ", landmark_confidence={confidence:.2}");
        }
        text.push_str(if record.unsure { ", unsure)" } else { ")" });
        text
    }
}
