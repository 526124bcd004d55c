//! The executor gives burn's numbers.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use retinamark::config::{BackboneKind, ChannelOrder, Config};
use retinamark::infer::{Compute, DetectOptions, InputSize, Predictor};
use retinamark::model::{Aligner, Model, Network, RetinaFace, weights};
use retinamark_core::engine::{Engine, Image, Isa, Normalise};

const BACKBONES: [BackboneKind; 5] = [
    BackboneKind::MobilenetV1,
    BackboneKind::MobilenetV3Large,
    BackboneKind::Resnet18,
    BackboneKind::Resnet50,
    BackboneKind::Plain,
];

const AS_IT_IS: Normalise = Normalise {
    mean: [0.0; 3],
    std: [1.0; 3],
    order: ChannelOrder::Rgb,
};

fn config(backbone: BackboneKind) -> Config {
    let mut config = Config::default();
    config.model.backbone = backbone;
    config.model.width_multiplier = 0.25;
    config.model.neck_channels = 32;
    config.model.landmark_tower_layers = 1;
    config.model.landmark_tower_channels = 24;
    config.model.landmark_lateral_channels = 12;
    config.aligner.side = 50;
    config.aligner.heatmap_channels = 20;
    config.aligner.pose = true;
    config
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec::<f32>().unwrap()
}

/// What the executor makes of `pixels`, output by output.
fn executed<D>(model: &Model<D>, pixels: &[f32], size: [usize; 2], names: &[&str]) -> Vec<Vec<f32>>
where
    Model<D>: Network,
{
    let graph = model.graph(size);
    let describe = move |_| Ok(graph.clone());
    let sample = [3, size[0], size[1]];
    let weights = model.weights().unwrap();
    let engine = Engine::new(describe, sample, &weights, AS_IT_IS, Isa::best()).unwrap();
    let outputs = engine.run(&[Image::Planar(pixels)], size).unwrap();
    let rows = |name: &&str| outputs.rows(name, 0).unwrap().to_vec();
    names.iter().map(rows).collect()
}

#[track_caller]
fn assert_same(what: &str, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let scale = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() <= 1e-4 * scale, "{what}: {f}, burn {e}");
        }
    }
}

fn random_pixels(rng: &mut ChaCha8Rng, [height, width]: [usize; 2]) -> Vec<f32> {
    (0..3 * height * width)
        .map(|_| rng.random_range(-2.0..2.0))
        .collect()
}

fn tensor(pixels: &[f32], [height, width]: [usize; 2]) -> Tensor<4> {
    let data = TensorData::new(pixels.to_vec(), [1, 3, height, width]);
    Tensor::from_data(data, &Device::flex())
}

#[test]
fn detectors_of_random_shapes_give_burns_numbers() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for backbone in BACKBONES {
        let model = RetinaFace::new(&config(backbone), &Device::flex()).unwrap();
        for _ in 0..2 {
            let size = [rng.random_range(1..120), rng.random_range(1..120)];
            let pixels = random_pixels(&mut rng, size);
            let outputs = model.forward(tensor(&pixels, size));
            let landmarks = numbers(model.landmark_deltas(&outputs));
            let expected = [
                numbers(outputs.logits),
                numbers(outputs.box_deltas),
                landmarks,
            ];
            let names = ["logits", "box_deltas", "landmark_deltas"];
            let found = executed(&model, &pixels, size, &names);
            assert_same(&format!("{backbone:?} at {size:?}"), &found, &expected);
        }
    }
}

#[test]
fn aligners_give_burns_numbers() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for backbone in BACKBONES {
        let model = Aligner::new(&config(backbone), &Device::flex()).unwrap();
        let size = [model.side(); 2];
        let pixels = random_pixels(&mut rng, size);
        let outputs = model.forward(tensor(&pixels, size));
        let scales = outputs.log_scales.map(numbers).unwrap();
        let pose = outputs.pose.map(numbers).unwrap();
        let expected = [numbers(outputs.deltas), scales, pose];
        let names = ["deltas", "log_scales", "pose"];
        let found = executed(&model, &pixels, size, &names);
        assert_same(&format!("{backbone:?}"), &found, &expected);
    }
}

/// Both looks of the shipped weights at a photo, from its bytes on.
#[test]
fn faces_are_those_that_burn_finds() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/obama.jpg");
    let photo = image::open(photo).unwrap().into_rgb8();
    let file = weights::find(None).unwrap();
    let own = Compute::from(&Device::flex());
    assert!(own.executor);
    let mut options = DetectOptions {
        size: InputSize::Fixed(320),
        second_size: Some(InputSize::Fixed(203)),
        ..DetectOptions::from(&Config::default().detect)
    };
    options.landmark_votes = 3;
    let [found, expected] = [own.clone(), own.burn()].map(|compute| {
        Predictor::load(&file, compute)
            .unwrap()
            .detect(&photo, &options)
            .unwrap()
    });
    assert!(!expected.is_empty() && found.len() == expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found.score - expected.score).abs() < 1e-4);
        let pairs = found
            .landmarks
            .iter()
            .flatten()
            .zip(expected.landmarks.iter().flatten());
        for (f, e) in pairs {
            assert!((f - e).abs() < 0.05, "{f}, burn {e}");
        }
    }
}

/// Who embeds the core crate gives it bytes.
#[test]
fn the_core_by_itself_finds_the_same() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/obama.jpg");
    let file = weights::find(None).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let core = retinamark_core::infer::Predictor::from_bytes(&bytes).unwrap();
    let bytes = std::fs::read(photo).unwrap();
    let photo = retinamark_core::imaging::decode_rgb(&bytes, &Default::default()).unwrap();
    let options = DetectOptions::from(&core.settings().detect);
    let found = core.detect(&photo, &options).unwrap();
    assert!(!found.is_empty());
    let whole = Predictor::load(&file, &Device::flex()).unwrap();
    assert_eq!(found, whole.detect(&photo, &options).unwrap());
}

/// Which anchors vote about coarse points is no matter of the faces that are wanted.
#[test]
fn points_do_not_depend_on_the_lowest_score() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/obama_speech.jpg");
    let photo = image::open(photo).unwrap().into_rgb8();
    let file = weights::find(None).unwrap();
    let predictor = Predictor::load(&file, &Device::flex()).unwrap().one_pass();
    let mut options = DetectOptions::from(&Config::default().detect);
    options.landmark_votes = 9;
    let many = predictor.detect(&photo, &options.with_score(0.02)).unwrap();
    let best = many[0].score;
    let few = predictor.detect(&photo, &options.with_score(best)).unwrap();
    assert_eq!(few[..], many[..1]);
}
