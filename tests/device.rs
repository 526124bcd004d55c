//! The same weights give the same numbers on every CPU device.

use burn::tensor::{Device, Tensor, TensorData};
use retinamark::config::{BackboneKind, Config};
use retinamark::device::by_name;
use retinamark::model::{RetinaFace, weights};

use crate::support::tempdir;

/// Class logits, box deltas and landmark deltas of the weights in `file` on `device`.
fn outputs(file: &std::path::Path, device: &Device) -> Vec<f32> {
    let (model, _) = weights::load(file, device).unwrap();
    let (w, h) = (96, 72);
    let pixels: Vec<f32> = (0..3 * w * h)
        .map(|i| ((i * 37) % 251) as f32 - 125.0)
        .collect();
    let x = Tensor::<4>::from_data(TensorData::new(pixels, [1, 3, h, w]), device);
    let outputs = model.forward(x);
    let landmarks = model.landmark_deltas(&outputs);
    [outputs.logits, outputs.box_deltas, landmarks]
        .into_iter()
        .flat_map(|t| t.into_data().try_to_vec::<f32>().unwrap())
        .collect()
}

#[test]
fn libtorch_gives_the_numbers_of_flex() {
    let folder = tempdir();
    for backbone in [BackboneKind::MobilenetV1, BackboneKind::Resnet18] {
        let mut config = Config::default();
        config.model.backbone = backbone;
        let file = folder.path().join("weights.safetensors");
        let model = RetinaFace::new(&config, &Device::flex()).unwrap();
        weights::save(&model, &config, &file).unwrap();
        let flex = outputs(&file, &by_name("flex").unwrap());
        let tch = outputs(&file, &by_name("tch").unwrap());
        assert_eq!(flex.len(), tch.len());
        let scale = flex.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (a, b) in flex.iter().zip(&tch) {
            assert!(
                (a - b).abs() <= 1e-3 * scale.max(1.0),
                "{backbone:?}: {a} on flex, {b} on tch"
            );
        }
    }
}
