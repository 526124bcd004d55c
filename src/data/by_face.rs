//! One face at a time.

use std::mem::take;

use anyhow::{Result, ensure};

use super::{Dataset, FaceLabel, Group, Sample};
use crate::geometry::{BoxXyxy, Scheme};

/// Faces of hardly any trust are drawn this often, as a power of a half.
const MOST_HALVINGS: f32 = 6.0;

impl Dataset {
    /// The same with a sample of its own for every face that has landmarks, whose box becomes the
    /// bounds of those. Turned faces (see [`Scheme::is_turned`]) are drawn `turned_weight` times
    /// as often as others, and faces of little trust seldom, rather than often for little.
    ///
    /// # Errors
    /// When no face has landmarks.
    pub fn by_face(mut self, scheme: &Scheme, turned_weight: f32) -> Result<Self> {
        let photos = Photos {
            samples: take(&mut self.samples),
            origins: take(&mut self.origins),
            photos: take(&mut self.photos),
        };
        for group in take(&mut self.groups) {
            for (turned, factor) in [(false, 1.0), (true, turned_weight)] {
                let of_photo = |index| {
                    let faces = single_faces(&photos.samples[index], scheme, turned);
                    faces.map(move |(halvings, sample)| (halvings, index, sample))
                };
                let mut alone: Vec<_> = group.members.clone().flat_map(of_photo).collect();
                alone.sort_by_key(|(halvings, ..)| *halvings);
                for level in alone.chunk_by(|a, b| a.0 == b.0) {
                    self.push(level, &photos, group.weight * factor);
                }
            }
        }
        let drawn = |g: &Group| g.weight > 0.0 && !g.members.is_empty();
        ensure!(
            self.groups.iter().any(drawn),
            "no face of the training data has landmarks"
        );
        Ok(self)
    }

    /// Add faces that are drawn equally often: how many times half as often as `weight` says, the index
    /// of the photo, the face alone.
    fn push(&mut self, faces: &[(u8, usize, Sample)], photos: &Photos, weight: f32) {
        let start = self.samples.len();
        let halvings = faces.first().map_or(0, |(halvings, ..)| *halvings);
        for (_, index, sample) in faces {
            self.samples.push(sample.clone());
            self.origins.push(photos.origins[*index].clone());
            self.photos.push(photos.photos[*index]);
        }
        self.groups.push(Group {
            members: start..self.samples.len(),
            weight: weight * 0.5f32.powi(i32::from(halvings)),
        });
    }
}

/// What a data set holds of its photos.
struct Photos {
    samples: Vec<Sample>,
    origins: Vec<String>,
    photos: Vec<usize>,
}

/// The faces of a photo that have landmarks and are `turned` or not, each alone, and how many times
/// it is to be drawn half as often; what is left of its trust is between 0.7 and 1.4.
fn single_faces<'a>(
    sample: &'a Sample,
    scheme: &'a Scheme,
    turned: bool,
) -> impl Iterator<Item = (u8, Sample)> + 'a {
    sample.faces.iter().filter_map(move |face| {
        let bounds = face.landmarks.bounds().filter(BoxXyxy::has_size)?;
        let is_turned = scheme.is_turned(&face.landmarks);
        let halvings = (-face.trust.log2()).round().clamp(0.0, MOST_HALVINGS);
        let alone = || Sample {
            faces: vec![FaceLabel {
                box_xyxy: bounds,
                trust: face.trust * halvings.exp2(),
                ..face.clone()
            }],
            ..sample.clone()
        };
        (!face.ignored && is_turned == turned).then(|| (halvings as u8, alone()))
    })
}
