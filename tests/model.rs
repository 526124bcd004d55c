//! Tests of the network and its weights files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use retinamark::config::{BackboneKind, Config, CustomScheme, InitConfig, SchemeName};
use retinamark::model::{Aligner, Network, Outputs, RetinaFace, weights};
use retinamark::optim::{Kind, Layout};
use retinamark_core::graph::{self, Graph, Trace};
use retinamark_core::net::DetectorNet;
use safetensors::SafeTensors;

use crate::support::{initialise, say, shared};

/// A network small enough for every test.
fn tiny_config() -> Config {
    let mut config = Config::default();
    config.landmarks.scheme = SchemeName::Five;
    config.model.width_multiplier = 0.125;
    config.model.neck_channels = 8;
    config.model.se_reduction = 0;
    config
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/model")
        .join(name)
}

/// Start weights that are too large to be part of the project: beside it, or where
/// `RETINAMARK_PRETRAINED` says.
fn pretrained(name: &str) -> Option<PathBuf> {
    let path = shared("pretrained", "RETINAMARK_PRETRAINED")?.join(name);
    if !path.is_file() {
        say(&format!("skipped: there is no {}", path.display()));
        return None;
    }
    Some(path)
}

fn from(path: PathBuf) -> InitConfig {
    InitConfig {
        weights: Some(path),
        ..InitConfig::default()
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().convert::<f32>().iter::<f32>().collect()
}

fn assert_close(name: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{name}");
    let pairs = got.iter().zip(expected);
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{name}: off by {worst}");
}

/// `scripts/pytorch_fixture.py`'s `formula`.
fn formula(numbers: usize) -> Vec<f32> {
    let number = |n: i64| ((n * 7919 + (n * n) % 8191 * 31) % 255 - 127) as f32;
    (0..numbers as i64).map(number).collect()
}

fn input(shape: [usize; 4], device: &Device) -> Tensor<4> {
    let numbers = formula(shape.iter().product());
    let numbers: Vec<f32> = numbers.into_iter().map(|n| n / 127.0).collect();
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

fn assert_same_outputs(model: &RetinaFace, expected: &Path, tolerance: f32) {
    let bytes = std::fs::read(expected).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let read = |name: &str| -> (Vec<usize>, Vec<f32>) {
        let view = file.tensor(name).unwrap();
        let numbers = view.data().chunks_exact(4);
        let numbers = numbers.map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        (view.shape().to_vec(), numbers.collect())
    };
    let (shape, numbers) = read("input");
    let x = Tensor::<4>::from_data(TensorData::new(numbers, shape), &Device::flex());
    let outputs = model.forward(x);
    let landmarks = model.landmark_deltas(&outputs);
    for (name, tensor) in [
        ("logits", outputs.logits),
        ("box_deltas", outputs.box_deltas),
        ("landmark_deltas", landmarks),
    ] {
        let (shape, expected) = read(name);
        assert_eq!(tensor.dims().to_vec(), shape, "{name}");
        assert_close(name, &values(&tensor), &expected, tolerance);
    }
}

#[test]
fn tiny_pytorch_files_give_pytorchs_outputs() {
    let device = Device::flex();
    for name in ["tiny.pth", "tiny_legacy.tar"] {
        let model = RetinaFace::new(&tiny_config(), &device).unwrap();
        let model = initialise(model, &from(fixture(name))).unwrap();
        assert_same_outputs(&model, &fixture("tiny_expected.safetensors"), 1e-4);
        let folded = model.fold().unwrap();
        assert_same_outputs(&folded, &fixture("tiny_expected.safetensors"), 1e-4);
    }
}

#[test]
fn published_detector_gives_pytorchs_outputs() {
    let names = [
        "retinaface_mobilenet0.25_widerface.pth",
        "retinaface_mobilenet0.25_widerface.safetensors",
    ];
    for path in names.into_iter().filter_map(pretrained) {
        let device = Device::flex();
        let mut config = Config::default();
        config.landmarks.scheme = SchemeName::Five;
        let init = InitConfig {
            allow_new: vec!["se.".into()],
            ..from(path)
        };
        let model = RetinaFace::new(&config, &device).unwrap();
        let model = initialise(model, &init).unwrap();
        let mut pixels = Vec::new();
        for (c, mean) in [104.0, 117.0, 123.0].into_iter().enumerate() {
            for (y, x) in (0..192).flat_map(|y| (0..256).map(move |x| (y, x))) {
                let stripe = (x / 16 + y / 24) % 2 * 90;
                pixels.push(((x * (c + 2) + y * y / 7 + stripe) % 256) as f32 - mean);
            }
        }
        let x = Tensor::<4>::from_data(TensorData::new(pixels, [1, 3, 192, 256]), &device);
        let outputs = model.forward(x);
        let expected = std::fs::read(fixture("pretrained.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
        let rows: Vec<usize> = serde_json::from_value(expected["rows"].clone()).unwrap();
        for (name, tensor) in [
            ("logits", outputs.logits.clone()),
            ("box_deltas", outputs.box_deltas.clone()),
            ("landmark_deltas", model.landmark_deltas(&outputs)),
        ] {
            let k = tensor.dims()[2];
            let all = values(&tensor);
            let got: Vec<f32> = rows
                .iter()
                .flat_map(|row| all[row * k..(row + 1) * k].to_vec())
                .collect();
            let wanted: Vec<Vec<f32>> = serde_json::from_value(expected[name].clone()).unwrap();
            assert_close(name, &got, &wanted.concat(), 1e-4);
        }
    }
}

#[test]
fn published_backbone_loads_into_a_98_point_network() {
    for name in [
        "mobilenetV1X0.25_pretrain.tar",
        "mobilenetV1X0.25_pretrain.safetensors",
    ] {
        let Some(path) = pretrained(name) else { return };
        let device = Device::flex();
        let model = RetinaFace::new(&Config::default(), &device).unwrap();
        let mut init = from(path);
        let error = initialise(model.clone(), &init).unwrap_err();
        let error = format!("{error:#}");
        for part in [
            "fc.weight",
            "fpn.lateral.0.conv.weight",
            name,
            "init.allow_new",
        ] {
            assert!(error.contains(part), "{part} not in {error}");
        }
        let ours = [
            "fpn",
            "ssh",
            "se",
            "class_heads",
            "box_heads",
            "landmark_heads",
        ];
        init.allow_new = ours.map(String::from).to_vec();
        init.allow_unused = vec!["fc".into()];
        initialise(model, &init).unwrap();
    }
}

/// Names and shapes of a ResNet-18 backbone in torchvision.
fn torchvision_resnet18() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    let mut conv_bn = |conv: String, bn: String, shape: [usize; 4]| {
        all.push((format!("{conv}.weight"), shape.to_vec()));
        for param in ["weight", "bias", "running_mean", "running_var"] {
            all.push((format!("{bn}.{param}"), vec![shape[0]]));
        }
    };
    conv_bn("conv1".into(), "bn1".into(), [64, 3, 7, 7]);
    let mut from = 64;
    for layer in 1..=4 {
        let to = 32 << layer;
        for block in 0..2 {
            let name = |part: &str| format!("layer{layer}.{block}.{part}");
            conv_bn(name("conv1"), name("bn1"), [to, from, 3, 3]);
            conv_bn(name("conv2"), name("bn2"), [to, to, 3, 3]);
            if from != to {
                conv_bn(name("downsample.0"), name("downsample.1"), [to, from, 1, 1]);
            }
            from = to;
        }
    }
    all
}

/// The tensors of a MobileNetV3 in torchvision, whose convolutions `layers` are: those of
/// squeeze-and-excitation have biases, all others batch norms.
fn torchvision_mobilenet_v3(layers: &serde_json::Value) -> Vec<(String, Vec<usize>)> {
    let layers: BTreeMap<String, Vec<usize>> = serde_json::from_value(layers.clone()).unwrap();
    let mut all = Vec::new();
    for (layer, shape) in layers {
        match layer.strip_suffix(".0") {
            Some(pair) => {
                for param in ["weight", "bias", "running_mean", "running_var"] {
                    all.push((format!("{pair}.1.{param}"), vec![shape[0]]));
                }
            }
            None => all.push((format!("{layer}.bias"), vec![shape[0]])),
        }
        all.push((format!("{layer}.weight"), shape));
    }
    all
}

/// `scripts/pytorch_fixture.py`'s `shake`.
fn shaken(name: &str, shape: &[usize], gain: f64) -> Vec<f32> {
    let mut noise = formula(shape.iter().product());
    let turn = name.bytes().map(usize::from).sum::<usize>() % noise.len();
    noise.rotate_right(turn);
    let fan_in: usize = shape[1..].iter().product();
    let scale = gain / (fan_in as f64).sqrt();
    let value = |noise: f32| match name {
        _ if name.ends_with("running_var") => 1.0 + 0.5 * noise,
        _ if name.ends_with("running_mean") => 0.1 * noise,
        _ if shape.len() > 1 => noise * scale as f32,
        _ if name.ends_with("weight") => 1.0 + 0.2 * noise,
        _ => 0.2 * noise,
    };
    noise.into_iter().map(|n| value(n / 127.0)).collect()
}

/// With `tensors` shaken by `gain`, the backbone of `config` gives the `expected` maps, folded or
/// not.
fn assert_same_maps(
    config: &Config,
    tensors: Vec<(String, Vec<usize>)>,
    gain: f64,
    expected: &serde_json::Value,
) {
    use safetensors::tensor::{Dtype, TensorView, serialize};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backbone.safetensors");
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape)| {
            let numbers = shaken(&name, &shape, gain);
            let bytes = numbers.into_iter().flat_map(f32::to_le_bytes).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name, view)
    });
    std::fs::write(&path, serialize(views, None).unwrap()).unwrap();

    let device = Device::flex();
    let model = RetinaFace::new(config, &device).unwrap();
    let new = ["fpn", "ssh", "class_heads", "box_heads", "landmark_heads"];
    let init = InitConfig {
        allow_new: new.map(String::from).to_vec(),
        ..from(path)
    };
    let model = initialise(model, &init).unwrap();

    let backbone = DetectorNet::of_settings(&config.settings())
        .unwrap()
        .backbone;
    for model in [model.clone(), model.fold().unwrap()] {
        let x = input([1, 3, 50, 37], &device);
        let maps = backbone.forward(&mut model.forward_ops(), &x);
        for (level, map) in maps.into_iter().enumerate() {
            let [_, c, h, w] = map.dims();
            assert_eq!(serde_json::json!([1, c, h, w]), expected[level]["shape"]);
            let means = map.reshape([c, h * w]).mean_dim(1);
            let wanted: Vec<f32> =
                serde_json::from_value(expected[level]["means"].clone()).unwrap();
            assert_close("means", &values(&means)[..wanted.len()], &wanted, 1e-4);
        }
    }
}

fn json_fixture(name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

#[test]
fn torchvision_resnet18_gives_pytorchs_outputs() {
    let mut config = tiny_config();
    config.model.backbone = BackboneKind::Resnet18;
    let expected = json_fixture("resnet18.json");
    assert_same_maps(&config, torchvision_resnet18(), 1.5, &expected);
}

#[test]
fn torchvision_mobilenet_v3_gives_pytorchs_outputs() {
    let cases = json_fixture("mobilenet_v3_large.json");
    for case in cases.as_array().unwrap() {
        let mut config = tiny_config();
        config.model.backbone = BackboneKind::MobilenetV3Large;
        config.model.width_multiplier = case["width"].as_f64().unwrap() as f32;
        let tensors = torchvision_mobilenet_v3(&case["layers"]);
        let gain = case["gain"].as_f64().unwrap();
        assert_same_maps(&config, tensors, gain, &case["maps"]);
    }
}

/// A network whose every parameter and running statistic is random, SE included.
fn shaken_model(config: &Config, device: &Device) -> RetinaFace {
    struct Shake(usize);
    impl burn::module::ModuleMapper for Shake {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<D>>,
        ) -> burn::module::Param<Tensor<D>> {
            self.0 += 1;
            let turn = self.0;
            param.map(|tensor| {
                let shape = tensor.shape();
                let mut noise = formula(shape.num_elements());
                let numbers = noise.len();
                noise.rotate_right(turn % numbers);
                // Positive where variances live: all of one dimension.
                let scale = (shape.num_elements() as f32 / shape[0] as f32).sqrt();
                let value = |n: f32| {
                    if D == 1 {
                        1.0 + n / 400.0
                    } else {
                        n / 60.0 / scale
                    }
                };
                let noise: Vec<f32> = noise.into_iter().map(value).collect();
                Tensor::from_data(TensorData::new(noise, shape), &tensor.device())
            })
        }
    }
    let model = RetinaFace::new(config, device).unwrap();
    model.map(&mut Shake(0))
}

fn with_everything() -> Config {
    let mut config = tiny_config();
    config.model.se_reduction = 4;
    config.model.landmark_tower_layers = 1;
    config.model.landmark_tower_channels = 12;
    config
}

/// The weights of a network are those of its graph, whatever the size.
fn assert_weights_fit_the_graph(model: &RetinaFace) {
    let weights = model.weights().unwrap();
    let specs = model.graph([70, 50]).tensors();
    assert_eq!(specs.len(), weights.0.len());
    for spec in specs {
        weights.get(&spec.name, &spec.shape).unwrap();
    }
}

#[test]
fn folded_network_is_the_same_function() {
    let device = Device::flex();
    for backbone in [
        BackboneKind::MobilenetV1,
        BackboneKind::MobilenetV3Large,
        BackboneKind::Resnet18,
        BackboneKind::Resnet50,
        BackboneKind::Plain,
    ] {
        let mut config = with_everything();
        config.model.backbone = backbone;
        let model = match backbone {
            BackboneKind::MobilenetV1 => shaken_model(&config, &device),
            _ => RetinaFace::new(&config, &device).unwrap(),
        };
        let x = input([2, 3, 40, 33], &device);
        let plain = model.forward(x.clone());
        let folded_model = model.clone().fold().unwrap();
        assert!(folded_model.is_folded() && !model.is_folded());
        for model in [&model, &folded_model] {
            assert_weights_fit_the_graph(model);
        }
        let folded = folded_model.forward(x);
        let scale = values(&plain.box_deltas)
            .iter()
            .fold(1.0f32, |m, v| m.max(v.abs()));
        let tolerance = 1e-4 * scale;
        assert_close(
            "logits",
            &values(&folded.logits),
            &values(&plain.logits),
            tolerance,
        );
        assert_close(
            "boxes",
            &values(&folded.box_deltas),
            &values(&plain.box_deltas),
            tolerance,
        );
        let landmarks = values(&folded_model.landmark_deltas(&folded));
        assert_close(
            "points",
            &landmarks,
            &values(&model.landmark_deltas(&plain)),
            tolerance,
        );
    }
}

#[test]
fn shapes_follow_the_config() {
    let device = Device::flex();
    let mut custom = tiny_config();
    custom.landmarks.scheme = SchemeName::Custom;
    custom.landmarks.custom = Some(CustomScheme {
        parts: Vec::new(),
        points: 7,
        flip_pairs: vec![(0, 1)],
        normalise: [0, 1],
        anatomy: Default::default(),
    });
    custom.anchors.min_sizes = vec![vec![16.0, 24.0, 32.0], vec![64.0; 3], vec![256.0; 3]];
    let scheme = |scheme| {
        let mut config = tiny_config();
        config.landmarks.scheme = scheme;
        config
    };
    for (config, points, anchors) in [
        (scheme(SchemeName::Five), 5, 2),
        (scheme(SchemeName::Ibug68), 68, 2),
        (scheme(SchemeName::Wflw98), 98, 2),
        (custom, 7, 3),
    ] {
        let model = RetinaFace::new(&config, &device).unwrap();
        assert_eq!(model.landmarks(), points);
        for [h, w] in [[64, 64], [33, 50], [1, 1], [100, 7]] {
            let outputs = model.forward(input([2, 3, h, w], &device));
            let places = |stride: usize| h.div_ceil(stride) * w.div_ceil(stride);
            let n = anchors * (places(8) + places(16) + places(32));
            assert_eq!(outputs.logits.dims(), [2, n, 2]);
            assert_eq!(outputs.box_deltas.dims(), [2, n, 4]);
            assert_eq!(model.landmark_deltas(&outputs).dims(), [2, n, 2 * points]);
            let none = model.landmark_deltas_at(&outputs, &[]);
            assert_eq!(none.dims(), [0, 2 * points]);
        }
    }
}

/// The backbone of `config` on images of `size` (height, width).
fn backbone_graph(config: &Config, [height, width]: [usize; 2]) -> Graph {
    let (mut trace, image) = Trace::of([3, height, width]);
    let backbone = DetectorNet::of_settings(&config.settings())
        .unwrap()
        .backbone;
    let [c3, c4, c5] = backbone.forward(&mut trace, &image);
    trace.finish(&[("c3", c3), ("c4", c4), ("c5", c5)])
}

/// Channels, height and width of C3, C4, C5.
fn map_shapes(graph: &Graph) -> [[usize; 3]; 3] {
    ["c3", "c4", "c5"].map(|name| graph.node(graph.output(name).unwrap()).shape)
}

#[test]
fn every_backbone_and_width_runs() {
    let device = Device::flex();
    let mut configs = Vec::new();
    for width in [0.25, 0.5, 1.0] {
        let mut config = tiny_config();
        config.model.width_multiplier = width;
        configs.push((
            config,
            [256, 512, 1024].map(|c: usize| (c as f32 * width) as usize),
        ));
    }
    for (width, channels) in [(0.25, [16, 32, 64]), (1.0, [64, 128, 256])] {
        let mut config = tiny_config();
        config.model.backbone = BackboneKind::Plain;
        config.model.width_multiplier = width;
        configs.push((config, channels));
    }
    for (width, channels) in [(0.125, [8, 16, 144]), (0.75, [32, 88, 720])] {
        let mut config = tiny_config();
        config.model.backbone = BackboneKind::MobilenetV3Large;
        config.model.width_multiplier = width;
        configs.push((config, channels));
    }
    for (kind, channels) in [
        (BackboneKind::Resnet18, [128, 256, 512]),
        (BackboneKind::Resnet50, [512, 1024, 2048]),
    ] {
        let mut config = tiny_config();
        config.model.backbone = kind;
        config.model.neck_channels = 256;
        configs.push((config, channels));
    }
    for (config, channels) in configs {
        let model = RetinaFace::new(&config, &device).unwrap();
        let maps = map_shapes(&backbone_graph(&config, [64, 32]));
        assert_eq!(maps.map(|[c, ..]| c), channels);
        let outputs = model.forward(input([1, 3, 64, 32], &device));
        assert_eq!(outputs.logits.dims(), [1, 2 * (8 * 4 + 4 * 2 + 2), 2]);
    }
}

#[test]
fn impossible_settings_are_errors_that_name_the_key() {
    let check = |key: &str, change: fn(&mut Config)| {
        let mut config = tiny_config();
        change(&mut config);
        let error = RetinaFace::new(&config, &Device::flex()).unwrap_err();
        assert!(error.to_string().contains(key), "{key} not in {error}");
    };
    check("model.neck_channels", |c| c.model.neck_channels = 10);
    check("model.width_multiplier", |c| {
        c.model.width_multiplier = f32::NAN
    });
    check("anchors.min_sizes", |c| c.anchors.min_sizes = vec![]);
    check("landmarks", |c| c.landmarks.scheme = SchemeName::Custom);
}

/// The rows that `landmark_deltas_at` should give.
fn rows_at(model: &RetinaFace, outputs: &Outputs, at: &[(usize, usize)]) -> Vec<f32> {
    let all = model.landmark_deltas(outputs);
    let [_, n, k] = all.dims();
    let all = values(&all);
    let row = |&(image, anchor): &(usize, usize)| (image * n + anchor) * k;
    at.iter()
        .map(row)
        .flat_map(|r| all[r..r + k].to_vec())
        .collect()
}

#[test]
fn landmarks_of_single_anchors_are_those_of_all() {
    let device = Device::flex();
    let mut config = with_everything();
    // Windows of two layers reach over the edges of the smaller maps.
    config.model.landmark_tower_layers = 2;
    config.model.landmarks_in_box = true;
    let model = shaken_model(&config, &device);
    let outputs = model.forward(input([3, 3, 70, 45], &device));
    let n = outputs.logits.dims()[1];
    // Every level, both anchors, images out of order, one twice.
    let at = [
        (2, n - 1),
        (0, 0),
        (1, 1),
        (2, n - 2),
        (0, 0),
        (1, 120),
        (2, 0),
        (1, 0),
        (1, n - 13),
        (2, 33),
    ];
    let got = model.landmark_deltas_at(&outputs, &at);
    assert_eq!(got.dims(), [at.len(), 10]);
    assert_close("rows", &values(&got), &rows_at(&model, &outputs, &at), 1e-5);
    // They are not all alike, or their order would not matter.
    let mut rows: Vec<Vec<f32>> = values(&got).chunks(10).map(<[f32]>::to_vec).collect();
    rows.remove(4);
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[..i] {
            let far = a
                .iter()
                .zip(b)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(far > 1e-3, "rows are {far} apart");
        }
    }
    let all: Vec<_> = (0..3).flat_map(|i| (0..n).map(move |a| (i, a))).collect();
    let got = values(&model.landmark_deltas_at(&outputs, &all));
    assert_close("all", &got, &rows_at(&model, &outputs, &all), 1e-5);
}

#[test]
fn landmarks_in_the_box_are_moved_and_scaled_as_the_box_is() {
    let device = Device::flex();
    let mut config = with_everything();
    let plain = shaken_model(&config, &device);
    config.model.landmarks_in_box = true;
    let in_box = shaken_model(&config, &device);
    let x = input([2, 3, 40, 33], &device);
    let (a, b) = (plain.forward(x.clone()), in_box.forward(x));
    assert_eq!(values(&a.logits), values(&b.logits), "not the same weights");
    let boxes = values(&a.box_deltas);
    let raw = values(&plain.landmark_deltas(&a));
    let expected: Vec<f32> = raw
        .chunks(10)
        .zip(boxes.chunks(4))
        .flat_map(|(points, b)| {
            let coordinate = |(i, &p): (usize, &f32)| p * (0.2 * b[2 + i % 2]).exp() + b[i % 2];
            points
                .iter()
                .enumerate()
                .map(coordinate)
                .collect::<Vec<f32>>()
        })
        .collect();
    assert_close(
        "rows",
        &values(&in_box.landmark_deltas(&b)),
        &expected,
        1e-4,
    );
    assert!(largest(&boxes) > 0.1, "the boxes say nothing");
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |a, b| a.max(b.abs()))
}

#[test]
fn attention_begins_as_the_identity() {
    let device = Device::flex();
    let mut config = tiny_config();
    config.model.se_reduction = 4;
    let model = RetinaFace::new(&config, &device).unwrap();
    let init = InitConfig {
        allow_new: vec!["se.".into()],
        ..from(fixture("tiny.pth"))
    };
    let model = initialise(model, &init).unwrap();
    let specs = model.tensors();
    let blocks = specs.iter().filter(|t| t.name.ends_with("reduce.weight"));
    assert_eq!(blocks.count(), 3);
    assert_same_outputs(&model, &fixture("tiny_expected.safetensors"), 1e-4);
}

/// A smooth scalar of everything the network says.
fn scalar(model: &RetinaFace, x: Tensor<4>) -> Tensor<1> {
    let outputs = model.forward(x);
    let n = outputs.logits.dims()[1];
    let points = model.landmark_deltas_at(&outputs, &[(0, 1), (1, 10), (1, n - 1), (0, n - 12)]);
    let logits = outputs.logits.powi_scalar(2).mean();
    logits + outputs.box_deltas.powi_scalar(2).mean() + points.powi_scalar(2).mean()
}

/// Adds `step` to one number of one parameter.
struct Nudge {
    id: burn::module::ParamId,
    at: usize,
    step: f32,
}

impl burn::module::ModuleMapper for Nudge {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        if param.id != self.id {
            return param;
        }
        let (at, step) = (self.at, self.step);
        param.map(|tensor| {
            let mut numbers = values(&tensor);
            numbers[at] += step;
            let device = tensor.device();
            Tensor::from_data(TensorData::new(numbers, tensor.shape()), &device).require_grad()
        })
    }
}

#[test]
fn gradients_are_slopes() {
    let device = Device::flex().autodiff();
    let mut config = with_everything();
    config.landmarks.scheme = SchemeName::Five;
    let model = shaken_model(&config, &device);
    // Batch statistics have steep gradients of their own; they are tested with their operation.
    let model = model.freeze().set_require_grad(true);
    let x = input([2, 3, 40, 33], &device);
    let mut gradients = scalar(&model, x.clone()).backward();
    struct Check<'a>(
        &'a RetinaFace,
        Tensor<4>,
        &'a mut burn::tensor::Gradients,
        usize,
        usize,
    );
    impl burn::module::ModuleVisitor for Check<'_> {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            let Some(gradient) = param.val().grad(self.2) else {
                return; // running statistics
            };
            let gradient = values(&gradient);
            self.3 += 1;
            if !self.3.is_multiple_of(7) {
                return; // a seventh of the parameters is enough, and takes seconds
            }
            let at = self.3 * 31 % gradient.len();
            let value = |step: f32| {
                let id = param.id;
                let model = self.0.clone().map(&mut Nudge { id, at, step });
                f64::from(values(&scalar(&model, self.1.clone()))[0])
            };
            // Symmetric difference; kinks of the activations bound how exact it can be.
            let step = 2e-3;
            let slope = (value(step) - value(-step)) / f64::from(2.0 * step);
            let gradient = f64::from(gradient[at]);
            self.4 += usize::from(slope.abs() > 5e-3);
            let error = (slope - gradient).abs() / (slope.abs() + gradient.abs() + 5e-3);
            assert!(
                error < 0.05,
                "parameter {}: slope {slope}, gradient {gradient}",
                self.3
            );
        }
    }
    let mut check = Check(&model, x, &mut gradients, 0, 0);
    model.visit(&mut check);
    assert!(check.3 > 100, "only {} parameters have gradients", check.3);
    assert!(check.4 >= 8, "only {} slopes are far from zero", check.4);
}

#[test]
fn a_frozen_backbone_neither_learns_nor_counts() {
    let device = Device::flex().autodiff();
    let model = RetinaFace::new(&tiny_config(), &device).unwrap();
    let x = input([2, 3, 64, 64], &device);
    let mean = |model: &RetinaFace| {
        let weights = model.valid().weights().unwrap();
        weights.0["backbone.stem.norm.running_mean"].values.clone()
    };
    let learns = |model: &RetinaFace, name: &str| {
        let gradients = scalar(model, x.clone()).backward();
        let gradients = GradientsParams::from_grads(gradients, model);
        let layout = Layout::of(model);
        let entries = layout.entries();
        let (_, touched) = crate::train::optim::read(&layout, model, &gradients);
        touched[entries.iter().position(|e| e.name == name).unwrap()]
    };
    let [stem, lateral] = ["backbone.stem.conv.weight", "fpn.lateral.0.conv.weight"];
    let frozen = model.freeze_parts(&["backbone"]).unwrap();
    let before = mean(&frozen);
    assert!(!learns(&frozen, stem) && learns(&frozen, lateral));
    assert_eq!(mean(&frozen), before);

    let model = frozen.freeze_parts(&[]).unwrap();
    assert!(learns(&model, stem));
    assert_ne!(mean(&model), before);

    let error = model.freeze_parts(&["se"]).unwrap_err().to_string();
    assert!(
        error.contains("optimizer.freeze") && error.contains("backbone, fpn, ssh, class_heads")
    );
}

#[test]
fn weight_decay_spares_norms_and_biases() {
    let model = RetinaFace::new(&with_everything(), &Device::flex()).unwrap();
    let layout = Layout::of(&model);
    let kind = |name: &str| {
        layout
            .entries()
            .iter()
            .find(|e| e.name == name)
            .unwrap()
            .kind
    };
    for name in [
        "fpn.lateral.0.norm.gamma",
        "fpn.lateral.0.norm.beta",
        "class_heads.0.bias",
    ] {
        assert_eq!(kind(name), Kind::Plain, "{name}");
    }
    for name in [
        "fpn.lateral.0.conv.weight",
        "class_heads.0.weight",
        "se.0.reduce.weight",
    ] {
        assert_eq!(kind(name), Kind::Decayed, "{name}");
    }
    let mean = "fpn.lateral.0.norm.running_mean";
    assert_eq!(kind(mean), Kind::Statistic);
}

/// Checkpoints count the updates of tensors in this order, those of older versions too.
#[test]
fn tensors_are_listed_and_visited_by_part() {
    let device = Device::flex();
    let config = with_everything();
    let stages = [5, 6, 2].into_iter().enumerate();
    let separable = stages.flat_map(|(stage, blocks)| {
        let halves = |block| ["depthwise", "pointwise"].map(|half| (block, half));
        let all = (0..blocks).flat_map(halves);
        all.map(move |(block, half)| format!("backbone.stages.{stage}.{block}.{half}"))
    });
    let backbone: Vec<String> = ["backbone.stem".into()]
        .into_iter()
        .chain(separable)
        .collect();
    let numbered = |prefix: &str, parts: &[&str], count: usize| {
        let of = |i| parts.iter().map(move |part| format!("{prefix}.{i}{part}"));
        (0..count).flat_map(of).collect::<Vec<String>>()
    };
    let ssh = [".conv3", ".conv5_1", ".conv5_2", ".conv7_2", ".conv7_3"];
    let detector = [
        backbone.clone(),
        numbered("fpn.lateral", &[""], 3),
        numbered("fpn.merge", &[""], 2),
        numbered("ssh", &ssh, 3),
        numbered("se", &[".reduce", ".expand"], 3),
        numbered("class_heads", &[""], 3),
        numbered("box_heads", &[""], 3),
        numbered("landmark_heads", &[".tower.0", ".out"], 3),
    ];
    assert_listed(
        &RetinaFace::new(&config, &device).unwrap(),
        &detector.concat(),
    );

    let mut config = config;
    config.aligner.heatmap_channels = 8;
    let single = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let aligner = [
        backbone,
        numbered("reduce", &[""], 3),
        single(&["halve", "points", "scales"]),
        numbered("heatmaps.lateral", &[""], 3),
        numbered("heatmaps.mix", &[""], 2),
        single(&["heatmaps.logits", "heatmaps.prior"]),
    ];
    assert_listed(&Aligner::new(&config, &device).unwrap(), &aligner.concat());
}

/// `layers` are all that a network has, in this order; their tensors are visited under the names and
/// with the shapes and kinds that the network says.
fn assert_listed(model: &impl Network, layers: &[String]) {
    let layout = Layout::of(model);
    let visited = layout.entries().iter();
    let visited: Vec<_> = visited
        .map(|e| (e.name.clone(), e.shape.clone(), e.kind == Kind::Statistic))
        .collect();
    let listed = model.tensors().into_iter();
    let listed: Vec<_> = listed
        .map(|t| (t.name, t.shape, t.kind == graph::Kind::Statistic))
        .collect();
    assert_eq!(visited, listed);
    let mut found: Vec<&str> = Vec::new();
    for (name, ..) in &visited {
        let parts = [".conv.", ".norm.", ".weight", ".bias"];
        let end = parts.iter().filter_map(|part| name.find(part)).min();
        let layer = &name[..end.unwrap_or(name.len())];
        if found.last() != Some(&layer) {
            found.push(layer);
        }
    }
    assert_eq!(found, layers);
    // Within each, what weights come first.
    let first: Vec<&str> = visited
        .iter()
        .take(5)
        .map(|(name, ..)| &name[14..])
        .collect();
    let expected = [
        "conv.weight",
        "norm.gamma",
        "norm.beta",
        "norm.running_mean",
    ];
    assert_eq!(first[..4], expected);
    assert_eq!(first[4], "norm.running_var");
}

#[test]
fn saved_weights_come_back_with_their_config() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/w.safetensors");
    let mut config = with_everything();
    config.seed = 7;
    config.init.weights = Some("some/where/start.pth".into());
    let model = shaken_model(&config, &device);
    let notes = [("step".to_string(), "12".to_string())].into();
    weights::save_with_notes(&model, &config, notes, &path).unwrap();
    let first = std::fs::read(&path).unwrap();
    let networks = weights::Networks::load(&path).unwrap();
    assert!(networks.aligners.is_empty());
    let loaded = networks.detector_on(&device).unwrap().unwrap();
    let header = networks.header;
    assert_eq!(header.notes["step"], "12");
    config.init.weights = Some("start.pth".into());
    config.train.out = header.config.train.out.clone();
    assert_eq!(header.config, config);
    let x = input([1, 3, 40, 33], &device);
    let (a, b) = (model.forward(x.clone()), loaded.forward(x));
    assert_eq!(values(&a.logits), values(&b.logits));
    assert_eq!(
        values(&model.landmark_deltas(&a)),
        values(&loaded.landmark_deltas(&b))
    );

    weights::save_with_notes(&loaded, &header.config, header.notes, &path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first, "not reproducible");

    let refused = weights::save(&loaded.fold().unwrap(), &config, &path).unwrap_err();
    assert!(refused.to_string().contains("fold"));
}

#[test]
fn weights_saved_while_training_load_for_inference() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let model = RetinaFace::new(&tiny_config(), &Device::flex().autodiff()).unwrap();
    weights::save(&model, &tiny_config(), &path).unwrap();
    let (loaded, _) = weights::load(&path, &Device::flex()).unwrap();
    let x = input([1, 3, 32, 32], &Device::flex());
    let a = model.valid().forward(x.clone());
    assert_eq!(values(&a.logits), values(&loaded.forward(x).logits));
}

#[test]
fn unusable_weights_are_explained() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let fails = |bytes: &[u8], part: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", weights::load(&path, &device).unwrap_err());
        assert!(
            error.contains("w.safetensors") && error.contains(part),
            "{error}"
        );
    };
    fails(b"", "truncated");
    fails(b"hello, this is a text", "not a safetensors file");
    fails(
        &std::fs::read(fixture("tiny.pth")).unwrap(),
        "not a safetensors file",
    );
    fails(
        &std::fs::read(fixture("tiny_expected.safetensors")).unwrap(),
        "not one of retinamark",
    );

    let model = RetinaFace::new(&tiny_config(), &device).unwrap();
    weights::save(&model, &tiny_config(), &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for length in [4, 100, good.len() / 2, good.len() - 1] {
        fails(&good[..length], "truncated");
    }
    // Same length, so that the file stays whole.
    let edited = |from: &str, to: &str| {
        let at = good
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut bytes = good.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    fails(
        &edited(r#"format_version\":2"#, r#"format_version\":9"#),
        "newer",
    );
    fails(
        &edited(r#"multiplier\":0.125"#, r#"multiplier\":0.250"#),
        "another shape",
    );
    fails(
        &edited(r#"multiplier\":0.125"#, r#"multiplier\":99.00"#),
        "width_multiplier",
    );
    fails(
        &edited(r#"neck_channels\":8"#, r#"neck_channles\":8"#),
        "neck_channles",
    );

    let error = weights::load(&folder.path().join("none"), &device).unwrap_err();
    assert!(format!("{error:#}").contains("none"));
}

#[test]
fn another_number_of_points_must_be_allowed() {
    let mut config = tiny_config();
    config.landmarks.scheme = SchemeName::Wflw98;
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let mut init = from(fixture("tiny.pth"));
    let error = format!("{:#}", initialise(model.clone(), &init).unwrap_err());
    for part in [
        "tiny.pth",
        "landmark_heads.0.out.weight is [392, 8, 1, 1] here",
        "LandmarkHead.0.conv1x1.weight is [20, 8, 1, 1] in the file",
        "init.allow_new: [landmark_heads]",
    ] {
        assert!(error.contains(part), "{part} not in {error}");
    }
    init.allow_new = vec!["landmark_heads".into()];
    assert!(initialise(model.clone(), &init).is_err());
    init.allow_unused = vec!["LandmarkHead".into()];
    let model = initialise(model, &init).unwrap();
    assert_eq!(model.landmarks(), 98);
}

#[test]
fn multiply_adds_are_the_published_ones() {
    let count = |kind: BackboneKind, side: usize| {
        let mut config = Config::default();
        config.model.backbone = kind;
        config.model.width_multiplier = 1.0;
        let graph = backbone_graph(&config, [side, side]);
        let sizes = map_shapes(&graph).map(|[_, h, w]| [h, w]);
        assert_eq!(sizes, [8, 16, 32].map(|s| [side / s, side / s]));
        graph.costs()["backbone"].multiply_adds as f64 / 1e6
    };
    // 569 million of the MobileNet paper and 217, 1,814 and 4,089 of torchvision's table are with
    // their classifiers of 1.0, 2.5, 0.5 and 2.0 million.
    assert!((count(BackboneKind::MobilenetV1, 224) - 567.7).abs() < 0.5);
    assert!((count(BackboneKind::MobilenetV3Large, 224) - 214.1).abs() < 0.1);
    assert!((count(BackboneKind::Resnet18, 224) - 1813.6).abs() < 0.5);
    assert!((count(BackboneKind::Resnet50, 224) - 4087.1).abs() < 0.5);

    let model = RetinaFace::new(&Config::default(), &Device::flex()).unwrap();
    let costs = model.graph([640, 640]).costs();
    // 80*80 + 40*40 + 20*20 places, 64 channels, 2 anchors, 196 coordinates.
    let landmarks = costs["landmark_heads"];
    assert_eq!(landmarks.multiply_adds, 8400 * 64 * 392);
    assert_eq!(landmarks.parameters, 3 * (64 + 1) * 392);
}

/// `retinamark` with `args`, in a folder without a config.yaml; gives what it prints.
fn retinamark(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(folder.path())
        .args(args)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Random weights of the tiny network in `folder`.
fn saved_tiny(folder: &Path) -> String {
    let path = folder.join("tiny.safetensors");
    let model = RetinaFace::new(&tiny_config(), &Device::flex()).unwrap();
    let notes = [("figures".to_string(), "none yet".to_string())].into();
    weights::save_with_notes(&model, &tiny_config(), notes, &path).unwrap();
    path.display().to_string()
}

#[test]
fn info_tells_size_work_and_settings() {
    let folder = tempfile::tempdir().unwrap();
    let text = retinamark(&[
        "info",
        "--weights",
        &saved_tiny(folder.path()),
        "--size",
        "320",
    ]);
    for part in [
        "landmarks      5",
        "backbone",
        "at 320 x 320 pixels",
        "figures: none yet",
        "width_multiplier: 0.125",
    ] {
        assert!(text.contains(part), "{part} not in {text}");
    }
    let model = RetinaFace::new(&tiny_config(), &Device::flex()).unwrap();
    // What burn counts includes running statistics, two for each pair of scale and shift.
    let costs = model.graph([64, 64]).costs();
    let learned: u64 = costs.values().map(|cost| cost.parameters).sum();
    assert!(learned < model.num_params() as u64 && text.contains(&learned.to_string()));
}

#[test]
fn bench_measures_every_kind_of_work() {
    let folder = tempfile::tempdir().unwrap();
    let weights = saved_tiny(folder.path());
    for what in ["forward", "detect", "train"] {
        let mut args = vec!["bench", "--what", what, "--weights", &weights, "--json"];
        args.extend([
            "--size",
            "64",
            "--batch",
            "2",
            "--threads",
            "1",
            "--iterations",
            "2",
        ]);
        let report: serde_json::Value = serde_json::from_str(&retinamark(&args)).unwrap();
        assert_eq!(report["what"], what);
        assert_eq!(report["size"], 64);
        assert_eq!(report["batch"], 2);
        assert_eq!(report["threads"], 1);
        let number = |key: &str| report[key].as_f64().unwrap();
        assert!(number("min_ms") > 0.0 && number("median_ms") >= number("min_ms"));
        let speed = 2000.0 / number("median_ms");
        assert!((number("images_per_s") - speed).abs() < 1e-6 * speed);
        assert!(number("peak_rss_mib") > 1.0);
        let stages = report.get("stages").and_then(|stages| stages.as_array());
        assert_eq!(stages.is_some(), what == "detect");
        for stage in stages.into_iter().flatten() {
            // These weights have no aligner.
            let none = stage["stage"] == "second look";
            assert_eq!(stage["ms"].as_f64().unwrap() > 0.0, !none, "{stage}");
        }
    }
}
