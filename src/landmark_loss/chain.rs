use burn::tensor::{Int, Tensor, TensorData};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Faces, LandmarkLoss};

/// Mean of `|d|`, and the mean over the scheme's parts of how wrong their shapes are: the mean of
/// `|d_i - d_(i+1)|` over points that follow one another in a part, both labelled. A part without
/// such points counts as right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Chain {}

impl LandmarkLoss for Chain {
    fn each(&self, faces: &Faces) -> Tensor<2> {
        let places = faces.means(|d| d.abs());
        if faces.parts.is_empty() {
            return places;
        }
        let links = Links::of(faces.parts);
        let device = faces.errors.device();
        let at = |columns: &[i64]| {
            let columns = TensorData::new(columns.to_vec(), [columns.len()]);
            Tensor::<1, Int>::from_data(columns, &device)
        };
        let (from, to) = (at(&links.from), at(&links.to));
        let pick = |x: Tensor<2>, columns: &Tensor<1, Int>| x.select(1, columns.clone()); // [P,K]
        let (errors, labelled) = (faces.errors.clone(), faces.labelled());
        let wrong = (pick(errors.clone(), &from) - pick(errors, &to)).abs();
        let counts = pick(labelled.clone(), &from) * pick(labelled, &to);
        let parts = faces.parts.len();
        let membership = TensorData::new(links.membership, [links.from.len(), parts]);
        let membership = Tensor::<2>::from_data(membership, &device); // [K,parts]
        let sums = (wrong * counts.clone()).matmul(membership.clone()); // [P,parts]
        let shapes = sums / counts.matmul(membership).clamp_min(1.0);
        places + shapes.sum_dim(1) / parts as f32
    }

    fn needs_parts(&self) -> bool {
        true
    }
}

/// The coordinates of points that follow one another, K in all.
struct Links {
    /// Columns of the first of each two.
    from: Vec<i64>,
    /// Columns of the second.
    to: Vec<i64>,
    /// `[K,parts]`: 1 where the two belong to the part.
    membership: Vec<f32>,
}

impl Links {
    fn of(parts: &[Vec<usize>]) -> Self {
        let mut links = Self {
            from: Vec::new(),
            to: Vec::new(),
            membership: Vec::new(),
        };
        for (part, points) in parts.iter().enumerate() {
            for pair in points.windows(2) {
                for axis in 0..2 {
                    links.from.push((2 * pair[0] + axis) as i64);
                    links.to.push((2 * pair[1] + axis) as i64);
                    let row = (0..parts.len()).map(|p| f32::from(u8::from(p == part)));
                    links.membership.extend(row);
                }
            }
        }
        links
    }
}
