//! The same weights give the same numbers on every CPU device.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use retinamark::config::{BackboneKind, Config};
use retinamark::device::by_name;
use retinamark::model::{Aligner, Network, RetinaFace, weights};

use crate::support::tempdir;

fn pixels([w, h]: [usize; 2], device: &Device) -> Tensor<4> {
    let pixels: Vec<f32> = (0..3 * w * h)
        .map(|i| ((i * 37) % 251) as f32 - 125.0)
        .collect();
    Tensor::from_data(TensorData::new(pixels, [1, 3, h, w]), device)
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec::<f32>().unwrap()
}

/// Class logits, box deltas and landmark deltas of the weights in `file` on `device`.
fn outputs(file: &Path, device: &Device) -> Vec<f32> {
    let (model, _) = weights::load(file, device).unwrap();
    let outputs = model.forward(pixels([96, 72], device));
    let landmarks = numbers(model.landmark_deltas(&outputs));
    let some = numbers(model.landmark_deltas_at(&outputs, &[(0, 0), (0, 30)]));
    let (logits, boxes) = (numbers(outputs.logits), numbers(outputs.box_deltas));
    [logits, boxes, landmarks, some].concat()
}

/// Deltas and scales of the aligner in `file` on `device`.
fn aligned(file: &Path, device: &Device) -> Vec<f32> {
    let networks = weights::Networks::load(file).unwrap();
    let aligner = networks.aligners_on(device).unwrap().remove(0).1;
    let outputs = aligner.forward(pixels([64, 64], device));
    [
        numbers(outputs.deltas),
        numbers(outputs.log_scales.unwrap()),
    ]
    .concat()
}

#[track_caller]
fn assert_same(what: &str, flex: &[f32], tch: &[f32]) {
    assert_eq!(flex.len(), tch.len());
    let scale = flex.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    for (a, b) in flex.iter().zip(tch) {
        let near = (a - b).abs() <= 1e-3 * scale.max(1.0);
        assert!(near, "{what}: {a} on flex, {b} on tch");
    }
}

#[test]
fn libtorch_gives_the_numbers_of_flex() {
    let folder = tempdir();
    let file = folder.path().join("weights.safetensors");
    let devices = ["flex", "tch"].map(|name| by_name(name).unwrap());
    for backbone in [BackboneKind::MobilenetV1, BackboneKind::Resnet18] {
        let mut config = Config::default();
        config.model.backbone = backbone;
        config.model.landmark_tower_layers = 2;
        config.model.landmark_tower_channels = 16;
        config.model.landmarks_in_box = true;
        let model = RetinaFace::new(&config, &Device::flex()).unwrap();
        weights::save(&model, &config, &file).unwrap();
        let [flex, tch] = [0, 1].map(|i| outputs(&file, &devices[i]));
        assert_same(&format!("{backbone:?}"), &flex, &tch);
    }
    let mut config = Config::default();
    config.aligner.side = 64;
    config.aligner.heatmap_channels = 16;
    let model = Aligner::new(&config, &Device::flex()).unwrap();
    weights::save(&model, &config, &file).unwrap();
    let [flex, tch] = [0, 1].map(|i| aligned(&file, &devices[i]));
    assert_same("aligner", &flex, &tch);
}
