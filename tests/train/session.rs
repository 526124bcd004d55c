//! What a run calls its best and its final weights, by numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use retinamark::config::Config;
use retinamark::model::{Network, RetinaFace, weights};
use retinamark::train::checkpoint::Best;
use safetensors::SafeTensors;

use super::run::{run, stderr, toy_config, trainer, write_config};
use crate::support::tempdir;

fn tensors(path: &Path) -> BTreeMap<String, Vec<f32>> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| {
        let chunks = data.chunks_exact(4);
        chunks
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    };
    let all = file.iter();
    all.map(|(name, view)| (name.to_owned(), numbers(view.data())))
        .collect()
}

/// Train in a folder of its own; gives that of the weights.
fn train(folder: &Path, change: impl Fn(&mut Config)) -> std::path::PathBuf {
    let mut config = toy_config(folder);
    change(&mut config);
    let output = run(&write_config(&config, folder), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    config.train.out
}

#[test]
fn final_weights_are_blended_by_their_shares() {
    let (plain, blended) = (tempdir(), tempdir());
    let device = Device::flex();
    let other = plain.path().join("other.safetensors");
    let config = toy_config(plain.path());
    device.seed(99);
    let model = RetinaFace::new(&config, &device).unwrap();
    weights::save(&model, &config, &other).unwrap();
    let own = train(plain.path(), |config| config.train.epochs = 1);
    let mixed = train(blended.path(), |config| {
        config.train.epochs = 1;
        config.train.blend_weights = Some(other.clone());
        config.train.blend_share = 0.25;
    });
    let (own, other) = (tensors(&own.join("final.safetensors")), tensors(&other));
    let mixed = tensors(&mixed.join("final.safetensors"));
    assert!(own.keys().eq(mixed.keys()) && own.keys().eq(other.keys()));
    let mut apart = 0.0f32;
    for (name, mixed) in &mixed {
        for ((mixed, own), other) in mixed.iter().zip(&own[name]).zip(&other[name]) {
            let expected = 0.75 * own + 0.25 * other;
            assert!(
                (mixed - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
                "{name}"
            );
            apart = apart.max((own - other).abs());
        }
    }
    assert!(apart > 0.1, "the two are the same, which shows nothing");
}

#[test]
fn the_best_checkpoint_is_the_first_of_the_lowest_error() {
    let folder = tempdir();
    let mut trainer = trainer(&toy_config(folder.path()));
    let offers = [
        (0.5, true),
        (0.3, true),
        (0.4, false),
        (0.3, false),
        (0.2, true),
        (0.9, false),
    ];
    let unmeasured = Best {
        badness: f64::NAN,
        epoch: 0,
    };
    assert!(!trainer.offer_best(unmeasured));
    for (epoch, (badness, is_best)) in (1..).zip(offers) {
        assert_eq!(
            trainer.offer_best(Best { badness, epoch }),
            is_best,
            "epoch {epoch}"
        );
    }
    assert_eq!(
        trainer.best(),
        Some(Best {
            badness: 0.2,
            epoch: 5
        })
    );
    // It is still the best one after the run was stopped and went on.
    assert_eq!(trainer.checkpoint().state.best, trainer.best());
}

#[test]
fn the_weights_called_best_are_those_of_the_best_epoch() {
    let folder = tempdir();
    let out = train(folder.path(), |config| {
        config.optimizer.learning_rate = 0.02
    });
    let table = fs::read_to_string(out.join("validation.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    let error = rows[0]
        .iter()
        .position(|name| *name == "nme_joint")
        .unwrap();
    let number = |row: &[&str], at: usize| row[at].parse::<f64>().unwrap();
    let mut best = &rows[1];
    for row in &rows[1..] {
        if number(row, error) < number(best, error) {
            best = row;
        }
    }
    let networks = weights::Networks::load(&out.join("best.safetensors")).unwrap();
    assert_eq!(networks.header.notes["step"], best[0], "{table}");
}
