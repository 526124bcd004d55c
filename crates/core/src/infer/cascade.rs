//! Aligners one after another: each sees the crops that the landmarks of the one before give.

use image::RgbImage;

use super::refiner::{Aligned, Refiner};
use super::{AlignOptions, Around};
use crate::error::{Result, ensure};
use crate::geometry::{BoxXyxy, Face, FaceCrop, Landmarks, Scheme};

/// The second look: one aligner, or several.
#[derive(Debug)]
pub(super) struct Cascade {
    first: Refiner,
    further: Vec<Refiner>,
}

impl Cascade {
    /// Of one aligner.
    pub(super) const fn new(first: Refiner) -> Self {
        Self {
            first,
            further: Vec::new(),
        }
    }

    /// The same with one more.
    ///
    /// # Errors
    /// When that has fewer landmarks than the one before, or no crops can be made around those.
    pub(super) fn then(mut self, next: Refiner) -> Result<Self> {
        let (before, own) = (self.last().scheme(), next.scheme());
        ensure!(
            own.len() >= before.len(),
            Settings,
            "aligners in the wrong order: one of {} landmarks ({}) stands after one of {} ({}); the one \
             with few landmarks comes first",
            own.len(),
            own.name(),
            before.len(),
            before.name()
        );
        next.framing().check_after(before)?;
        self.further.push(next);
        Ok(self)
    }

    /// The aligner that sees each face first.
    pub(super) const fn first(&self) -> &Refiner {
        &self.first
    }

    /// The one whose landmarks count.
    pub(super) fn last(&self) -> &Refiner {
        self.further.last().unwrap_or(&self.first)
    }

    /// How each looks, in order.
    pub(super) fn options(&self) -> impl Iterator<Item = &AlignOptions> {
        let all = std::iter::once(&self.first).chain(&self.further);
        all.map(|stage| &stage.options)
    }

    /// The same for changing it.
    pub(super) fn options_mut(&mut self) -> impl Iterator<Item = &mut AlignOptions> {
        let all = std::iter::once(&mut self.first).chain(&mut self.further);
        all.map(|stage| &mut stage.options)
    }

    /// Look again at those of a photo's `faces` that score high enough for the first aligner, all in
    /// one batch. `from`: the scheme of their landmarks. A face whose points give no crop keeps
    /// them, or has none where they are of another scheme than the last aligner's.
    pub(super) fn refine(&self, photo: &RgbImage, faces: &mut [Face], from: &Scheme) -> Result<()> {
        let mut chosen = Vec::new();
        let mut crops = Vec::new();
        for (index, face) in faces.iter().enumerate() {
            let landmarks = Landmarks::all(face.landmarks.iter().copied());
            if face.score >= self.first.options.min_score
                && let Some(crop) = self.first.framing().around(&landmarks, from)
            {
                chosen.push(index);
                crops.push(crop);
            }
        }
        if from != self.last().scheme() {
            faces.iter_mut().for_each(|face| face.landmarks.clear());
        }
        for (index, aligned) in chosen.into_iter().zip(self.align(photo, crops)?) {
            if let Some(aligned) = aligned {
                faces[index] = aligned.given_to(&faces[index]);
            }
        }
        Ok(())
    }

    /// The last aligner's landmarks of the face in each of the first one's `crops`. `None` where an
    /// aligner finds none that the next one could look around.
    pub(super) fn align(
        &self,
        photo: &RgbImage,
        crops: Vec<FaceCrop>,
    ) -> Result<Vec<Option<Aligned>>> {
        let mut found = self.first.align(photo, crops)?;
        let mut before = &self.first;
        for stage in &self.further {
            let crop = |aligned: &Option<Aligned>| {
                let points = aligned.as_ref()?.landmarks.iter().copied();
                stage
                    .framing()
                    .around(&Landmarks::all(points), before.scheme())
            };
            let crops: Vec<Option<FaceCrop>> = found.iter().map(crop).collect();
            let seen = stage.align(photo, crops.iter().flatten().copied().collect())?;
            let mut seen = seen.into_iter();
            found = crops
                .iter()
                .map(|crop| crop.and_then(|_| seen.next().flatten()))
                .collect();
            before = stage;
        }
        Ok(found)
    }

    /// The first aligner's crop of a face with these bounds.
    pub(super) fn crop_of_box(&self, bounds: BoxXyxy, around: Around) -> Option<FaceCrop> {
        let of = self.last().framing();
        self.first.framing().of_box(bounds, around, of)
    }
}
