//! What a task is: told apart in two places, and taken from there by all else.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use retinamark::config::{Config, Task};
use retinamark::data::{Dataset, FaceLabel, Loader, Sample};
use retinamark::geometry::Landmarks;
use retinamark::task::{self, TaskTargets, View};

#[test]
fn tasks_are_told_apart_in_two_places() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = Vec::new();
    for source in ["src", "crates/core/src"] {
        for entry in walkdir::WalkDir::new(home.join(source)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let arms = ["Task::Detect =>", "Task::Align =>"];
            let code = text.split("#[cfg(test)]").next().unwrap();
            if arms.iter().any(|arm| code.contains(arm)) {
                let place = path.strip_prefix(home).unwrap();
                places.push(place.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    places.sort();
    assert_eq!(places, ["src/model/task.rs", "src/task/mod.rs"]);
}

/// A photo of two drawn faces, the second one without points.
fn photo(folder: &Path) -> Sample {
    let options = retinamark::synth::Options {
        faces_per_photo: 1,
        size: 128,
        face: [60.0, 90.0],
        ..Default::default()
    };
    let drawn = retinamark::synth::photo(&options, 0).unwrap();
    let path = folder.join("photo.png");
    drawn.image.save(&path).unwrap();
    let labelled = drawn.faces.iter().map(|face| FaceLabel {
        landmarks: Landmarks::all(face.landmarks()),
        ..FaceLabel::boxed(face.box_xyxy())
    });
    let mut faces: Vec<FaceLabel> = labelled.collect();
    faces.push(FaceLabel::boxed([0.0, 0.0, 9.0, 9.0].into()));
    Sample {
        path,
        name: "photo".into(),
        faces,
        complete: true,
        source: 0,
    }
}

#[test]
fn every_task_teaches_its_own_crops() {
    let folder = tempfile::tempdir().unwrap();
    for name in [Task::Detect, Task::Align] {
        let mut config = Config {
            task: name,
            ..Config::default()
        };
        config.train.crop = 96;
        config.train.batch_size = 2;
        config.train.samples_per_epoch = 2;
        let task = task::of(name);
        let side = task.crop_side(&config);
        let photos = Dataset::from_samples(vec![photo(folder.path())], &config);
        let photos = photos.for_training(&config).unwrap();
        let faces = photos.samples[0].faces.len();
        match task.view(&config) {
            View::Photos => assert_eq!((faces, side), (2, 96)),
            View::Faces { context, .. } => {
                assert_eq!((faces, side, context), (1, 128, 1.25));
            }
        }
        let targets = TaskTargets::new(&config, side).unwrap();
        let batch = Loader::epoch(&Arc::new(photos), &config, 0, 0).next();
        let batch = batch.unwrap().unwrap();
        assert_eq!(batch.side, side as usize);
        for target in &batch.targets {
            assert_eq!(target.labels.len(), targets.anchors().len());
            let points = 2 * 98 * target.with_landmarks.len();
            assert_eq!(target.landmark_deltas.len(), points);
        }
        assert!(batch.targets.iter().any(|t| !t.with_landmarks.is_empty()));
        assert!(task.errors().contains(&"nme_joint"));
    }
}

fn bench(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let small = "backbone: mobilenet_v1, width_multiplier: 0.125";
    let config = format!("task: align\naligner: {{side: 64}}\nmodel: {{{small}}}");
    std::fs::write(folder.path().join("align.yaml"), config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .current_dir(folder.path())
        .args(["bench", "--config", "align.yaml", "--threads", "1"])
        .args(["--iterations", "1", "--batch", "2", "--json"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn bench_takes_the_size_of_crops_from_the_task() {
    for what in ["train", "forward"] {
        let output = bench(&["--what", what]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["size"], 64, "{what}");
    }
    let other = bench(&["--what", "train", "--size", "96"]);
    let message = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(
        !other.status.success() && message.contains("crops of 64 pixels only"),
        "{message}"
    );
}
