//! Arguments of a detector, checked as the command checks its own.

use pyo3::prelude::*;
use pyo3::types::PyBool;
use retinamark_core::infer::{AlignOptions, DetectOptions, FULL_SIZE_LIMIT, InputSize};

use crate::error::SettingsError;

/// The sizes that a photo is looked at: an int, "full", "auto", or a pair of the first two.
pub struct Sizes {
    first: InputSize,
    second: Option<InputSize>,
}

impl FromPyObject<'_, '_> for Sizes {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(first) = one(&given) {
            return Ok(Self {
                first,
                second: None,
            });
        }
        let pair: Option<[Bound<'_, PyAny>; 2]> = given.extract().ok();
        let pair = pair.and_then(|[a, b]| Some((one(&a).ok()?, one(&b).ok()?)));
        match pair {
            Some((first, second)) if first != InputSize::Auto && second != InputSize::Auto => {
                Ok(Self {
                    first,
                    second: Some(second),
                })
            }
            _ => Err(SettingsError::new_err(format!(
                "size={}: choose 32 to {FULL_SIZE_LIMIT} pixels, \"full\", or a pair of these, or \"auto\"",
                given.repr()?
            ))),
        }
    }
}

fn one(given: &Bound<'_, PyAny>) -> Result<InputSize, ()> {
    if let Ok(text) = given.extract::<String>() {
        return match text.as_str() {
            "full" => Ok(InputSize::Full),
            "auto" => Ok(InputSize::Auto),
            _ => Err(()),
        };
    }
    match given.extract() {
        Ok(side) if !given.is_instance_of::<PyBool>() && (32..=FULL_SIZE_LIMIT).contains(&side) => {
            Ok(InputSize::Fixed(side))
        }
        _ => Err(()),
    }
}

/// What to look for; `None` where the weights decide.
pub struct Wanted {
    /// At which sizes.
    pub sizes: Option<Sizes>,
    /// On its sides and upside down too.
    pub any_angle: bool,
    /// Lowest score of a face.
    pub score: Option<f32>,
    /// IoU above which the weaker of two boxes goes.
    pub nms: Option<f32>,
    /// Most faces of a photo.
    pub max_faces: Option<usize>,
}

impl Wanted {
    /// `options` with what is wanted.
    ///
    /// # Errors
    /// SettingsError on a number that is out of range.
    pub fn change(self, options: &mut DetectOptions) -> PyResult<()> {
        if let Some(Sizes { first, second }) = self.sizes {
            (options.size, options.second_size) = (first, second);
        }
        options.any_angle = self.any_angle;
        options.score = share("score", self.score)?.unwrap_or(options.score);
        options.nms_iou = share("nms", self.nms)?.unwrap_or(options.nms_iou);
        options.max_faces = self.max_faces.unwrap_or(options.max_faces);
        check(options.max_faces > 0, "max_faces: choose at least 1")
    }
}

/// How to look again; `None` where the weights decide.
#[derive(Clone, Copy)]
pub struct Again {
    /// How often each aligner looks.
    pub passes: Option<usize>,
    /// In a mirror too.
    pub flip: bool,
}

impl Again {
    /// Whether anything is asked for.
    pub const fn is_asked(self) -> bool {
        self.passes.is_some() || self.flip
    }

    /// Change how aligners look.
    ///
    /// # Errors
    /// SettingsError on too many passes, or none.
    pub fn change<'a>(self, all: impl Iterator<Item = &'a mut AlignOptions>) -> PyResult<()> {
        let passes = self.passes.is_none_or(|passes| (1..=10).contains(&passes));
        check(passes, "passes: choose 1 to 10")?;
        for options in all {
            options.passes = self.passes.unwrap_or(options.passes);
            options.flip |= self.flip;
        }
        Ok(())
    }
}

/// SettingsError with these words unless `holds`.
pub fn check(holds: bool, words: &str) -> PyResult<()> {
    match holds {
        true => Ok(()),
        false => Err(SettingsError::new_err(words.to_owned())),
    }
}

fn share(name: &str, value: Option<f32>) -> PyResult<Option<f32>> {
    let good = value.is_none_or(|value| (0.0..=1.0).contains(&value));
    check(good, &format!("{name}: choose a number from 0 to 1"))?;
    Ok(value)
}

/// As Python says it.
pub fn size_text(options: &DetectOptions) -> String {
    let one = |size| match size {
        InputSize::Fixed(side) => side.to_string(),
        InputSize::Full => "\"full\"".to_owned(),
        InputSize::Auto => "\"auto\"".to_owned(),
    };
    match options.second_size {
        None => one(options.size),
        Some(second) => format!("({}, {})", one(options.size), one(second)),
    }
}
