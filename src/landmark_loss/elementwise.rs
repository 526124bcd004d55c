//! Curves that several losses share.

use burn::tensor::Tensor;

/// `ln(1 + size / epsilon)`
pub(super) fn log_of(size: Tensor<2>, epsilon: f32) -> Tensor<2> {
    (size / epsilon).log1p()
}

/// Wing of sizes, which are not negative: `w ln(1 + size / epsilon)` below `w`, `size - C` above,
/// where `C = w - w ln(1 + w / epsilon)` makes the two meet.
pub(super) fn wing(size: Tensor<2>, width: f32, epsilon: f32) -> Tensor<2> {
    let offset = width - width * (width / epsilon).ln_1p();
    let far = size.clone().greater_equal_scalar(width);
    let near = log_of(size.clone(), epsilon) * width;
    near.mask_where(far, size - offset)
}
