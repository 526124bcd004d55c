//! How a run came about, as it tells itself.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::run::{run, stderr, toy_config, write_config};
use crate::support::tempdir;

fn starts(out: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap()
}

#[test]
fn every_start_of_a_run_is_told() {
    let folder = tempdir();
    let mut config = toy_config(folder.path());
    config.train.epochs = 1;
    let path = write_config(&config, folder.path());
    let out = folder.path().join("out");
    assert!(run(&path, &[]).status.success());
    let first = starts(&out);
    assert_eq!(first.len(), 1);
    let start = &first[0];
    assert_eq!(
        (&start["seed"], &start["resumed_at_step"]),
        (&7.into(), &Value::Null)
    );
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["command"][1], "train");
    assert!(start["host"]["threads"].as_u64() > Some(0) && start["host"]["device"].is_string());
    for (part, photos) in [("training", 8), ("validation", 2)] {
        let source = &start[part][0];
        assert_eq!(start[part].as_array().unwrap().len(), 1);
        for count in ["photos", "faces", "labelled_faces"] {
            assert_eq!(source[count], photos, "{part} {count}");
        }
        assert_eq!(source["lists"][0]["sha256"].as_str().unwrap().len(), 64);
    }

    // It goes on with other faces: one is not labelled any more.
    let list = folder.path().join("train.txt");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(
        &list,
        text.lines()
            .skip(1)
            .map(|l| format!("{l}\n"))
            .collect::<String>(),
    )
    .unwrap();
    let output = run(&path, &["--resume", "--set", "train.epochs=2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let both = starts(&out);
    assert_eq!((both.len(), &both[0]), (2, start));
    assert_eq!(
        (
            &both[1]["resumed_at_step"],
            &both[1]["training"][0]["photos"]
        ),
        (&2.into(), &7.into())
    );
    let hash = |entry: &Value| entry["training"][0]["lists"][0]["sha256"].clone();
    assert_ne!(hash(&both[1]), hash(start));
    assert_eq!(both[1]["validation"], start["validation"]);

    fs::write(out.join("run.json"), "{").unwrap();
    let output = run(&path, &["--resume", "--set", "train.epochs=3"]);
    assert!(!output.status.success() && stderr(&output).contains("run.json"));
}
