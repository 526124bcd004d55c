//! How often faces count whose attributes are rare.

use super::{FaceLabel, Sample};

/// One number for each attribute of WFLW: `1 / (share of faces with it)`, of the faces that say what
/// they have; 0 for one that no face has. PFLD (Guo et al., 2019, arXiv:1902.10859) weighs faces so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttributeWeights([f32; 6]);

impl AttributeWeights {
    /// Of all faces in some photos.
    pub fn of(samples: &[Sample]) -> Self {
        let faces = samples.iter().flat_map(|sample| &sample.faces);
        let known: Vec<[bool; 6]> = faces.filter_map(|face| face.attributes).collect();
        Self(std::array::from_fn(|k| {
            let with = known.iter().filter(|attributes| attributes[k]).count();
            if with == 0 {
                return 0.0;
            }
            known.len() as f32 / with as f32
        }))
    }

    /// How often a face counts: the sum over its attributes; once where it has none, or does not say.
    pub fn weight(&self, face: &FaceLabel) -> f32 {
        let attributes = face.attributes.unwrap_or_default();
        let own = self.0.iter().zip(attributes).filter(|(_, has)| *has);
        let sum: f32 = own.map(|(weight, _)| weight).sum();
        if sum > 0.0 { sum } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::BoxXyxy;

    fn face(attributes: Option<[u8; 6]>) -> FaceLabel {
        FaceLabel {
            attributes: attributes.map(|all| all.map(|has| has == 1)),
            ..FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 9.0, 9.0))
        }
    }

    #[test]
    fn rare_attributes_count_more() {
        let faces = [
            face(Some([1, 0, 0, 0, 0, 0])),
            face(Some([1, 1, 0, 0, 0, 0])),
            face(Some([0; 6])),
            face(Some([0; 6])),
            face(None),
        ];
        let sample = Sample {
            path: "a.png".into(),
            name: "a.png".into(),
            faces: faces.to_vec(),
            complete: true,
            source: 0,
        };
        let weights = AttributeWeights::of(&[sample]);
        // Of the four that say: two with the first one, one with the second.
        assert_eq!(weights.0, [2.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
        let all = faces.each_ref().map(|face| weights.weight(face));
        assert_eq!(all, [2.0, 6.0, 1.0, 1.0, 1.0]);
        assert_eq!(AttributeWeights::default().weight(&faces[1]), 1.0);
    }
}
