//! Aligners one after another: five points first, all of them around those.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use retinamark::config::Config;
use retinamark::data::{Batch, Dataset, Loader, Sample};
use retinamark::geometry::{Face, Landmarks, Scheme};
use retinamark::infer::{Compute, DetectOptions, InputSize, Predictor};
use retinamark::metrics::alignment;
use retinamark::model::weights::{self, Networks, Precision};
use retinamark::model::{Aligner, Network, RetinaFace};
use retinamark::train::{Trainable, Trainer};
use retinamark_core::infer::Framing;
use retinamark_core::weights::File;

use crate::support::{drawn_faces, tempdir};

/// No augmentation, and crops as they should be.
const PLAIN: &str = "augment: {rotation: {probability: 0}, flip: {probability: 0}, \
                     face: {shift: 0, scale: 0, turn: 0}, color: {probability: 0}, \
                     grey: {probability: 0}, blur: {probability: 0}, jpeg: {probability: 0}, \
                     erase: {probability: 0}}\n";

fn five(yaml: &str) -> Config {
    let text = format!(
        "task: align\n\
         landmarks: {{scheme: five}}\n\
         model: {{width_multiplier: 0.125}}\n\
         aligner: {{side: 64, context: 2.6, channels: [8, 8, 16], uncertainty: false, passes: 1}}\n{yaml}"
    );
    Config::from_yaml(&text).unwrap()
}

fn dense(yaml: &str) -> Config {
    let text = format!(
        "task: align\n\
         model: {{backbone: plain, width_multiplier: 0.25}}\n\
         aligner: {{side: 48, channels: [8, 8, 16], heatmap_channels: 8, passes: 1}}\n{yaml}"
    );
    Config::from_yaml(&text).unwrap()
}

fn detector() -> Config {
    Config::from_yaml("model: {width_multiplier: 0.125, neck_channels: 8, se_reduction: 4}")
        .unwrap()
}

/// An aligner that has learned nothing but the mean shape, in a file.
fn untrained(folder: &Path, name: &str, config: &Config) -> PathBuf {
    let path = folder.join(name);
    let set = Dataset::from_samples(drawn_faces(folder, 2, 96, [40.0, 64.0]), config);
    let set = set.by_face(&Scheme::wflw98(), 1.0).unwrap();
    let set = Dataset::from_samples(in_scheme(set.samples, config), config);
    let device = Device::flex();
    device.seed(2);
    let unplaced = Config {
        train: Default::default(),
        ..config.clone()
    };
    let model = Aligner::new(config, &device).unwrap();
    let model = model.fitted_to(&set, &unplaced).unwrap();
    weights::save(&model, config, &path).unwrap();
    path
}

/// Samples with the points of the model.
fn in_scheme(mut samples: Vec<Sample>, config: &Config) -> Vec<Sample> {
    let scheme = config.landmarks.scheme().unwrap();
    if scheme == Scheme::five() {
        for face in samples.iter_mut().flat_map(|sample| &mut sample.faces) {
            let points = Scheme::wflw98().five_of_labelled(&face.landmarks).unwrap();
            face.landmarks = Landmarks::all(points);
        }
    }
    samples
}

/// A detector, an aligner of five points and one of all.
fn three(folder: &Path) -> [PathBuf; 3] {
    let first = folder.join("detector.safetensors");
    let model = RetinaFace::new(&detector(), &Device::flex()).unwrap();
    weights::save(&model, &detector(), &first).unwrap();
    let after = dense("train: {after: few.safetensors}");
    [
        first,
        untrained(folder, "few.safetensors", &five("")),
        untrained(folder, "all.safetensors", &after),
    ]
}

fn photo() -> RgbImage {
    RgbImage::from_fn(90, 70, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 5) as u8, 99])
    })
}

fn detect(predictor: &Predictor) -> Vec<Face> {
    let mut options = DetectOptions::from(&predictor.config().detect).with_score(0.0);
    options.max_faces = 4;
    options.size = InputSize::Fixed(96);
    let mut faces = predictor.detect(&photo(), &options).unwrap();
    faces.iter_mut().for_each(|face| face.score = 1.0);
    faces
}

fn ready(mut predictor: Predictor) -> Predictor {
    predictor
        .align_options_mut()
        .for_each(|options| options.min_score = 0.0);
    predictor
}

fn refused<T>(result: anyhow::Result<T>) -> String {
    let error = result.err().expect("an error");
    format!("{error:#}")
}

#[test]
fn a_cascade_travels_in_one_file_and_gives_the_last_ones_points() {
    let folder = tempdir();
    let device = Device::flex();
    let [first, few, all] = three(folder.path());
    let networks = Networks::load_with(&first, &[few.clone(), all.clone()]).unwrap();
    let path = folder.path().join("cascade.safetensors");
    weights::save_networks(&networks, Precision::F32, &path).unwrap();
    let again = Networks::load(&path).unwrap();
    assert_eq!((again.header.format_version, again.aligners.len()), (4, 2));

    let stages = [few.clone(), all.clone()];
    let apart = ready(Predictor::load_with(&first, &stages, &device).unwrap());
    let together = ready(Predictor::load(&path, &device).unwrap());
    assert_eq!(*together.scheme(), Scheme::wflw98());
    let faces = detect(&together);
    assert!(!faces.is_empty());
    assert_eq!(faces, detect(&apart));
    for face in &faces {
        assert_eq!(face.landmarks.len(), 98);
        assert!(face.landmark_scores.is_some(), "those of the last aligner");
    }
    // The points are those around what the first aligner finds, not around the detector's.
    let alone = Networks::load(&first).unwrap();
    let mut last = Networks::load(&all).unwrap().into_aligners().unwrap();
    last[0].0.config.train.after = None;
    let alone = ready(Predictor::of_networks(&alone.with_aligners(last), &device).unwrap());
    assert_ne!(detect(&alone)[0].landmarks, faces[0].landmarks);

    // One aligner stands in the file as it always did.
    let one = Networks::load_with(&first, std::slice::from_ref(&few)).unwrap();
    let pair = folder.path().join("pair.safetensors");
    weights::save_networks(&one, Precision::F32, &pair).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&pair).unwrap()).into_owned();
    assert!(text.contains(r#"\"aligner\":{\"config\""#) && text.contains("aligner.points.bias"));
    assert_eq!(Networks::load(&pair).unwrap().header.format_version, 2);
    // After a detector of 98 points the five are all that is left.
    let five = ready(Predictor::load(&pair, &device).unwrap());
    assert!(detect(&five).iter().all(|face| face.landmarks.len() == 5));
    assert_eq!(five.one_pass().scheme().len(), 98);
}

#[test]
fn burn_and_the_executor_agree_on_every_stage() {
    let folder = tempdir();
    let [first, few, all] = three(folder.path());
    let compute = Compute::from(&Device::flex());
    let faces = [compute.clone(), compute.burn()].map(|compute| {
        let stages = [few.clone(), all.clone()];
        detect(&ready(
            Predictor::load_with(&first, &stages, compute).unwrap(),
        ))
    });
    assert_eq!(faces[0].len(), faces[1].len());
    for (a, b) in faces[0].iter().zip(&faces[1]) {
        for (p, q) in a.landmarks.iter().zip(&b.landmarks) {
            assert!((p[0] - q[0]).hypot(p[1] - q[1]) < 0.02, "{p:?} {q:?}");
        }
    }
}

#[test]
fn wrong_orders_and_missing_stages_are_named() {
    let folder = tempdir();
    let device = Device::flex();
    let [first, few, all] = three(folder.path());
    let load = |stages: &[&PathBuf]| {
        let stages: Vec<PathBuf> = stages.iter().map(|&path| path.clone()).collect();
        Predictor::load_with(&first, &stages, &device)
    };
    let missing = refused(load(&[&all]));
    assert!(
        missing.contains("--aligner few.safetensors") && missing.contains("98 landmarks"),
        "{missing}"
    );
    assert!(refused(load(&[&all, &few])).contains("few.safetensors"));
    let text = refused(load(&[&few, &all, &few]));
    assert!(
        text.contains("wrong order") && text.contains("98"),
        "{text}"
    );
    assert!(refused(load(&[&first])).contains("holds no aligner"));
    // Alone it lacks what it looks after, too.
    assert!(refused(Predictor::load(&all, &device)).contains("few.safetensors"));
    let alone = Predictor::load_with(&few, std::slice::from_ref(&all), &device).unwrap();
    assert!(!alone.finds_faces());
    assert_eq!(alone.scheme().len(), 98);
    let text = refused(Config::from_yaml("train: {after: few.safetensors}").map(drop));
    assert!(
        text.contains("train.after") && text.contains("align"),
        "{text}"
    );

    let custom = "landmarks: {scheme: custom, custom: {points: 3, normalise: [0, 1]}}";
    let mut detector = detector();
    detector.landmarks = Config::from_yaml(custom).unwrap().landmarks;
    let model = RetinaFace::new(&detector, &device).unwrap();
    let plain = Predictor::new(model, &detector, &device).unwrap();
    let model = Aligner::new(&five(""), &device).unwrap();
    let text = refused(plain.with_aligner(model, &five(""), &device));
    assert!(text.contains("anatomy"), "{text}");
}

#[test]
fn the_default_frame_is_that_of_drawn_faces_too() {
    let folder = tempdir();
    let framing = Framing::of(&dense("").settings()).unwrap();
    for sample in drawn_faces(folder.path(), 8, 96, [40.0, 64.0]) {
        let points = &sample.faces[0].landmarks;
        let own = framing.around(points, &Scheme::wflw98()).unwrap();
        let five = Landmarks::all(Scheme::wflw98().five_of_labelled(points).unwrap());
        let found = framing.around(&five, &Scheme::five()).unwrap();
        let off = [0, 1].map(|i| (own.centre[i] - found.centre[i]) / own.side);
        let factor = found.side / own.side;
        assert!(off[0].hypot(off[1]) < 0.15, "{off:?}");
        assert!((0.8..1.25).contains(&factor), "{factor}");
        assert!((own.angle - found.angle).abs() < 1e-3);
    }
}

/// The error of `predictor` on photos whose faces a detector would have found, in the mean.
fn nme(predictor: &Predictor, samples: &[Sample]) -> f64 {
    let of_photo = |sample: &Sample| {
        let photo = image::open(&sample.path).unwrap().into_rgb8();
        let label = &sample.faces[0];
        let crop = predictor.first_crop(&label.landmarks, &Scheme::wflw98());
        let found = predictor.align_in(&photo, crop.unwrap().unwrap()).unwrap();
        let normaliser = alignment::normaliser(label, Scheme::wflw98().normalise()).unwrap();
        alignment::nme(label, &found.unwrap(), normaliser).unwrap()
    };
    samples.iter().map(of_photo).sum::<f64>() / samples.len() as f64
}

/// Learn one batch of `samples` by heart.
fn learn(config: &Config, samples: &[Sample], steps: usize) -> (Aligner, Batch) {
    let device = Device::flex().autodiff();
    device.seed(1);
    let set = Dataset::from_samples(in_scheme(samples.to_vec(), config), config);
    let set = Arc::new(set.for_training(config).unwrap());
    let model = Aligner::new(config, &device).unwrap();
    let model = model.fitted_to(&set, config).unwrap();
    let batch = Loader::epoch(&set, config, 0, 0).next().unwrap().unwrap();
    assert!(set.left_out().is_empty(), "{}", set.left_out());
    let mut trainer = Trainer::new(config, set, model, &device).unwrap();
    let batches = std::iter::repeat_with(|| Ok(batch.clone())).take(steps);
    trainer.train_on(batches, |_, _| Ok(())).unwrap();
    (trainer.averaged_model(), batch)
}

#[test]
fn one_batch_is_learned_by_heart_through_both_stages() {
    let folder = tempdir();
    let samples = drawn_faces(folder.path(), 4, 96, [40.0, 64.0]);
    let yaml = format!(
        "{PLAIN}\
         optimizer: {{learning_rate: 0.004, ema_decay: 0.95, weight_decay: 0}}\n\
         schedule: {{warmup_steps: 20}}\n"
    );
    let few = five(&format!(
        "{yaml}train: {{samples_per_epoch: 4, batch_size: 4, epochs: 200}}"
    ));
    let (model, _) = learn(&few, &samples, 200);
    let file = folder.path().join("few.safetensors");
    weights::save(&model, &few, &file).unwrap();
    let all = dense(&format!(
        "{yaml}train: {{samples_per_epoch: 4, batch_size: 4, epochs: 300, after: {}}}",
        file.display()
    ));
    let (model, batch) = learn(&all, &samples, 300);
    // Its crops are not those around the true points.
    let mut apart = all.clone();
    apart.train.after = None;
    let set = Dataset::from_samples(samples.clone(), &apart);
    let set = Arc::new(set.for_training(&apart).unwrap());
    let right = Loader::epoch(&set, &apart, 0, 0).next().unwrap().unwrap();
    assert_ne!(batch.faces, right.faces);
    let predictor = model.predictor(&all, &Device::flex()).unwrap();
    assert_eq!(predictor.align_options().count(), 2);
    let error = nme(&predictor, &samples);
    assert!(error < 0.03, "{error}");
}

#[test]
fn crops_after_a_stage_do_not_depend_on_the_workers_and_lost_faces_are_counted() {
    let folder = tempdir();
    let samples = drawn_faces(folder.path(), 6, 96, [40.0, 64.0]);
    let batches = |file: &Path, workers: usize| {
        let config = dense(&format!(
            "data: {{workers: {workers}}}\n\
             train: {{samples_per_epoch: 6, batch_size: 2, after: {}}}",
            file.display()
        ));
        let set = Dataset::from_samples(samples.clone(), &config);
        let set = Arc::new(set.for_training(&config).unwrap());
        let all: Vec<Batch> = Loader::epoch(&set, &config, 1, 0)
            .map(Result::unwrap)
            .collect();
        (all, set.left_out().to_string())
    };
    let few = untrained(folder.path(), "few.safetensors", &five(""));
    let (one, report) = batches(&few, 1);
    assert!(!report.contains("lost"), "{report}");
    assert_eq!(one, batches(&few, 3).0);

    // An aligner that sees every face far to the right of its crop.
    let (mut networks, far) = (Networks::load(&few).unwrap(), folder.path().join("far"));
    let bias = networks.aligners[0].0.get_mut("points.bias").unwrap();
    let moved = bias.values.iter().enumerate();
    let moved = moved.map(|(i, v)| if i % 2 == 0 { v + 40.0 } else { *v });
    bias.values = moved.collect::<Vec<f32>>().into();
    weights::save_networks(&networks, Precision::F32, &far).unwrap();
    let (drawn, report) = batches(&far, 2);
    assert!(report.contains("6 of 6 looks lost the face"), "{report}");
    let config = dense("train: {samples_per_epoch: 6, batch_size: 2}");
    let set = Dataset::from_samples(samples.clone(), &config);
    let set = Arc::new(set.for_training(&config).unwrap());
    let plain: Vec<Batch> = Loader::epoch(&set, &config, 1, 0)
        .map(Result::unwrap)
        .collect();
    assert_eq!(drawn, plain);
}

fn retinamark(folder: &Path, args: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(folder)
        .args(args.split_whitespace())
        .output()
        .unwrap();
    let text = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned());
    (output.status.success(), text.concat())
}

#[track_caller]
fn succeeds(folder: &Path, args: &str) -> String {
    let (fine, text) = retinamark(folder, args);
    assert!(fine, "{args}: {text}");
    text
}

#[test]
fn the_program_trains_packs_evaluates_and_exports_a_cascade() {
    let folder = tempdir();
    let folder = folder.path();
    let [first, ..] = three(folder);
    succeeds(folder, "synth --out faces --photos 6 --size 96");
    let lists = "data:\n  train: [{kind: wflw, list: faces/train.txt, images: faces/images}]\n  \
                 validation: [{kind: wflw, list: faces/val.txt, images: faces/images}]\n";
    let run = |name: &str, config: Config, after: &str| {
        let mut config = config;
        config.data = Config::from_yaml(lists).unwrap().data;
        let config = Config {
            snapshot: retinamark::config::SnapshotConfig {
                photos: 0,
                ..config.snapshot
            },
            train: retinamark::config::TrainConfig {
                out: name.into(),
                epochs: 1,
                samples_per_epoch: 4,
                batch_size: 2,
                after: (!after.is_empty()).then(|| after.into()),
                ..config.train
            },
            ..config
        };
        let file = format!("{name}.yaml");
        std::fs::write(folder.join(&file), config.to_yaml().unwrap()).unwrap();
        succeeds(folder, &format!("train --config {file}"))
    };
    // Lists of 98 points train one of five, and measure it.
    let text = run("one", five(""), "");
    assert!(text.contains("validation"), "{text}");
    let list = "-d wflw:faces/val.txt:faces/images --boxes truth --out figures";
    let table = succeeds(folder, &format!("evaluate -w one/best.safetensors {list}"));
    assert!(table.contains("1.000"), "{table}");
    run("two", dense(""), "one/best.safetensors");

    let first = first.display();
    let stages = "--aligner one/best.safetensors --aligner two/best.safetensors";
    succeeds(
        folder,
        &format!("pack -w {first} {stages} --out cascade.safetensors"),
    );
    let (fine, text) = retinamark(
        folder,
        &format!("pack -w {first} --aligner two/best.safetensors --out x"),
    );
    assert!(!fine && text.contains("best.safetensors"), "{text}");
    let info = succeeds(folder, "info --weights cascade.safetensors");
    assert!(
        info.contains("2 aligners") && info.contains("stage 2 of 2: 98 landmarks"),
        "{info}"
    );
    // What a run has measured is the whole cascade, and so is what its folder gives.
    let table = succeeds(folder, "evaluate --models two --out models");
    assert!(
        table.contains("1 models") || table.contains("two"),
        "{table}"
    );
    let report = std::fs::read_to_string(folder.join("models/two/report.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&report).unwrap();
    succeeds(
        folder,
        &format!("evaluate -w one/best.safetensors --aligner two/best.safetensors {list}"),
    );
    let report = std::fs::read_to_string(folder.join("figures/report.json")).unwrap();
    let named: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(whole["alignment"], named["alignment"]);
    assert_eq!(named["passes"], 2);

    succeeds(
        folder,
        "export --weights cascade.safetensors --what aligner --stage 2 --out all.onnx",
    );
    succeeds(
        folder,
        "export --weights cascade.safetensors --what aligner --out few.onnx",
    );
    let (fine, text) = retinamark(
        folder,
        "export --weights cascade.safetensors --what aligner --stage 3 --out none.onnx",
    );
    assert!(!fine && text.contains("--stage 3"), "{text}");
    let packed = succeeds(
        folder,
        "pack -w cascade.safetensors --int8 --calibrate wflw:faces/val.txt:faces/images \
         --max-loss 1 --half --out int8.safetensors",
    );
    assert_eq!(packed.matches("aligner:").count(), 2, "{packed}");
    succeeds(
        folder,
        "detect faces/images --recursive --weights int8.safetensors --size 96 --score 0 \
         --max-faces 2 --save jsonl --out found",
    );
    let lines = std::fs::read_to_string(folder.join("found/detections.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let faces = line["faces"].as_array().unwrap();
    assert!(!faces.is_empty());
}

#[test]
fn the_shipped_file_keeps_its_tensors_and_their_names() {
    let folder = tempdir();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("weights/retinamark-mobilenet0.25-wflw98.safetensors");
    let again = folder.path().join("again.safetensors");
    let networks = Networks::load(&shipped).unwrap();
    weights::save_networks(&networks, Precision::F32, &again).unwrap();
    let [before, after] =
        [&shipped, &again].map(|path| File::parse(&std::fs::read(path).unwrap()).unwrap());
    let beside = |name: &&String| name.starts_with("aligner.");
    assert!(before.tensors.keys().filter(beside).count() > 50);
    assert!(before.tensors == after.tensors);
    assert_eq!(networks.header.beside.len(), 1);
    assert_eq!(Networks::load(&again).unwrap().header.format_version, 2);
}
