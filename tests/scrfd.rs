//! The second family of detectors: started from ONNX files, taught by one.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use image::RgbImage;
use retinamark::anchors::{Anchors, Head};
use retinamark::config::{
    AnchorConfig, BackboneKind, BoxKind, Config, Family, HeadConfig, HeadKind, InitConfig, Task,
};
use retinamark::imaging::Limits;
use retinamark::infer::{DetectOptions, Predictor};
use retinamark::model::{Network, RetinaFace, weights};
use retinamark::teacher::Teacher;
use retinamark_core::graph::Trace;
use retinamark_core::infer::{Detector, FirstLook, InputSize, Scaled, Scrfd};
use retinamark_core::net::DetectorNet;
use retinamark_core::onnx::{Options, write};

use crate::support::{shared, tempdir};

fn config() -> Config {
    let mut config = Config::default();
    config.model.family = Family::Scrfd;
    config.model.backbone = BackboneKind::Scrfd500m;
    config.model.neck_channels = 16;
    config.model.head_channels = 64;
    config.input.channel_order = retinamark::config::ChannelOrder::Rgb;
    config.input.mean = vec![127.5; 3];
    config.input.std = vec![128.0; 3];
    config.anchors.offset = 0.0;
    config.head = HeadConfig {
        kind: HeadKind::Quality,
        boxes: BoxKind::Distances,
    };
    config.init = InitConfig {
        allow_new: vec!["se".into(), "landmark_heads".into()],
        ..InitConfig::default()
    };
    config
}

/// An ONNX file of a network of this family without attention, whose boxes are in strides as other
/// programs have them.
fn foreign(folder: &std::path::Path) -> (PathBuf, RetinaFace) {
    let mut plain = config();
    plain.model.se_reduction = 0;
    let model = RetinaFace::new(&plain, &Device::flex()).unwrap();
    let net = DetectorNet::of_settings(&plain.settings()).unwrap();
    let (mut trace, image) = Trace::of([3, 64, 96]);
    let outputs = net.forward(&mut trace, &image);
    let graph = trace.finish(&[("scores", outputs.logits), ("boxes", outputs.box_deltas)]);
    let bytes = write(&graph, &model.weights().unwrap(), &Options::default()).unwrap();
    let path = folder.join("other.onnx");
    std::fs::write(&path, bytes).unwrap();
    (path, model)
}

#[test]
fn layers_of_onnx_files_are_told_by_what_they_compute() {
    let folder = tempdir();
    let (path, other) = foreign(folder.path());
    let mut config = config();
    config.init.weights = Some(path);
    let started = RetinaFace::new(&config, &Device::flex()).unwrap();
    let started = weights::initialise(started, &config).unwrap();
    let (own, other) = (started.weights().unwrap(), other.weights().unwrap());
    let mut compared = 0;
    for (name, tensor) in &own.0 {
        let Some(theirs) = other.0.get(name).filter(|_| !name.starts_with("landmark")) else {
            continue;
        };
        compared += 1;
        // Anchors of a place are of 2 and 4 strides on the first level, of more on the others.
        let rows = tensor.shape[0];
        let each = tensor.values.len() / rows;
        let level = name
            .strip_prefix("box_heads.")
            .map(|rest| rest[..1].parse::<usize>().unwrap());
        for (index, (own, theirs)) in tensor.values.iter().zip(&*theirs.values).enumerate() {
            let factor = level.map_or(1.0, |level| {
                config.anchors.strides[level] as f32
                    / config.anchors.min_sizes[level][index / each / 4]
            });
            assert_eq!(*own, theirs * factor, "{name}");
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn files_that_mean_something_else_are_refused() {
    let folder = tempdir();
    let (path, _) = foreign(folder.path());
    let start = |change: &dyn Fn(&mut Config)| {
        let mut config = config();
        config.init.weights = Some(path.clone());
        change(&mut config);
        let model = RetinaFace::new(&config, &Device::flex()).unwrap();
        format!("{:#}", weights::initialise(model, &config).unwrap_err())
    };
    let error = start(&|config| config.anchors.offset = 0.5);
    assert!(error.contains("anchors.offset: 0"), "{error}");
    let error = start(&|config| config.input.std = vec![1.0; 3]);
    assert!(error.contains("std: [128, 128, 128]"), "{error}");
    // Another shape of neck: what is missing is named.
    let error = start(&|config| config.model.neck_channels = 24);
    assert!(error.contains("pafpn.lateral.0.weight"), "{error}");
    let error = start(&|config| config.init.allow_new.clear());
    assert!(error.contains("se.0.reduce.weight"), "{error}");
}

#[test]
fn one_logit_begins_as_the_difference_of_two() {
    let folder = tempdir();
    let mut pairs = Config::default();
    pairs.model.width_multiplier = 0.125;
    let device = Device::flex();
    let model = RetinaFace::new(&pairs, &device).unwrap();
    let path = folder.path().join("pairs.safetensors");
    weights::save(&model, &pairs, &path).unwrap();
    let mut single = pairs.clone();
    single.head.kind = HeadKind::Quality;
    single.init.weights = Some(path);
    let started = RetinaFace::new(&single, &device).unwrap();
    let started = weights::initialise(started, &single).unwrap();
    let photo = [Scaled::new(&picture(64), InputSize::Full, 32).unwrap()];
    let scores = |model: &RetinaFace, config: &Config| {
        let detector = Detector::new(&config.settings(), &model.weights().unwrap()).unwrap();
        let answer = detector.run(&photo).unwrap();
        let head = Head::new(&config.head, &config.anchors);
        head.scores(answer.logits(0).unwrap(), 0.0).unwrap()
    };
    let (two, one) = (scores(&model, &pairs), scores(&started, &single));
    assert_eq!(one.len(), two.len());
    assert!(one.iter().zip(&two).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn only_detectors_have_teachers() {
    let mut config = Config::default();
    config.distill.weights = Some("teacher.onnx".into());
    assert!(config.validate().is_ok());
    config.task = Task::Align;
    let error = config.validate().unwrap_err().to_string();
    assert!(error.contains("distill.weights"), "{error}");
}

/// Noise with structure, the same each time.
fn picture(side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| {
        let wave = |k: u32| ((x * k + y * (7 - k)) % 251) as u8;
        image::Rgb([wave(1), wave(3), wave(5)])
    })
}

#[test]
fn the_published_weights_give_the_same_here() {
    let Some(folder) = shared("peers", "RETINAMARK_PEERS") else {
        return;
    };
    let path = folder.join("scrfd_500m.onnx");
    let mut config = config();
    config.init.weights = Some(path.clone());
    config.init.allow_unused = vec!["bbox_head.stride_kps".into()];
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let model = weights::initialise(model, &config).unwrap();
    let own = Detector::new(&config.settings(), &model.weights().unwrap()).unwrap();
    let theirs = Scrfd::new(&std::fs::read(path).unwrap()).unwrap();
    let photo = || [Scaled::new(&picture(160), InputSize::Full, 32).unwrap()];
    let (photo_of_own, photo_of_theirs) = (photo(), photo());
    let (own, theirs) = (
        own.run(&photo_of_own).unwrap(),
        theirs.run(&photo_of_theirs).unwrap(),
    );
    let close = |own: &[f32], theirs: &[f32]| {
        assert_eq!(own.len(), theirs.len());
        let largest = theirs.iter().fold(1f32, |most, v| most.max(v.abs()));
        for (own, theirs) in own.iter().zip(theirs) {
            // Their logits come back out of a sigmoid.
            assert!((own - theirs).abs() < 1e-4 * largest, "{own} {theirs}");
        }
    };
    let scores =
        |logits: &[f32]| -> Vec<f32> { logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect() };
    close(
        &scores(own.logits(0).unwrap()),
        &scores(theirs.logits(0).unwrap()),
    );
    close(own.box_deltas(0).unwrap(), theirs.box_deltas(0).unwrap());
}

#[test]
fn a_teacher_says_scores_of_all_anchors_and_boxes_of_the_sure_ones() {
    let folder = tempdir();
    let taught_config = config();
    let model = RetinaFace::new(&taught_config, &Device::flex()).unwrap();
    let path = folder.path().join("teacher.safetensors");
    weights::save(&model, &taught_config, &path).unwrap();
    let mut config = Config::default();
    config.distill.weights = Some(path);
    config.distill.min_score = 0.0;
    let teacher = Teacher::load(&config.distill).unwrap().unwrap();
    let learner = Anchors::generate(&config.anchors, [96, 96]);
    let taught = teacher.teach(&picture(96), &learner).unwrap();
    assert_eq!(taught.scores.len(), learner.len());
    assert!(!taught.sure.is_empty());
    for sure in &taught.sure {
        assert_eq!(sure.score, taught.scores[sure.anchor]);
        assert_eq!(sure.anchor_cxcywh, learner.boxes_cxcywh()[sure.anchor]);
    }
    // Fewer sizes on each level are other anchors.
    let fewer = AnchorConfig {
        min_sizes: vec![vec![16.0], vec![64.0], vec![256.0]],
        ..AnchorConfig::default()
    };
    let fewer = Anchors::generate(&fewer, [96, 96]);
    let error = teacher.teach(&picture(96), &fewer).unwrap_err().to_string();
    assert!(error.contains("distill.weights"), "{error}");
    config.distill.weights = Some(folder.path().join("none.onnx"));
    assert!(Teacher::load(&config.distill).is_err());
}

#[test]
fn anothers_detector_serves_our_aligner() {
    let Some(folder) = shared("peers", "RETINAMARK_PEERS") else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = root.join("weights/retinamark-mobilenet0.25-wflw98.safetensors");
    let own = Predictor::load(&shipped, &Device::flex()).unwrap();
    let theirs = folder.join("scrfd_500m.onnx");
    let theirs = Predictor::load_with(&theirs, &[shipped], &Device::flex()).unwrap();
    let photo =
        retinamark::imaging::load_rgb(&root.join("data/sample/biden.jpg"), &Limits::default());
    let photo = photo.unwrap();
    let options = DetectOptions::from(&Config::default().detect);
    let [own, theirs] =
        [own, theirs].map(|looks| looks.detect(&photo, &options).unwrap().remove(0));
    assert!(own.box_xyxy.iou(&theirs.box_xyxy) > 0.6);
    let size = own.box_xyxy.side();
    for (a, b) in own.landmarks.iter().zip(&theirs.landmarks) {
        assert!(
            (a[0] - b[0]).hypot(a[1] - b[1]) < 0.03 * size,
            "{a:?} {b:?}"
        );
    }
    assert_eq!(theirs.landmarks.len(), 98);
}
