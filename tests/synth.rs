//! `retinamark synth`: what it writes can be read.

use std::process::Command;

use crate::support::tempdir;

#[test]
fn lists_pictures_and_configuration_fit_together() {
    let folder = tempdir();
    let out = folder.path().join("faces");
    let run = |photos: &str| {
        Command::new(env!("CARGO_BIN_EXE_retinamark"))
            .args(["synth", "--photos", photos, "--size", "96", "--out"])
            .arg(&out)
            .output()
            .expect("the program starts")
    };
    assert!(!run("1").status.success(), "one photo cannot be split");
    assert!(run("5").status.success());
    let config = retinamark::config::Config::load(Some(&out.join("config.yaml")), &[]).unwrap();
    let mut photos = std::collections::BTreeSet::new();
    for source in config.data.train.iter().chain(&config.data.validation) {
        let text = std::fs::read_to_string(&source.list).unwrap();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words.len(), 196 + 4 + 6 + 1);
            assert!(words[..206].iter().all(|w| w.parse::<f32>().is_ok()));
            let photo = image::open(source.images.join(words[206])).unwrap();
            assert_eq!((photo.width(), photo.height()), (96, 96));
            photos.insert(words[206].to_owned());
        }
    }
    assert_eq!(photos.len(), 5);
    // A second call does not touch what is there.
    assert!(!run("5").status.success());
}
