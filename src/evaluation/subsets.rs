//! Named subsets of the truths, such as WIDER FACE's easy, medium and hard.

use std::collections::HashMap;
use std::sync::Arc;

use crate::data::Sample;
use crate::geometry::BoxXyxy;

/// A box of a subset's list is that of a truth from this IoU on: lists round.
const SAME_BOX: f32 = 0.9;

/// By the photo's name.
type BoxesOfPhoto = HashMap<Arc<str>, Vec<BoxXyxy>>;

/// Lists of the faces that belong to each subset.
#[derive(Clone, Debug, Default)]
pub struct Subsets {
    lists: Vec<(String, BoxesOfPhoto)>,
}

impl Subsets {
    /// Add the subset `name`, made up of the faces of `samples` that are not ignored. At most 32.
    pub fn add(&mut self, name: &str, samples: &[Sample]) {
        let mut list = BoxesOfPhoto::new();
        for sample in samples {
            let valid = sample.faces.iter().filter(|f| !f.ignored);
            let boxes = list.entry(sample.name.clone()).or_default();
            boxes.extend(valid.map(|f| f.box_xyxy));
        }
        self.lists.push((name.to_owned(), list));
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.lists.iter().map(|(name, _)| name.clone()).collect()
    }

    /// For each face of a photo a bit set of the subsets that it belongs to.
    pub fn of(&self, sample: &Sample) -> Vec<u32> {
        let belongs = |boxes: Option<&Vec<BoxXyxy>>, face: &BoxXyxy| {
            boxes.is_some_and(|all| all.iter().any(|b| b.iou(face) >= SAME_BOX))
        };
        let bits = |face: &BoxXyxy| {
            let of_face = |(bit, (_, list)): (usize, &(String, HashMap<_, _>))| {
                u32::from(belongs(list.get(&sample.name), face)) << bit
            };
            self.lists.iter().enumerate().map(of_face).sum()
        };
        sample.faces.iter().map(|f| bits(&f.box_xyxy)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FaceLabel;

    fn sample(name: &str, lefts: &[f32]) -> Sample {
        let face = |&x: &f32| FaceLabel::boxed(BoxXyxy::from_xywh(x, 0.0, 20.0, 20.0));
        Sample {
            path: name.into(),
            name: name.into(),
            faces: lefts.iter().map(face).collect(),
            complete: true,
            source: 0,
        }
    }

    #[test]
    fn faces_belong_by_photo_and_box() {
        let mut subsets = Subsets::default();
        subsets.add("easy", &[sample("a.jpg", &[0.0])]);
        subsets.add(
            "hard",
            &[sample("a.jpg", &[0.0, 50.0]), sample("b.jpg", &[])],
        );
        assert_eq!(subsets.names(), ["easy", "hard"]);
        assert_eq!(subsets.of(&sample("a.jpg", &[50.0, 0.4, 90.0])), [2, 3, 0]);
        assert_eq!(subsets.of(&sample("c.jpg", &[0.0])), [0]);
    }
}
