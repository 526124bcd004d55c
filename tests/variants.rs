//! Networks without batch norms, of grey images, and with layers that grow.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use retinamark::config::{BackboneKind, ChannelOrder, Config, InitConfig, SchemeName, luma};
use retinamark::geometry::BoxXyxy;
use retinamark::imaging;
use retinamark::infer::{Around, Compute, Predictor};
use retinamark::model::{Aligner, Network, RetinaFace, weights};
use retinamark_core::engine::{Engine, Image, Isa, Normalise};
use retinamark_core::graph::Op;
use retinamark_core::net::{Act, Init};

use crate::support::{initialise, tempdir};

const BACKBONES: [BackboneKind; 5] = [
    BackboneKind::MobilenetV1,
    BackboneKind::MobilenetV3Large,
    BackboneKind::Resnet18,
    BackboneKind::Resnet50,
    BackboneKind::Plain,
];

const SIZE: [usize; 2] = [45, 64];

/// Grey, without norms; layers grow where they can.
fn config(backbone: BackboneKind) -> Config {
    let mut config = Config::default();
    config.input.channel_order = ChannelOrder::Grey;
    config.input.mean = vec![110.0];
    config.input.std = vec![64.0];
    config.model.backbone = backbone;
    config.model.batch_norm = false;
    config.model.neck_channels = 16;
    config.model.landmark_tower_layers = 1;
    if [BackboneKind::MobilenetV1, BackboneKind::Plain].contains(&backbone) {
        config.model.depth_gamma = 1.1;
    }
    config.aligner.side = 50;
    config.aligner.heatmap_channels = 8;
    config
}

fn photo(seed: u64, [height, width]: [usize; 2]) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    RgbImage::from_fn(width as u32, height as u32, |_, _| Rgb(rng.random()))
}

fn grey_twin(photo: &RgbImage) -> RgbImage {
    let mut twin = photo.clone();
    twin.pixels_mut()
        .for_each(|pixel| pixel.0 = [luma(pixel.0); 3]);
    twin
}

fn planar(photo: &RgbImage, config: &Config, [height, width]: [usize; 2]) -> Tensor<4> {
    let channels = config.input.channel_order.channels();
    let mut numbers = vec![0.0; channels * height * width];
    imaging::fill_tensor(photo, &config.input, [width, height], &mut numbers);
    let data = TensorData::new(numbers, [1, channels, height, width]);
    Tensor::from_data(data, &Device::flex())
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec::<f32>().unwrap()
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], share: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0f32, |m, v| m.max(v.abs()));
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= share * scale, "{what}: {f}, expected {e}");
    }
}

#[test]
fn grey_networks_without_norms_give_burns_numbers() {
    for backbone in BACKBONES {
        let config = config(backbone);
        let model = RetinaFace::new(&config, &Device::flex()).unwrap();
        let photo = photo(1, SIZE);
        let outputs = model.forward(planar(&photo, &config, SIZE));
        let landmarks = numbers(model.landmark_deltas(&outputs));
        let expected = [
            numbers(outputs.logits),
            numbers(outputs.box_deltas),
            landmarks,
        ];
        // Neither dead nor out of bounds from the start.
        let largest = expected[0].iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!((0.05..20.0).contains(&largest), "{backbone:?}: {largest}");

        let graph = model.graph(SIZE);
        let describe = move |_| Ok(graph.clone());
        let normalise = Normalise::of(&config.input).unwrap();
        let (sample, weights) = ([1, SIZE[0], SIZE[1]], model.weights().unwrap());
        let engine = Engine::new(describe, sample, &weights, normalise, Isa::best()).unwrap();
        for photo in [&photo, &grey_twin(&photo)] {
            let image = Image::Rgb {
                pixels: photo.as_raw(),
                size: SIZE,
            };
            let found = engine.run(&[image], SIZE).unwrap();
            let names = ["logits", "box_deltas", "landmark_deltas"];
            for (name, expected) in names.into_iter().zip(&expected) {
                let what = format!("{name} of {backbone:?}");
                assert_close(&what, found.rows(name, 0).unwrap(), expected, 1e-4);
            }
        }
    }
}

/// The whole way of a photo, on the executor and on burn.
#[test]
fn grey_aligners_see_the_same_on_every_device() {
    let mut config = config(BackboneKind::Plain);
    config.aligner.passes = 1; // a second crop would lie elsewhere by hundredths of a pixel
    let model = Aligner::new(&config, &Device::flex()).unwrap();
    let photo = photo(2, [80, 90]);
    let whole = [BoxXyxy {
        x1: 20.0,
        y1: 15.0,
        x2: 70.0,
        y2: 65.0,
    }];
    let own = Compute::from(&Device::flex());
    let [ours, burns] = [own.clone(), own.burn()].map(|compute| {
        let predictor = Predictor::of_aligner(model.clone(), &config, compute).unwrap();
        let faces = predictor.align(&photo, &whole, Around::Landmarks).unwrap();
        faces[0].as_ref().unwrap().landmarks.as_flattened().to_vec()
    });
    assert_close("points", &ours, &burns, 1e-4);
}

#[test]
fn networks_without_norms_come_back_from_their_files() {
    let folder = tempdir();
    let path = folder.path().join("w.safetensors");
    let config = config(BackboneKind::MobilenetV3Large);
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    assert!(!model.is_folded() && !model.graph(SIZE).has_norms());
    weights::save(&model, &config, &path).unwrap();
    let (loaded, saved) = weights::load(&path, &Device::flex()).unwrap();
    assert_eq!(saved.model, config.model);
    assert_eq!(saved.input, config.input);
    let x = planar(&photo(3, SIZE), &config, SIZE);
    let logits = |model: &RetinaFace| numbers(model.forward(x.clone()).logits);
    assert_eq!(logits(&model), logits(&loaded));
    // What has nothing to fold stays as it is.
    assert_eq!(logits(&model), logits(&loaded.fold().unwrap()));
    // Tensors are called as those of heads.
    let names: Vec<String> = model.tensors().into_iter().map(|spec| spec.name).collect();
    assert!(names.contains(&"backbone.stem.bias".to_owned()));
    assert!(!names.iter().any(|name| name.contains("norm")), "{names:?}");
}

#[test]
fn without_norms_weights_start_so_that_mean_squares_stay() {
    let mut config = config(BackboneKind::Resnet50);
    config.model.batch_norm = true;
    let normed = RetinaFace::described(&config, SIZE).unwrap();
    config.model.batch_norm = false;
    let unnormed = RetinaFace::described(&config, SIZE).unwrap();
    let mut ends = 0;
    for (node, with) in unnormed.nodes().iter().zip(normed.nodes()) {
        let (Op::Conv(conv), Op::Conv(with)) = (&node.op, &with.op) else {
            continue;
        };
        if with.norm.is_none() {
            assert_eq!(conv, with, "{}", node.name);
            continue;
        }
        assert_eq!(conv.bias, Init::Constant(0.0));
        let variance = match (conv.ends_path, conv.act) {
            (true, _) => 0.0,
            (_, Act::Leaky(slope)) => 2.0 / (1.0 + f64::from(slope).powi(2)),
            _ => 1.0,
        };
        match conv.weight {
            Init::Uniform { gain } => assert!((gain * gain / 3.0 - variance).abs() < 1e-9),
            Init::Constant(value) => assert_eq!(f64::from(value), variance),
        }
        ends += usize::from(conv.ends_path);
    }
    assert_eq!(ends, 16); // blocks of ResNet-50
}

#[test]
fn the_first_kernels_of_colours_are_summed_for_grey() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/model/tiny.pth");
    let init = InitConfig {
        weights: Some(fixture),
        ..InitConfig::default()
    };
    let mut colour = Config::default();
    colour.landmarks.scheme = SchemeName::Five;
    colour.model.width_multiplier = 0.125;
    colour.model.neck_channels = 8;
    colour.model.se_reduction = 0;
    colour.input.mean = vec![110.0; 3];
    let mut grey = colour.clone();
    grey.input.channel_order = ChannelOrder::Grey;
    grey.input.mean = vec![110.0];
    grey.input.std = vec![1.0];
    let photo = grey_twin(&photo(4, SIZE));
    let [expected, found] = [&colour, &grey].map(|config| {
        let model = RetinaFace::new(config, &Device::flex()).unwrap();
        let model = initialise(model, &init).unwrap();
        numbers(model.forward(planar(&photo, config, SIZE)).logits)
    });
    assert_close("logits", &found, &expected, 1e-4);
    // A network without norms says why the file does not fit.
    grey.model.batch_norm = false;
    grey.input.std = vec![64.0];
    let model = RetinaFace::new(&grey, &Device::flex()).unwrap();
    let error = format!("{:#}", initialise(model, &init).unwrap_err());
    assert!(error.contains("model.batch_norm: true"), "{error}");
}

#[test]
fn layers_grow_with_the_gamma() {
    let mut config = config(BackboneKind::Plain);
    config.model.width_multiplier = 0.5;
    config.model.depth_gamma = 1.25;
    let graph = RetinaFace::described(&config, SIZE).unwrap();
    let layers = graph
        .nodes()
        .iter()
        .filter(|node| node.part() == "backbone");
    let channels: Vec<usize> = layers.map(|node| node.shape[0]).collect();
    // 32, 64, 64, 64, 64, 128, 128, 256 halves, each times 1.25 once more.
    assert_eq!(channels, [16, 40, 50, 63, 78, 195, 244, 610]);
}
