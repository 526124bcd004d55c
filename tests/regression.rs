//! One test for each mistake of earlier implementations of this design that cost them accuracy, and
//! for each bug found since.

mod folders;
mod labels;
mod lists;
mod lost;
#[cfg(unix)]
mod signals;
mod twins;

use std::collections::BTreeMap;
use std::iter::repeat;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use image::{Rgb, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use retinamark::anchors::{AnchorCache, Anchors, TargetBuilder, Truth};
use retinamark::config::{
    ChannelOrder, Config, InitConfig, InputConfig, MultiStep, OptimizerKind, ScheduleConfig,
    ScheduleKind,
};
use retinamark::data::augment::Pipeline;
use retinamark::data::{Dataset, FaceLabel, Sample, refuse_overlap};
use retinamark::geometry::{BoxXyxy, Landmarks, Point, Scheme};
use retinamark::imaging;
use retinamark::kinds::{Kinds, Settings};
use retinamark::loss::DetectorLoss;
use retinamark::model::{Network, RetinaFace, weights};
use retinamark::optim::{Layout, Optimizer, Schedule};

use crate::support::{initialise, tempdir};

/// A network that is built and run in no time.
fn small() -> Config {
    let mut config = Config::default();
    config.model.neck_channels = 8;
    config.model.se_reduction = 2;
    config
}

fn noise(side: usize, device: &Device) -> Tensor<4> {
    let pixels: Vec<f32> = (0..3 * side * side)
        .map(|i| ((i * 37) % 101) as f32 - 50.0)
        .collect();
    Tensor::from_data(TensorData::new(pixels, [1, 3, side, side]), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

static NO_POINTS: Landmarks = Landmarks::none();

fn boxed(b: [f32; 4]) -> Truth<'static> {
    Truth {
        box_xyxy: BoxXyxy::from(b),
        landmarks: &NO_POINTS,
        ignored: false,
        weight: 1.0,
        doubt: 0.0,
        pose: None,
    }
}

/// A photo with one face whose `points` all differ.
fn labelled_face(box_xyxy: [f32; 4], points: usize) -> FaceLabel {
    let [x1, y1, x2, y2] = box_xyxy;
    let landmark = |i: usize| -> Point {
        let (column, row) = (i % 10, i / 10);
        [
            x1 + (x2 - x1) * (column as f32 + 0.5) / 10.0,
            y1 + (y2 - y1) * (row as f32 + 0.5) / 10.0,
        ]
    };
    FaceLabel {
        landmarks: Landmarks::all((0..points).map(landmark)),
        ..FaceLabel::boxed(BoxXyxy::from(box_xyxy))
    }
}

/// `Config` in which training photos are cropped, and mirrored or not, and nothing else.
fn crops_only(flip: f32) -> Config {
    let mut config = Config::default();
    let augment = &mut config.augment;
    augment.flip.probability = flip;
    augment.rotation.probability = 0.0;
    augment.color.probability = 0.0;
    augment.grey.probability = 0.0;
    augment.blur.probability = 0.0;
    augment.jpeg.probability = 0.0;
    augment.erase.probability = 0.0;
    config.train.crop = 96;
    config
}

#[test]
fn a_mirrored_face_has_all_its_points_renamed() {
    let photo = RgbImage::from_pixel(300, 200, Rgb([90, 90, 90]));
    let face = [labelled_face([100.0, 50.0, 160.0, 130.0], 98)];
    let crop_of = |flip| {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let pipeline = Pipeline::new(&crops_only(flip)).unwrap();
        pipeline.apply(&photo, &face, &mut rng).unwrap().1.remove(0)
    };
    let (plain, mirrored) = (crop_of(0.0), crop_of(1.0));
    let scheme = Scheme::wflw98();
    for i in 0..98 {
        let [x, y] = plain.landmarks[scheme.mirror()[i]].at;
        let [mx, my] = mirrored.landmarks[i].at;
        assert!(
            (mx - (96.0 - x)).abs() < 1e-2 && (my - y).abs() < 1e-2,
            "point {i} at ({mx}, {my}), its twin was at ({x}, {y})"
        );
    }
}

#[test]
fn points_that_leave_the_crop_are_masked_not_moved_to_its_border() {
    let config = Config {
        train: crops_only(0.5).train,
        ..Config::default()
    };
    let photo = RgbImage::from_pixel(400, 300, Rgb([90, 90, 90]));
    let faces = [
        labelled_face([10.0, 10.0, 210.0, 250.0], 98),
        labelled_face([300.0, 60.0, 380.0, 160.0], 98),
    ];
    let pipeline = Pipeline::new(&config).unwrap();
    let mut masked = 0;
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (crop, faces) = pipeline.apply(&photo, &faces, &mut rng).unwrap();
        assert_eq!(crop.dimensions(), (96, 96));
        for face in faces.iter().filter(|f| f.has_landmarks()) {
            for p in face.landmarks.iter() {
                let inside = p.at.iter().all(|v| (0.0..=96.0).contains(v));
                assert!(inside || !p.labelled, "labelled point {p:?} outside");
                masked += usize::from(!p.labelled);
            }
        }
    }
    assert!(masked > 0, "no point ever left the crop");
}

#[test]
fn training_photos_cannot_be_validated_on() {
    let folder = tempdir();
    let path = |name: &str| folder.path().join(name);
    let photo = RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8, y as u8, 7]));
    photo.save(path("a.png")).unwrap();
    std::fs::copy(path("a.png"), path("renamed.png")).unwrap();
    RgbImage::new(32, 32).save(path("b.png")).unwrap();
    let set = |names: &[&str]| {
        let sample = |name: &&str| Sample {
            path: path(name),
            name: (*name).into(),
            faces: Vec::new(),
            complete: true,
            source: 0,
        };
        Dataset::from_samples(names.iter().map(sample).collect(), &Config::default())
    };
    let refused = |a: &[&str], b: &[&str]| refuse_overlap(&set(a), &set(b)).is_err();
    assert!(refused(&["b.png", "a.png"], &["a.png"]));
    assert!(refused(&["a.png"], &["renamed.png"]));
    assert!(!refused(&["a.png"], &["b.png"]));
}

#[test]
fn the_learning_rate_falls_at_the_milestones() {
    let config = ScheduleConfig {
        kind: ScheduleKind::MultiStep(MultiStep {
            milestones: vec![0.5, 0.8],
            gamma: 0.1,
        }),
        warmup_steps: 0,
    };
    let schedule = Schedule::new(&config, 1e-2, 100, 10);
    for (step, rate) in [
        (0, 1e-2),
        (49, 1e-2),
        (50, 1e-3),
        (79, 1e-3),
        (80, 1e-4),
        (99, 1e-4),
    ] {
        let got = schedule.at(step);
        assert!((got - rate).abs() < 1e-12, "step {step}: {got}");
    }
}

#[test]
fn the_number_of_landmarks_is_nowhere_fixed() {
    let device = Device::flex();
    for scheme in [
        "{scheme: five}",
        "{scheme: ibug68}",
        "{scheme: wflw98}",
        "{scheme: custom, custom: {points: 7, flip_pairs: [[0, 1]], normalise: [0, 1]}}",
    ] {
        let text = format!("landmarks: {scheme}\nmodel: {{neck_channels: 8, se_reduction: 2}}");
        let config = Config::from_yaml(&text).unwrap();
        let points = config.landmarks.scheme().unwrap().len();
        let face = labelled_face([10.0, 12.0, 40.0, 44.0], points);
        let anchors = Anchors::generate(&config.anchors, [64, 64]);
        let builder = TargetBuilder::new(&config).unwrap();
        let targets = builder.build(&anchors, &[face.truth()], true).unwrap();
        let rows = targets.with_landmarks.len();
        assert_eq!(targets.landmark_deltas.len(), rows * 2 * points);

        let model = RetinaFace::new(&config, &device).unwrap();
        let outputs = model.forward(noise(64, &device));
        assert_eq!(model.landmark_deltas(&outputs).dims()[2], 2 * points);
        let loss = DetectorLoss::new(&config).unwrap();
        let losses = loss.forward(&model, &outputs, &[targets]).unwrap();
        assert!(
            numbers(losses.part("landmarks").unwrap().clone())[0] > 0.0,
            "{scheme}"
        );
    }
}

/// The number of points may stand where WFLW itself is described (and in help texts), nowhere else.
#[test]
fn no_source_line_says_98_or_196() {
    let allowed = ["geometry/landmarks/", "data/wflw.rs", "synth/", "cli/"];
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = ["src", "crates/core/src"].map(|source| home.join(source));
    let entries = |source: &PathBuf| {
        walkdir::WalkDir::new(source)
            .into_iter()
            .zip(repeat(source.clone()))
    };
    for (entry, source) in all.iter().flat_map(entries) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(&source).unwrap().display();
        let name = name.to_string().replace('\\', "/");
        if !name.ends_with(".rs")
            || name.ends_with("tests.rs")
            || allowed.iter().any(|a| name.starts_with(a))
        {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            assert!(
                !words.any(|w| ["98", "196"].contains(&w)),
                "{name}:{}: {line}",
                number + 1
            );
        }
    }
}

#[test]
fn every_input_size_has_its_own_anchors() {
    let cache = AnchorCache::new(&Config::default().anchors);
    let large = cache.get([640, 640]);
    assert_eq!(large.len(), 16_800);
    for input in [[320, 320], [640, 480], [480, 640], [33, 97]] {
        let anchors = cache.get(input);
        let cells = |side: u32, stride: u32| side.div_ceil(stride) as usize;
        let [w, h] = input;
        let places: usize = [8, 16, 32].map(|s| cells(w, s) * cells(h, s)).iter().sum();
        assert_eq!(anchors.len(), 2 * places, "{input:?}");
    }
    assert_eq!(*cache.get([640, 640]), *large);
}

#[test]
fn squeeze_and_excitation_blocks_are_there_and_learn() {
    let device = Device::flex().autodiff();
    let config = small();
    let model = RetinaFace::new(&config, &device).unwrap();
    let layout = Layout::of(&model);
    let learned = |layout: &Layout| layout.entries().iter().map(|e| e.len).sum::<usize>();
    let mut without = config.clone();
    without.model.se_reduction = 0;
    let plain = Layout::of(&RetinaFace::new(&without, &device).unwrap());
    // Three levels, each 8 -> 4 -> 8 channels with biases.
    assert_eq!(
        learned(&layout) - learned(&plain),
        3 * (8 * 4 + 4 + 4 * 8 + 8)
    );

    let outputs = model.forward(noise(64, &device));
    let gradients = outputs.logits.powf_scalar(2.0).sum().backward();
    let gradients = burn::optim::GradientsParams::from_grads(gradients, &model);
    let names: Vec<&str> = plain.entries().iter().map(|e| e.name.as_str()).collect();
    let (sum, touched) = crate::train::optim::read(&layout, &model, &gradients);
    let se = layout.entries().iter().zip(&touched);
    let se: Vec<_> = se
        .filter(|(e, _)| !names.contains(&e.name.as_str()))
        .collect();
    assert_eq!(se.len(), 12);
    for (entry, touched) in se {
        assert!(*touched, "{} has no gradient", entry.name);
    }
    assert!(sum.iter().all(|g| g.is_finite()));
}

#[test]
fn faces_without_size_give_no_infinite_targets() {
    let config = small();
    let device = Device::flex();
    let anchors = Anchors::generate(&config.anchors, [64, 64]);
    let faces = [
        boxed([20.0, 20.0, 20.0, 20.0]),
        boxed([20.0, 20.0, 20.0, 60.0]),
        boxed([30.0, 30.0, 10.0, 10.0]),
        boxed([f32::NAN, 0.0, 10.0, 10.0]),
    ];
    let targets = TargetBuilder::new(&config)
        .unwrap()
        .build(&anchors, &faces, true)
        .unwrap();
    assert!(targets.positives.is_empty());
    let model = RetinaFace::new(&config, &device).unwrap();
    let outputs = model.forward(noise(64, &device));
    let losses = DetectorLoss::new(&config)
        .unwrap()
        .forward(&model, &outputs, &[targets]);
    assert!(numbers(losses.unwrap().total)[0].is_finite());
}

#[test]
fn unlabelled_faces_are_not_background() {
    let config = Config::default();
    let anchors = Anchors::generate(&config.anchors, [320, 320]);
    let builder = TargetBuilder::new(&config).unwrap();
    let labelled = [boxed([20.0, 20.0, 60.0, 60.0])];
    let unlabelled = BoxXyxy::new(240.0, 240.0, 280.0, 280.0);
    let targets = builder.build(&anchors, &labelled, false).unwrap();
    let boxes = anchors
        .boxes_cxcywh()
        .iter()
        .map(|&b| BoxXyxy::from_cxcywh(b));
    for (b, &label) in boxes.zip(&targets.labels) {
        assert!(
            label != 0 || b.iou(&unlabelled) < 0.1,
            "{b:?} is background"
        );
    }
    assert!(targets.labels.contains(&0), "nothing is background");
    assert!(!targets.positives.is_empty());
}

#[test]
fn photos_are_turned_upright_and_channels_are_in_the_weights_order() {
    let folder = tempdir();
    let path = folder.path().join("turned.jpg");
    // Left half red, right half blue; "rotate by 90 degrees clockwise to show".
    let photo = RgbImage::from_fn(64, 32, |x, _| {
        if x < 32 {
            Rgb([250, 0, 0])
        } else {
            Rgb([0, 0, 250])
        }
    });
    std::fs::write(&path, jpeg_with_orientation(&photo, 6)).unwrap();
    let upright = imaging::load_rgb(&path, &imaging::Limits::default()).unwrap();
    assert_eq!(upright.dimensions(), (32, 64));
    let top = upright.get_pixel(16, 8).0;
    assert!(top[0] > 200 && top[2] < 50, "{top:?}");

    for (order, first) in [(ChannelOrder::Rgb, 250.0), (ChannelOrder::Bgr, 0.0)] {
        let input = InputConfig {
            channel_order: order,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        let red = RgbImage::from_pixel(4, 4, Rgb([250, 0, 0]));
        let mut planes = vec![-1.0; 3 * 16];
        imaging::fill_tensor(&red, &input, [4, 4], &mut planes);
        assert_eq!(
            (planes[0], planes[16], planes[32]),
            (first, 0.0, 250.0 - first)
        );
    }
}

/// The photo as JPEG with an EXIF block that says how to turn it.
fn jpeg_with_orientation(photo: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut plain = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut plain, 95);
    photo.write_with_encoder(encoder).unwrap();
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08".to_vec();
    exif.extend([
        0,
        1,
        0x01,
        0x12,
        0,
        3,
        0,
        0,
        0,
        1,
        0,
        orientation,
        0,
        0,
        0,
        0,
        0,
        0,
    ]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let (start, rest) = plain.split_at(2);
    [start, &[0xff, 0xe1], &length, &exif, rest].concat()
}

#[test]
fn missing_and_left_over_weights_are_errors_that_name_them() {
    let folder = tempdir();
    let file = folder.path().join("weights.safetensors");
    let device = Device::flex();
    let config = small();
    let model = RetinaFace::new(&config, &device).unwrap();
    weights::save(&model, &config, &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let all = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (dropped, _) = all.iter().next().unwrap();
    let mut kept: BTreeMap<String, _> = all
        .iter()
        .filter(|(name, _)| *name != dropped)
        .map(|(name, view)| (name.to_owned(), view))
        .collect();
    let extra = [0u8; 4];
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &extra);
    kept.insert("nobody.wants.this".into(), view.unwrap());
    let changed = safetensors::serialize(kept, None).unwrap();
    std::fs::write(&file, changed).unwrap();

    let init = |new: &[&str], unused: &[&str]| InitConfig {
        weights: Some(file.clone()),
        allow_new: new.iter().map(|s| (*s).into()).collect(),
        allow_unused: unused.iter().map(|s| (*s).into()).collect(),
    };
    let fresh = || RetinaFace::new(&config, &device).unwrap();
    let error = initialise(fresh(), &init(&[], &[])).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains(dropped), "{dropped} is missing in: {error}");
    assert!(error.contains("nobody.wants.this"), "{error}");
    assert!(initialise(fresh(), &init(&[dropped], &["nobody"])).is_ok());
}

#[test]
fn a_resumed_optimiser_goes_on_with_its_momentum() {
    for name in OptimizerKind::NAMES {
        let kind = OptimizerKind::with(name, Settings::new()).unwrap();
        let device = Device::flex().autodiff();
        let mut config = small();
        config.optimizer.kind = kind;
        let start = RetinaFace::new(&config, &device).unwrap();
        let step = |optimizer: &mut Optimizer, model: RetinaFace| {
            let loss = model
                .forward(noise(32, &device))
                .logits
                .powf_scalar(2.0)
                .mean();
            let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &model);
            optimizer.accumulate(&model, &gradients);
            optimizer.step(model, 1e-3).0
        };
        let mut optimizer = Optimizer::new(&config.optimizer, &start);
        let once = step(&mut optimizer, start);
        let (values, state) = (optimizer.values().to_vec(), optimizer.state().clone());
        let mut resumed = Optimizer::new(&config.optimizer, &once);
        let mut forgetful = resumed.clone();
        resumed.restore(values, state).unwrap();
        step(&mut optimizer, once.clone());
        step(&mut resumed, once.clone());
        step(&mut forgetful, once);
        let learned = |optimizer: &Optimizer| -> Vec<f32> {
            let learned = crate::train::optim::learned(optimizer.layout());
            let numbers = learned.flat_map(|entry| &optimizer.values()[entry.range()]);
            numbers.copied().collect()
        };
        assert_eq!(learned(&optimizer), learned(&resumed), "{name}");
        assert_ne!(learned(&optimizer), learned(&forgetful), "{name}");
    }
}
