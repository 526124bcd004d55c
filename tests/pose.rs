//! The turn of the head: learned, seen in photos, measured and written.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use image::RgbImage;
use retinamark::config::{Config, Task};
use retinamark::data::{Dataset, FaceLabel, Loader, Sample};
use retinamark::evaluation;
use retinamark::geometry::{Affine, BoxXyxy, Face, FaceModel, HeadPose, Scheme};
use retinamark::infer::Predictor;
use retinamark::model::weights::{self, Networks};
use retinamark::model::{Aligner, Network, RetinaFace};
use retinamark::train::{Trainable, Trainer};
use retinamark_core::infer::{self as core, RawLandmarks, SecondLook};
use retinamark_core::settings::Settings;

use crate::aligner::{fails, succeeds};
use crate::support::{drawn_faces, tempdir};

fn config(yaml: &str) -> Config {
    let text = format!(
        "task: align\n\
         model: {{width_multiplier: 0.125}}\n\
         aligner: {{side: 64, channels: [8, 8, 16], pose: true}}\n{yaml}"
    );
    Config::from_yaml(&text).unwrap()
}

/// Photos of one drawn face each, saved in `folder`, with the poses that their points tell.
fn samples(folder: &Path, count: usize) -> Vec<Sample> {
    let model = FaceModel::of(&Scheme::wflw98()).unwrap();
    let mut samples = drawn_faces(folder, count, 96, [40.0, 64.0]);
    for face in samples.iter_mut().flat_map(|sample| &mut sample.faces) {
        face.pose = model.pose(&face.landmarks);
        assert!(face.pose.is_some());
    }
    samples
}

#[track_caller]
fn assert_near(found: HeadPose, truth: HeadPose, degrees: f32) {
    let error = found.error_degrees(truth);
    assert!(
        error.iter().all(|e| *e < degrees),
        "{found:?} is not {truth:?}"
    );
}

#[test]
fn one_batch_of_poses_is_learned_by_heart() {
    const STEPS: usize = 300;
    let folder = tempdir();
    // Without norms, whose statistics of four crops are not those of the batch that is learned.
    let mut config = config(
        "augment: {color: {probability: 0}, grey: {probability: 0}, blur: {probability: 0}, \
                   jpeg: {probability: 0}, erase: {probability: 0}, flip: {probability: 0}, \
                   rotation: {probability: 0}, face: {shift: 0, scale: 0, turn: 0}}\n\
         optimizer: {learning_rate: 0.004, ema_decay: 0.95, weight_decay: 0}\n\
         schedule: {warmup_steps: 20}\n\
         train: {samples_per_epoch: 4, batch_size: 4, epochs: 300}",
    );
    config.model.batch_norm = false;
    config.input.std = vec![64.0; 3];
    let photos = Arc::new(Dataset::from_samples(samples(folder.path(), 4), &config));
    let train = Dataset::from_samples(photos.samples.clone(), &config);
    let train = Arc::new(train.for_training(&config).unwrap());
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = Aligner::new(&config, &device).unwrap();
    let model = model.fitted_to(&train, &config).unwrap();
    let batch = Loader::epoch(&train, &config, 0, 0);
    let batch = batch.into_iter().next().unwrap().unwrap();
    let mut trainer = Trainer::new(&config, train, model, &device).unwrap();
    let mut losses = Vec::new();
    let batches = std::iter::repeat_with(|| Ok(batch.clone())).take(STEPS);
    trainer
        .train_on(batches, |_, figures| {
            losses.push(figures.loss("pose").unwrap());
            Ok(())
        })
        .unwrap();
    let last = losses[STEPS - 10..].iter().sum::<f64>() / 10.0;
    assert!(
        last < 0.02 * losses[0] && last < 1e-3,
        "from {} to {last}",
        losses[0]
    );

    // The photos show the heads as they lean; the crops do not.
    let mut predictor =
        Predictor::of_aligner(trainer.averaged_model(), &config, &Device::flex()).unwrap();
    predictor.align_options_mut().next().unwrap().passes = 1;
    for sample in &photos.samples {
        let photo = image::open(&sample.path).unwrap().into_rgb8();
        let label = &sample.faces[0];
        let seen = predictor.look_again(&photo, vec![face(label)]).unwrap();
        assert_near(seen[0].pose.unwrap(), label.pose.unwrap(), 4.0);
    }
    let report = evaluation::run(&predictor, &photos, &config.detect).unwrap();
    let pose = report.report.pose.expect("both sides tell poses");
    // Its first crops are upright, which those that were learned are not.
    assert!(pose.faces == 4 && pose.mean() < 10.0, "{pose}");
}

/// A detection that lies where the label says.
fn face(label: &FaceLabel) -> Face {
    Face {
        box_xyxy: label.box_xyxy,
        score: 1.0,
        landmarks: label.landmarks.points().collect(),
        landmark_scores: None,
        pose: None,
    }
}

/// Sees all points in the middle of every crop, and the heads turned as `poses` say, call by call.
#[derive(Debug)]
struct Fixed {
    poses: Vec<[f32; 3]>,
    calls: AtomicUsize,
}

impl SecondLook for Fixed {
    fn run(&self, crops: &[RgbImage]) -> retinamark_core::Result<Vec<RawLandmarks>> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let raw = RawLandmarks {
            deltas: vec![0.0; 10],
            log_scales: None,
            pose: Some(self.poses[call]),
        };
        Ok(vec![raw; crops.len()])
    }
}

#[test]
fn the_turn_of_the_crop_is_part_of_the_pose() {
    let config = Config::from_yaml(
        "task: align\nlandmarks: {scheme: five}\naligner: {pose: true, uncertainty: false}",
    );
    let settings: Settings = config.unwrap().settings();
    let [first, second] = [[0.1, 0.2, 0.3], [-0.2, 0.5, 0.1]];
    // An upright face, and the same in a photo that is turned.
    let upright = [
        [36.0, 40.0],
        [64.0, 40.0],
        [50.0, 55.0],
        [38.4, 72.2],
        [61.6, 72.2],
    ];
    let turn = Affine::rotation(0.7, 1.0, [50.0, 50.0]);
    let photo = RgbImage::new(100, 100);
    let pose = |poses: &[[f32; 3]], passes: usize, flip: bool, map: &Affine| {
        let network = Fixed {
            poses: poses.to_vec(),
            calls: AtomicUsize::new(0),
        };
        let mut looks = core::Predictor::of_aligner(Box::new(network), &settings).unwrap();
        assert!(looks.tells_pose());
        let options = looks.align_options_mut().next().unwrap();
        (options.passes, options.flip) = (passes, flip);
        let face = Face {
            box_xyxy: BoxXyxy::new(20.0, 20.0, 80.0, 80.0),
            score: 1.0,
            landmarks: upright.map(|p| map.apply(p)).to_vec(),
            landmark_scores: None,
            pose: None,
        };
        looks.look_again(&photo, vec![face]).unwrap()[0]
            .pose
            .unwrap()
    };
    let none = Affine::IDENTITY;
    assert_near(pose(&[first], 1, false, &none), first.into(), 0.01);
    let turned = HeadPose::from(first).through(&turn);
    assert_near(pose(&[first], 1, false, &turn), turned, 0.01);
    // The last pass counts.
    let last = HeadPose::from(second).through(&turn);
    assert_near(pose(&[first, second], 2, false, &turn), last, 0.01);
    // A mirrored crop is seen the other way round.
    let [pitch, yaw, roll] = second;
    let mean = HeadPose::from(first).mean([pitch, -yaw, -roll].into());
    assert_near(pose(&[first, second], 1, true, &none), mean, 0.01);
    assert_near(
        pose(&[first, second], 1, true, &turn),
        mean.through(&turn),
        0.01,
    );
}

#[test]
fn a_network_tells_the_pose_only_where_it_is_asked_for() {
    let device = Device::flex();
    let with = config("");
    let mut without = with.clone();
    without.aligner.pose = false;
    let [with, without] = [with, without].map(|c| Aligner::new(&c, &device).unwrap());
    let names = |model: &Aligner| -> Vec<String> {
        let specs = model.tensors();
        specs.into_iter().map(|spec| spec.name).collect()
    };
    let new: Vec<String> = names(&with)
        .into_iter()
        .filter(|n| !names(&without).contains(n))
        .collect();
    assert_eq!(new, ["pose.weight", "pose.bias"]);
    with.freeze_parts(&["pose"]).unwrap();
    assert!(without.freeze_parts(&["pose"]).is_err());
}

#[test]
fn a_run_needs_poses_to_learn_them() {
    let folder = tempdir();
    let config = config("");
    let mut samples = samples(folder.path(), 2);
    samples
        .iter_mut()
        .flat_map(|s| &mut s.faces)
        .for_each(|face| face.pose = None);
    let train = Dataset::from_samples(samples, &config)
        .for_training(&config)
        .unwrap();
    let model = Aligner::new(&config, &Device::flex()).unwrap();
    let error = model.fitted_to(&train, &config).unwrap_err().to_string();
    assert!(error.contains("data.pose"), "{error}");
}

#[test]
fn the_program_learns_measures_writes_and_exports_poses() {
    let folder = tempdir();
    let folder = folder.path();
    let device = Device::flex();
    let first = "model: {width_multiplier: 0.125, neck_channels: 8, se_reduction: 4}";
    let first = Config::from_yaml(first).unwrap();
    let detector = RetinaFace::new(&first, &device).unwrap();
    weights::save(&detector, &first, &folder.join("detector.safetensors")).unwrap();
    succeeds(
        folder,
        &["synth", "--out", "faces", "--photos", "6", "--size", "96"],
    );
    let run = "task: align\n\
               model: {width_multiplier: 0.125}\n\
               aligner: {side: 64, channels: [8, 8, 16], pose: true}\n\
               data:\n  pose: points\n  \
                 train: [{kind: wflw, list: faces/train.txt, images: faces/images}]\n  \
                 validation: [{kind: wflw, list: faces/val.txt, images: faces/images}]\n\
               loss: {pose: {kind: multiplied}}\n\
               train: {out: run, epochs: 1, batch_size: 2}\n\
               snapshot: {photos: 0}\n";
    std::fs::write(folder.join("run.yaml"), run).unwrap();
    let counted = succeeds(
        folder,
        &["check-data", "--config", "run.yaml", "--photos", "1"],
    );
    assert!(
        counted.contains("head poses of 0 faces from labels, of "),
        "{counted}"
    );
    let log = succeeds(folder, &["train", "--config", "run.yaml"]);
    assert!(log.contains("head pose off by"), "{log}");
    let measured = std::fs::read_to_string(folder.join("run/validation.csv")).unwrap();
    assert!(measured.contains("pose/yaw"), "{measured}");

    let trained = "run/final.safetensors";
    let list = "wflw:faces/val.txt:faces/images";
    let evaluate = [
        "evaluate", "-d", list, "-w", trained, "--boxes", "truth", "--out", "figures",
    ];
    let table = succeeds(folder, &evaluate);
    assert!(!table.contains("head pose off"), "{table}");
    let table = succeeds(
        folder,
        &[&evaluate[..], &["--set", "data.pose=points"]].concat(),
    );
    assert!(table.contains("head pose off"), "{table}");
    let report = std::fs::read_to_string(folder.join("figures/report.json")).unwrap();
    assert!(report.contains(r#""pitch""#), "{report}");

    let detect = [
        "detect",
        "faces/images",
        "-r",
        "--save",
        "jsonl,csv",
        "--size",
        "96",
    ];
    let detect = [
        &detect[..],
        &[
            "--max-faces",
            "2",
            "--score",
            "0",
            "--set",
            "aligner.min_score=0",
        ],
    ]
    .concat();
    let looks = [
        "--weights",
        "detector.safetensors",
        "--aligner",
        trained,
        "--out",
        "found",
    ];
    succeeds(folder, &[&detect[..], &looks].concat());
    let read = |name: &str| std::fs::read_to_string(folder.join("found").join(name)).unwrap();
    let lines = read("detections.jsonl");
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let angles = line["faces"][0]["pose"].as_array().expect("a pose");
    assert!(angles.len() == 3 && angles.iter().all(|a| a.as_f64().unwrap().abs() <= 180.0));
    assert!(
        read("detections.csv")
            .lines()
            .next()
            .unwrap()
            .ends_with(",pitch,yaw,roll")
    );

    let half = ["pack", "-w", trained, "--half", "--out", "half.safetensors"];
    succeeds(folder, &half);
    let own = Networks::load(&folder.join("half.safetensors")).unwrap();
    assert_eq!(own.header.config.task, Task::Align);
    succeeds(
        folder,
        &["export", "-w", "half.safetensors", "--out", "aligner.onnx"],
    );
    let onnx = std::fs::read(folder.join("aligner.onnx")).unwrap();
    let graph = retinamark_core::onnx::read(&onnx, None).unwrap().graph;
    let outputs: Vec<&str> = graph
        .outputs()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(outputs, ["deltas", "log_scales", "pose"]);

    let no_pose = [
        "train",
        "--config",
        "run.yaml",
        "--set",
        "data.pose=labels",
        "--set",
        "train.out=other",
    ];
    fails(folder, &no_pose, "aligner.pose");
}
