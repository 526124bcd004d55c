//! RetinaFace's five points (Deng et al., CVPR 2020).

use super::{Anatomy, Scheme, mirror};

impl Scheme {
    /// RetinaFace's five points: eyes, nose, mouth corners; normalised by the eyes.
    pub fn five() -> Self {
        Self {
            name: "five".into(),
            mirror: mirror(5, 0, &[(0, 1), (3, 4)]),
            normalise: [0, 1],
            anatomy: Anatomy {
                left_eye: vec![0],
                right_eye: vec![1],
                nose: vec![2],
                mouth_left: vec![3],
                mouth_right: vec![4],
            },
            parts: Vec::new(),
        }
    }
}
