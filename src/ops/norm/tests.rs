use burn::nn::BatchNormConfig;
use burn::tensor::{Device, Distribution};

use super::*;
use crate::device::reads;

#[test]
fn other_devices_are_not_read_for_running_statistics() {
    let device = Device::flex().autodiff();
    let norm = || BatchNormConfig::new(3).init(&device);
    let x = Tensor::random([2, 3, 4, 5], Distribution::Uniform(-1.0, 3.0), &device);
    let (theirs, ours) = (norm(), norm());
    let before = reads();
    for _ in 0..2 {
        plain(&theirs, x.clone());
        batch_norm_act(&ours, x.clone(), None);
    }
    assert_eq!(reads(), before);
    let averages = |norm: &BatchNorm| {
        let both = [
            norm.running_mean.value_sync(),
            norm.running_var.value_sync(),
        ];
        both.map(own_numbers).concat()
    };
    let (theirs, ours) = (averages(&theirs), averages(&ours));
    for (a, b) in theirs.iter().zip(&ours) {
        assert!((a - b).abs() < 1e-5, "{theirs:?} and {ours:?}");
    }
    // Twice a tenth of the way from 1, the variance at the start.
    let values = own_numbers(x.swap_dims(0, 1).reshape([3 * 40]));
    for (c, values) in values.chunks(40).enumerate() {
        let mean = values.iter().sum::<f32>() / 40.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 39.0;
        let way = 1.0 - 0.9f32.powi(2);
        assert!((ours[c] - way * mean).abs() < 1e-5);
        assert!((ours[3 + c] - (1.0 + way * (variance - 1.0))).abs() < 1e-5);
    }
}
