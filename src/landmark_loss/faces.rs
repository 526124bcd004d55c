//! What landmark losses look at.

use burn::tensor::Tensor;

/// The errors of P faces of L landmarks, in deltas.
#[derive(Clone, Debug)]
pub struct Faces<'a> {
    /// `[P,2L]`: predicted minus true deltas, x before y.
    pub errors: Tensor<2>,
    /// `[P,2L]`: equal for all labelled coordinates of a face, 1 together; 0 for the others.
    pub weights: Tensor<2>,
    /// Landmarks that follow one another along a line of the face.
    pub parts: &'a [Vec<usize>],
}

impl Faces<'_> {
    /// For each face the mean of what `f` makes of its labelled errors: `[P,1]`.
    pub fn means(&self, f: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        (f(self.errors.clone()) * self.weights.clone()).sum_dim(1)
    }

    /// For each face the mean of what `f` makes of the distances of its labelled points: `[P,1]`.
    pub fn point_means(&self, f: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let distances = root(per_point(self.errors.clone().square())); // [P,L]
        (f(distances) * per_point(self.weights.clone())).sum_dim(1)
    }

    /// `[P,2L]`: 1 for labelled coordinates, 0 for the others.
    pub fn labelled(&self) -> Tensor<2> {
        self.weights.clone().greater_elem(0.0).float()
    }
}

/// Both coordinates of each point together: `[P,2L]` -> `[P,L]`.
pub fn per_point(x: Tensor<2>) -> Tensor<2> {
    let [faces, coordinates] = x.dims();
    let points = coordinates / 2;
    let sums: Tensor<3> = x.reshape([faces, points, 2]).sum_dim(2);
    sums.reshape([faces, points])
}

/// Square root without a slope at zero, where it would be infinite.
pub(super) fn root(x: Tensor<2>) -> Tensor<2> {
    let zero = x.clone().equal_elem(0.0);
    let safe = x.mask_fill(zero.clone(), 1.0);
    safe.sqrt().mask_fill(zero, 0.0)
}
