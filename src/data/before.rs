//! What the aligners before the one that is trained find of a face: its crops are made of that.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use retinamark_core::infer::{Framing, Predictor};

use super::FaceLabel;
use crate::config::Config;
use crate::geometry::{FaceCrop, Landmarks, Scheme};

/// A crop has lost its face when its middle lies farther off than this, in longer sides of the
/// face, ...
const FAR: f32 = 0.5;
/// ... when it is larger or smaller by more than this factor, ...
const OTHER_SIZE: f32 = 1.6;
/// ... or turned by more than this, degrees.
const TURNED: f32 = 45.0;

/// The aligners of `train.after`, shared by all workers.
#[derive(Debug)]
pub struct Before {
    looks: Predictor,
    framing: Framing,
    looked: AtomicUsize,
    lost: AtomicUsize,
}

impl Before {
    /// Those that `config` names; `None` when it names none.
    ///
    /// # Errors
    /// Names the file when it cannot be read or holds no aligner, or when the one that is trained
    /// cannot look after it.
    pub fn of(config: &Config) -> Result<Option<Self>> {
        let path = config.train.after.as_deref();
        let load = |path: &Path| {
            let named = || format!("train.after: {}", path.display());
            Self::load(path, config).with_context(named)
        };
        path.map(load).transpose()
    }

    fn load(path: &Path, config: &Config) -> Result<Self> {
        let looks = Predictor::load(path)?;
        ensure!(looks.looks_again(), "it holds no aligner");
        let framing = Framing::of(&config.settings())?;
        framing.check_after(looks.scheme())?;
        Ok(Self {
            looks,
            framing,
            looked: AtomicUsize::default(),
            lost: AtomicUsize::default(),
        })
    }

    /// The crop that the aligners give for a `face` of `photo`, whose points are of `scheme`, when
    /// `spoil` has made their first crop as wrong as a detector would. `None`, and counted, where
    /// they lose the face, which `right` shows.
    ///
    /// # Errors
    /// When a crop cannot be made or computed.
    pub fn find(
        &self,
        photo: &RgbImage,
        (face, scheme): (&FaceLabel, &Scheme),
        right: &FaceCrop,
        spoil: impl FnOnce(FaceCrop) -> FaceCrop,
    ) -> Result<Option<FaceCrop>> {
        self.looked.fetch_add(1, Ordering::Relaxed);
        let start = self.looks.first_crop(&face.landmarks, scheme)?;
        let found = match start {
            Some(start) => self.looks.align_in(photo, spoil(start))?,
            None => None,
        };
        let crop = found.and_then(|points| {
            let points = Landmarks::all(points);
            self.framing.around(&points, self.looks.scheme())
        });
        let crop = crop.filter(|crop| !self.is_lost(crop, right));
        if crop.is_none() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(crop)
    }

    fn is_lost(&self, crop: &FaceCrop, right: &FaceCrop) -> bool {
        let face = right.side / self.framing.context();
        let [x, y] = [0, 1].map(|axis| crop.centre[axis] - right.centre[axis]);
        let factor = (crop.side / right.side).ln().abs();
        let turn = (crop.angle - right.angle).sin_cos();
        let turn = turn.0.atan2(turn.1).abs();
        let fine =
            x.hypot(y) <= FAR * face && factor <= OTHER_SIZE.ln() && turn <= TURNED.to_radians();
        !fine
    }

    /// What became of all looks until now, where some lost their faces.
    pub fn note(&self) -> Option<String> {
        let [looked, lost] = [&self.looked, &self.lost].map(|n| n.load(Ordering::Relaxed));
        (lost > 0).then(|| {
            format!(
                "train.after: {lost} of {looked} looks lost the face; its crop was drawn as augment.face \
                 says instead"
            )
        })
    }
}
