//! Operations on single numbers and channels against burn's own.

use super::*;

#[test]
fn pointwise_operations_match() {
    for [h, w] in [[8, 8], [7, 13], [1, 1], [5, 9]] {
        let (height, width) = (2 * h - h % 2, 2 * w - w % 2);
        let x = random([2, 5, height, width]).require_grad();
        let weight = random(x.dims());

        for slope in [0.0, 0.1, 1.0] {
            let plain = burn::tensor::activation::leaky_relu(x.clone(), f64::from(slope));
            let (expected, stock) = backward(plain, &weight);
            let (found, fused) = backward(ops::leaky_relu(x.clone(), slope), &weight);
            assert_close("leaky", &found, &expected);
            same_gradient("leaky gradient", &x, &fused, &stock);
        }

        let small = random([2, 5, h, w]).require_grad();
        let options =
            InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([height, width]);
        let plain = burn::tensor::module::interpolate(small.clone(), options) + x.clone();
        let (expected, stock) = backward(plain, &weight);
        let (found, fused) = backward(ops::upsample_add(small.clone(), x.clone()), &weight);
        assert_close("upsampled", &found, &expected);
        same_gradient("small gradient", &small, &fused, &stock);
        same_gradient("large gradient", &x, &fused, &stock);

        let factor = random([2, 5]).require_grad();
        let plain = x.clone() * factor.clone().reshape([2, 5, 1, 1]);
        let (expected, stock) = backward(plain, &weight);
        let (found, fused) = backward(ops::scale_channels(x.clone(), factor.clone()), &weight);
        assert_close("scaled", &found, &expected);
        same_gradient("scaled gradient", &x, &fused, &stock);
        same_gradient("factor gradient", &factor, &fused, &stock);

        let rows = random([2, 5]);
        let plain = x
            .clone()
            .reshape([2, 5, height * width])
            .mean_dim(2)
            .reshape([2, 5]);
        let (expected, stock) = backward(plain, &rows);
        let (found, fused) = backward(ops::global_mean(x.clone()), &rows);
        assert_close("mean", &found, &expected);
        same_gradient("mean gradient", &x, &fused, &stock);

        let places: Vec<usize> = (0..7).map(|i| i * i * 31 % (2 * height * width)).collect();
        let rows = random([7, 5]);
        let indices: Vec<i64> = places.iter().map(|&p| p as i64).collect();
        let indices = TensorData::new(indices, [7]);
        let indices = Tensor::<1, Int>::from_data(indices, &training_device());
        let all = x
            .clone()
            .permute([0, 2, 3, 1])
            .reshape([2 * height * width, 5]);
        let (expected, stock) = backward(all.select(0, indices), &rows);
        let (found, fused) = backward(ops::gather_pixels(x.clone(), &places), &rows);
        assert_close("gathered", &found, &expected);
        same_gradient("gathered gradient", &x, &fused, &stock);
    }
}
