//! The second look: network, data, training, inference and weights files of the aligner.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use burn::tensor::{Device, Distribution, Tensor};
use image::RgbImage;
use retinamark::config::{BackboneKind, Config, Features, InitConfig, Task};
use retinamark::data::{Batcher, Dataset, FaceLabel, Loader, Sample, item_rng};
use retinamark::geometry::{BoxXyxy, Face, Landmarks, Scheme};
use retinamark::infer::{Around, DetectOptions, Predictor};
use retinamark::metrics::alignment;
use retinamark::model::weights::{self, Networks, Precision};
use retinamark::model::{Aligner, Network, RetinaFace};
use retinamark::train::{Trainable, Trainer};

use crate::support::{drawn_faces, initialise, tempdir};

fn config(yaml: &str) -> Config {
    let text = format!(
        "task: align\n\
         model: {{width_multiplier: 0.125}}\n\
         aligner: {{side: 64, channels: [8, 8, 16], heatmap_channels: 16}}\n{yaml}"
    );
    Config::from_yaml(&text).unwrap()
}

fn crops(n: usize, side: usize, device: &Device) -> Tensor<4> {
    Tensor::random(
        [n, 3, side, side],
        Distribution::Uniform(-60.0, 60.0),
        device,
    )
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// Photos of one drawn face each, saved in `folder`.
fn samples(folder: &Path, count: usize) -> Vec<Sample> {
    drawn_faces(folder, count, 96, [40.0, 64.0])
}

#[test]
fn every_backbone_and_side_gives_points_and_scales() {
    let device = Device::flex();
    for (backbone, width) in [
        (BackboneKind::MobilenetV1, 0.25),
        (BackboneKind::MobilenetV3Large, 0.35),
        (BackboneKind::Resnet18, 1.0),
        (BackboneKind::Plain, 0.5),
    ] {
        for side in [112, 128] {
            let mut config = config("");
            config.model.backbone = backbone;
            config.model.width_multiplier = width;
            config.aligner.side = side;
            config.aligner.heatmap_channels = if side == 112 { 12 } else { 0 };
            let model = Aligner::new(&config, &device).unwrap();
            assert_eq!((model.side(), model.landmarks()), (side as usize, 98));
            let x = crops(2, side as usize, &device);
            let plain = model.forward(x.clone());
            assert_eq!(plain.deltas.dims(), [2, 196]);
            assert_eq!(plain.log_scales.as_ref().unwrap().dims(), [2, 98]);
            let folded = model.fold().unwrap();
            assert!(folded.is_folded());
            let folded = folded.forward(x);
            let difference = largest_difference(&values(plain.deltas), &values(folded.deltas));
            assert!(difference < 1e-3, "{backbone:?} {side}: {difference}");
        }
    }
    let mut last = config("");
    last.model.backbone = BackboneKind::Plain;
    last.aligner.side = 56;
    last.aligner.features = Features::Last;
    let model = Aligner::new(&last, &device).unwrap();
    let names: Vec<String> = model.tensors().into_iter().map(|spec| spec.name).collect();
    assert!(
        !names.iter().any(|name| name.starts_with("reduce")),
        "{names:?}"
    );
    assert_eq!(model.forward(crops(1, 56, &device)).deltas.dims(), [1, 196]);
    let without = config("").clone();
    let without = Config {
        aligner: retinamark::config::AlignerConfig {
            uncertainty: false,
            ..without.aligner
        },
        ..without
    };
    let model = Aligner::new(&without, &device).unwrap();
    assert!(model.forward(crops(1, 64, &device)).log_scales.is_none());
}

#[test]
fn the_first_guess_is_the_mean_shape() {
    let device = Device::flex();
    let mean: Vec<f32> = (0..196).map(|i| (i % 9) as f32 - 4.0).collect();
    for channels in [0, 16] {
        let mut config = config("");
        config.aligner.heatmap_channels = channels;
        let model = Aligner::new(&config, &device).unwrap();
        assert!(model.clone().with_mean_shape(&mean[1..]).is_err());
        let model = model.with_mean_shape(&mean).unwrap();
        let blank = Tensor::zeros([1, 3, 64, 64], &device);
        let guess = values(model.forward(blank).deltas);
        let difference = largest_difference(&guess, &mean);
        // On maps the edge of the crop cuts off a part of each distribution.
        assert!(difference < 0.6, "{channels}: {difference}");
    }
}

#[test]
fn every_face_is_an_item_and_turned_ones_come_as_often_as_asked() {
    let scheme = Scheme::wflw98();
    let face = |nose: f32| {
        let mut face = FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 90.0, 90.0));
        face.landmarks = Landmarks::all((0..98).map(|i| match i {
            54 => [nose, 50.0],
            60..68 => [20.0, 30.0],
            68..76 => [60.0, 30.0],
            _ => [i as f32, 40.0 + (i % 7) as f32],
        }));
        face
    };
    let sample = |faces: Vec<FaceLabel>| Sample {
        path: "a.png".into(),
        name: "a.png".into(),
        faces,
        complete: true,
        source: 0,
    };
    let mut ignored = face(40.0);
    ignored.ignored = true;
    let boxed = FaceLabel::boxed(BoxXyxy::new(0.0, 0.0, 9.0, 9.0));
    let config = config("train: {samples_per_epoch: 400}");
    let photos = || {
        vec![
            sample(vec![face(40.0), boxed.clone(), face(58.0)]),
            sample(vec![ignored.clone(), face(41.0), face(39.0)]),
        ]
    };
    let turned_share = |weight: f32| {
        let set = Dataset::from_samples(photos(), &config);
        let set = set.by_face(&scheme, weight).unwrap();
        assert_eq!(set.samples.len(), 4);
        for sample in &set.samples {
            assert_eq!(sample.faces.len(), 1);
            let face = &sample.faces[0];
            assert_eq!(Some(face.box_xyxy), face.landmarks.bounds());
        }
        let order = set.epoch(&config, 0);
        let turned = order
            .iter()
            .filter(|&&i| set.samples[i].faces[0].landmarks[54].at[0] == 58.0);
        turned.count()
    };
    assert_eq!(turned_share(1.0), 100);
    assert_eq!(turned_share(3.0), 200);
    let none = Dataset::from_samples(vec![sample(vec![boxed.clone()])], &config);
    assert!(none.by_face(&scheme, 1.0).is_err());
}

#[test]
fn several_lists_may_name_faces_of_one_photo() {
    let folder = tempdir();
    let folder = folder.path();
    succeeds(
        folder,
        &["synth", "--out", "faces", "--photos", "4", "--size", "96"],
    );
    let sources = |weight: f32| {
        let source = |weight| {
            format!(
                "{{kind: wflw, list: {0}/train.txt, images: {0}/images, weight: {weight}}}",
                folder.join("faces").display()
            )
        };
        format!("data: {{train: [{}, {}]}}", source(1.0), source(weight))
    };
    let align = config(&sources(0.5));
    let faces = Dataset::load_training(&align)
        .unwrap()
        .for_training(&align)
        .unwrap();
    let detect = Config::from_yaml(&sources(0.5)).unwrap();
    assert!(
        Dataset::load(&detect.data.train, &detect).is_err(),
        "nothing is left of the second"
    );
    let once = Dataset::load(&align.data.train[..1], &align).unwrap();
    let once = once.for_training(&align).unwrap();
    assert_eq!(faces.samples.len(), 2 * once.samples.len());
}

#[test]
fn crops_show_the_face_upright_and_targets_say_where() {
    let folder = tempdir();
    let plain = "augment: {rotation: {probability: 0}, flip: {probability: 0}, \
                 face: {shift: 0, scale: 0, turn: 0}}";
    let config = config(plain);
    let samples = samples(folder.path(), 3);
    let set = Dataset::from_samples(samples, &config)
        .for_training(&config)
        .unwrap();
    let batcher = Batcher::new(&config).unwrap();
    for (index, sample) in set.samples.iter().enumerate() {
        let photo = set.photo(index).unwrap();
        let mut rng = item_rng(0, 0, index);
        let item = batcher.item(&photo, &sample.faces, true, &mut rng).unwrap();
        assert_eq!(item.crop.dimensions(), (64, 64));
        let points = &item.faces[0].landmarks;
        let bounds = points.bounds().unwrap();
        let longer = bounds.width().max(bounds.height());
        assert!((longer - 64.0 / 1.25).abs() < 0.05, "{bounds:?}");
        let [x, y] = bounds.centre();
        assert!((x - 32.0).abs() < 0.05 && (y - 32.0).abs() < 0.05);
        // The eyes are level, the mouth below them.
        let mean = |from: usize, axis: usize| -> f32 {
            points[from..from + 8]
                .iter()
                .map(|p| p.at[axis])
                .sum::<f32>()
                / 8.0
        };
        assert!((mean(60, 1) - mean(68, 1)).abs() < 4.0);
        assert!(points[85].at[1] > mean(60, 1) + 10.0);
        // Each delta is (point - centre) / (0.1 side of the face).
        let target = &item.targets;
        assert_eq!(target.with_landmarks, [0]);
        let side = 64.0 / 1.25;
        for (delta, point) in target.landmark_deltas.chunks(2).zip(points.points()) {
            assert!((delta[0] - (point[0] - 32.0) / (0.1 * side)).abs() < 1e-4);
            assert!((delta[1] - (point[1] - 32.0) / (0.1 * side)).abs() < 1e-4);
        }
    }
}

#[test]
fn one_batch_is_learned_by_heart_and_its_faces_are_aligned() {
    let folder = tempdir();
    let yaml = "augment: {rotation: {probability: 0}, flip: {probability: 0}, \
                face: {shift: 0, scale: 0, turn: 0}, color: {probability: 0}, \
                grey: {probability: 0}, blur: {probability: 0}, jpeg: {probability: 0}, \
                erase: {probability: 0}}\n\
                optimizer: {learning_rate: 0.004, ema_decay: 0.95, weight_decay: 0}\n\
                schedule: {warmup_steps: 20}\n\
                train: {samples_per_epoch: 4, batch_size: 4, epochs: 300}";
    const STEPS: usize = 300;
    let config = config(yaml);
    let whole = Dataset::from_samples(samples(folder.path(), 4), &config);
    let device = Device::flex().autodiff();
    device.seed(1);
    let train = Dataset::from_samples(whole.samples.clone(), &config);
    let train = Arc::new(train.for_training(&config).unwrap());
    let model = Aligner::new(&config, &device).unwrap();
    let model = model.fitted_to(&train, &config).unwrap();
    let batch = Loader::epoch(&train, &config, 0, 0)
        .next()
        .unwrap()
        .unwrap();

    let scheme = Scheme::wflw98();
    let nme = |model: Aligner| {
        let mut predictor = Predictor::of_aligner(model, &config, &Device::flex()).unwrap();
        predictor.align_options_mut().for_each(|o| o.passes = 1);
        let of_photo = |sample: &Sample| {
            let photo = image::open(&sample.path).unwrap().into_rgb8();
            let label = &sample.faces[0];
            let known = Face {
                box_xyxy: label.box_xyxy,
                score: 1.0,
                landmarks: label.landmarks.points().collect(),
                landmark_scores: None,
                pose: None,
            };
            let seen = predictor.look_again(&photo, vec![known]).unwrap();
            let normaliser = alignment::normaliser(label, scheme.normalise()).unwrap();
            alignment::nme(label, &seen[0].landmarks, normaliser).unwrap()
        };
        whole.samples.iter().map(of_photo).sum::<f64>() / whole.samples.len() as f64
    };
    let mut trainer = Trainer::new(&config, train, model, &device).unwrap();
    let before = nme(trainer.averaged_model());
    assert!(before < 0.3, "the mean shape is far off: {before}");
    let mut losses = Vec::new();
    let batches = std::iter::repeat_with(|| Ok(batch.clone())).take(STEPS);
    trainer
        .train_on(batches, |_, figures| {
            losses.push(figures.loss("landmarks").unwrap());
            Ok(())
        })
        .unwrap();
    let last = losses[STEPS - 10..].iter().sum::<f64>() / 10.0;
    assert!(last < 0.05 * losses[0], "from {} to {last}", losses[0]);
    let after = nme(trainer.averaged_model());
    assert!(after < 0.02, "from {before} to {after}");
}

fn pair(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let device = Device::flex();
    let detector =
        Config::from_yaml("model: {width_multiplier: 0.125, neck_channels: 8, se_reduction: 4}")
            .unwrap();
    let (first, second) = (
        folder.join("detector.safetensors"),
        folder.join("aligner.safetensors"),
    );
    weights::save(
        &RetinaFace::new(&detector, &device).unwrap(),
        &detector,
        &first,
    )
    .unwrap();
    let own = config("");
    weights::save(&Aligner::new(&own, &device).unwrap(), &own, &second).unwrap();
    (first, second)
}

#[test]
fn detector_and_aligner_travel_in_one_file_or_two() {
    let folder = tempdir();
    let device = Device::flex();
    let (first, second) = pair(folder.path());
    let error = format!("{:#}", weights::load(&second, &device).unwrap_err());
    assert!(error.contains("aligner only"), "{error}");

    let load = |path: &Path| Networks::load(path).unwrap();
    let both = Networks::load_with(&first, &[second]).unwrap();
    assert!(Networks::load_with(&first, std::slice::from_ref(&first)).is_err());
    let path = folder.path().join("both.safetensors");
    weights::save_networks(&both, Precision::F32, &path).unwrap();
    let again = load(&path);
    assert_eq!(again.header.aligners()[0].0.task, Task::Align);
    let x = crops(2, 64, &device);
    let deltas = |aligner: &Aligner| values(aligner.forward(x.clone()).deltas);
    let expected = deltas(&both.aligners_on(&device).unwrap().remove(0).1);
    assert_eq!(
        deltas(&again.aligners_on(&device).unwrap().remove(0).1),
        expected
    );

    let half = folder.path().join("half.safetensors");
    weights::save_networks(&again, Precision::F16, &half).unwrap();
    let sizes = [&path, &half].map(|p| std::fs::metadata(p).unwrap().len());
    assert!(sizes[1] * 10 < sizes[0] * 7, "{sizes:?}");
    let difference = largest_difference(
        &deltas(&load(&half).aligners_on(&device).unwrap().remove(0).1),
        &expected,
    );
    assert!(difference > 0.0 && difference < 0.05, "{difference}");

    // Each network starts from its own half of the pair.
    let init = InitConfig {
        weights: Some(path.clone()),
        ..InitConfig::default()
    };
    let own = config("");
    let started = initialise(Aligner::new(&own, &device).unwrap(), &init).unwrap();
    assert_eq!(deltas(&started), expected);
    let detector = again.header.config.clone();
    initialise(RetinaFace::new(&detector, &device).unwrap(), &init).unwrap();
}

#[test]
fn the_second_look_changes_points_of_sure_faces_only() {
    let folder = tempdir();
    let device = Device::flex();
    let (first, second) = pair(folder.path());
    let mut both = Predictor::load_with(&first, std::slice::from_ref(&second), &device).unwrap();
    let one = Predictor::load_with(&first, std::slice::from_ref(&second), &device)
        .unwrap()
        .one_pass();
    let photo = RgbImage::from_fn(90, 70, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 5) as u8, 99])
    });
    let mut options = DetectOptions::from(&both.config().detect).with_score(0.0);
    options.max_faces = 4;
    options.size = retinamark::infer::InputSize::Fixed(96);
    let coarse = one.detect(&photo, &options).unwrap();
    assert!(!coarse.is_empty());
    both.align_options_mut()
        .for_each(|o| o.min_score = coarse[1].score);
    let fine = both.detect(&photo, &options).unwrap();
    assert_eq!(fine.len(), coarse.len());
    for (a, b) in coarse.iter().zip(&fine) {
        assert_eq!((a.box_xyxy, a.score), (b.box_xyxy, b.score));
        let again = b.score >= coarse[1].score;
        assert_eq!(a.landmarks != b.landmarks, again);
        assert_eq!(b.landmark_scores.is_some(), again);
        let scores = b.landmark_scores.iter().flatten();
        assert!(scores.clone().all(|s| (0.0..=1.0).contains(s)));
    }
}

fn retinamark(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap()
}

#[track_caller]
pub(crate) fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = retinamark(folder, args);
    let text = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned());
    assert!(output.status.success(), "{args:?}: {}", text[1]);
    text.concat()
}

#[track_caller]
pub(crate) fn fails(folder: &Path, args: &[&str], why: &str) {
    let output = retinamark(folder, args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains(why),
        "{args:?}: {text}"
    );
}

#[test]
fn the_program_packs_labels_evaluates_and_detects_with_both_looks() {
    let folder = tempdir();
    let folder = folder.path();
    pair(folder);
    let size = ["--size", "96"];
    let synth = ["synth", "--out", "faces", "--photos", "6", "--size", "96"];
    succeeds(folder, &synth);
    let both = [
        "pack",
        "-w",
        "detector.safetensors",
        "--aligner",
        "aligner.safetensors",
    ];
    succeeds(
        folder,
        &[&both[..], &["--out", "both.safetensors"]].concat(),
    );
    fails(
        folder,
        &[&both[..], &["--out", "both.safetensors"]].concat(),
        "--force",
    );
    let info = succeeds(folder, &["info", "--weights", "both.safetensors"]);
    assert!(info.contains("two looks"), "{info}");
    let info = succeeds(folder, &["info", "--weights", "aligner.safetensors"]);
    assert!(info.contains("--aligner"), "{info}");

    let list = "wflw:faces/val.txt:faces/images";
    let evaluate = ["evaluate", "-d", list, "--out", "figures", "--score", "0"];
    let evaluate = [&evaluate[..], &size].concat();
    let table = succeeds(
        folder,
        &[&evaluate[..], &["-w", "both.safetensors"]].concat(),
    );
    assert!(table.contains("all, one pass"), "{table}");
    // The figure that is reported apart is the one that a run without the second look gives.
    let report = || -> serde_json::Value {
        let text = std::fs::read_to_string(folder.join("figures/report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let both_looks = report();
    let one = ["-w", "both.safetensors", "--one-pass"];
    succeeds(folder, &[&evaluate[..], &one].concat());
    let first_look = report();
    assert_eq!(both_looks["one_pass"], first_look["alignment"]);
    assert!(first_look["one_pass"].is_null() && first_look["passes"] == 0);
    let top_down = [
        &evaluate[..],
        &["-w", "aligner.safetensors", "--boxes", "truth"],
    ]
    .concat();
    let table = succeeds(folder, &top_down);
    assert!(
        table.contains("1.000") && table.contains("No AP"),
        "{table}"
    );
    let report = std::fs::read_to_string(folder.join("figures/report.json")).unwrap();
    assert!(report.contains(r#""boxes": "truth""#), "{report}");
    fails(
        folder,
        &[&evaluate[..], &["-w", "aligner.safetensors"]].concat(),
        "aligner only",
    );

    let detect = [
        "detect",
        "faces/images",
        "--recursive",
        "--save",
        "jsonl",
        "--score",
        "0",
    ];
    let detect = [&detect[..], &size, &["--max-faces", "2"]].concat();
    succeeds(
        folder,
        &[
            &detect[..],
            &["--weights", "both.safetensors", "--out", "a"],
        ]
        .concat(),
    );
    let one = ["--weights", "both.safetensors", "--out", "b", "--one-pass"];
    succeeds(folder, &[&detect[..], &one].concat());
    let lines = |out: &str| {
        let path = folder.join(out).join("detections.jsonl");
        std::fs::read_to_string(path).unwrap()
    };
    assert!(lines("a").contains("landmark_scores") && !lines("b").contains("landmark_scores"));
    let alone = ["--weights", "aligner.safetensors", "--out", "c"];
    fails(folder, &[&detect[..], &alone].concat(), "--aligner");

    let label = [
        "label",
        "-d",
        list,
        "-w",
        "both.safetensors",
        "--out",
        "new.txt",
        "--all",
    ];
    let label = [
        &label[..],
        &size,
        &["--min-face", "1", "--max-disagreement", "10"],
    ]
    .concat();
    let summary = succeeds(folder, &label);
    assert!(summary.contains("faces labelled"), "{summary}");
    let lines = std::fs::read_to_string(folder.join("new.txt")).unwrap();
    assert!(lines.lines().count() > 0, "{summary}");
    let beside = std::fs::read_to_string(folder.join("new.txt.disagreement")).unwrap();
    assert_eq!(lines.lines().count(), beside.lines().count());
    assert!(
        lines
            .lines()
            .all(|line| line.split_whitespace().count() == 207)
    );
    fails(folder, &label, "--force");
}

#[test]
fn a_mirrored_look_sees_what_the_mirrored_photo_shows() {
    let own = config("");
    // A face that is not symmetric, so that mirror images differ.
    let mean: Vec<f32> = (0..196).map(|i| (i * i % 11) as f32 - 5.0).collect();
    let model = Aligner::new(&own, &Device::flex()).unwrap();
    let model = model.with_mean_shape(&mean).unwrap();
    let mut predictor = Predictor::of_aligner(model, &own, &Device::flex()).unwrap();
    let photo = RgbImage::from_fn(90, 70, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 5) as u8, 99])
    });
    let mirrored = image::imageops::flip_horizontal(&photo);
    let scheme = Scheme::wflw98();
    let look = |predictor: &Predictor, photo: &RgbImage, b: [f32; 4]| {
        predictor
            .align(photo, &[b.into()], Around::Landmarks)
            .unwrap()
            .remove(0)
            .unwrap()
    };
    let back = |face: &Face| {
        let points = scheme.mirrored(&face.landmarks).unwrap();
        let points: Vec<[f32; 2]> = points.iter().map(|p| [90.0 - p[0], p[1]]).collect();
        let scores = face.landmark_scores.as_ref().unwrap();
        (points, scheme.mirrored(scores).unwrap())
    };
    let near = |a: &[[f32; 2]], b: &[[f32; 2]]| {
        let flat = |p: &[[f32; 2]]| p.iter().flatten().copied().collect::<Vec<f32>>();
        largest_difference(&flat(a), &flat(b)) < 0.2
    };
    let here = [20.0, 15.0, 60.0, 60.0];
    let there = [30.0, 15.0, 70.0, 60.0];
    predictor.align_options_mut().for_each(|o| o.passes = 1);
    let plain = look(&predictor, &photo, here);
    let other = back(&look(&predictor, &mirrored, there));
    assert!(
        !near(&plain.landmarks, &other.0),
        "a random network has no symmetry"
    );
    // With a mirrored look each, both photos give the mean of the two.
    predictor.align_options_mut().for_each(|o| o.flip = true);
    let both = look(&predictor, &photo, here);
    let again = back(&look(&predictor, &mirrored, there));
    assert!(near(&both.landmarks, &again.0));
    assert!(largest_difference(both.landmark_scores.as_ref().unwrap(), &again.1) < 1e-2);
    let mean: Vec<[f32; 2]> = plain
        .landmarks
        .iter()
        .zip(&other.0)
        .map(|(a, b)| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0])
        .collect();
    assert!(near(&both.landmarks, &mean));
    // Looks at several crops differ, and their mean is a face.
    let consensus = predictor.consensus(&photo, &both).unwrap().unwrap();
    assert!(consensus.spread > 0.0 && consensus.landmarks.len() == 98);
}

#[test]
fn with_a_partner_both_looks_are_validated() {
    let folder = tempdir();
    let device = Device::flex();
    let (first, second) = pair(folder.path());
    let networks = |path: &Path| Networks::load(path).unwrap();
    let (detector, aligner) = (networks(&first), networks(&second));
    let predictor = |partner: &Path| {
        let mut config = aligner.header.config.clone();
        config.train.partner = Some(partner.to_owned());
        let own = aligner.aligners_on(&device).unwrap().remove(0).1;
        own.predictor(&config, &device)
    };
    let both = predictor(&first).unwrap();
    assert!(both.finds_faces() && both.looks_again());
    assert!(format!("{:#}", predictor(&second).unwrap_err()).contains("train.partner"));

    let predictor = |partner: &Path| {
        let mut config = detector.header.config.clone();
        config.train.partner = Some(partner.to_owned());
        let own = detector.detector_on(&device).unwrap().unwrap();
        own.predictor(&config, &device)
    };
    assert!(predictor(&second).unwrap().looks_again());
    assert!(format!("{:#}", predictor(&first).unwrap_err()).contains("train.partner"));
}

#[test]
fn blended_weights_lie_between_the_two() {
    let folder = tempdir();
    let device = Device::flex();
    let (_, other) = pair(folder.path());
    let own = Aligner::new(&config(""), &device).unwrap();
    let blend = |share| weights::blend(own.clone(), &other, share).unwrap();
    let theirs = Networks::load(&other).unwrap();
    let theirs = theirs.aligners_on(&device).unwrap().remove(0).1;
    let weight = |model: &Aligner| {
        let weights = model.weights().unwrap();
        weights.0["points.weight"].values.to_vec()
    };
    assert_eq!(weight(&blend(0.0)), weight(&own));
    let ends = weight(&own).into_iter().zip(weight(&theirs));
    let expected: Vec<f32> = ends.map(|(a, b)| 0.75 * a + 0.25 * b).collect();
    assert!(largest_difference(&weight(&blend(0.25)), &expected) < 1e-6);
    assert!(largest_difference(&weight(&blend(1.0)), &weight(&theirs)) < 1e-6);
    assert!(weights::blend(own, &folder.path().join("none"), 0.5).is_err());
}
