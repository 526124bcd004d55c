//! Batches: the same whatever the number of workers; what happens when a photo breaks.

use std::process::Command;
use std::sync::Arc;

use retinamark::config::{Config, OnError, SourceConfig, SourceKind};
use retinamark::data::{Batch, Dataset, Loader, Reason};

use super::{Folder, wflw_line};

/// Seven photos with a face each, and a configuration that makes small batches of them.
fn small() -> (Folder, SourceConfig, Config) {
    let names: Vec<String> = (0..7).map(|i| format!("{i}.png")).collect();
    let folder = Folder::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let line = |n: &String| wflw_line([30.0, 20.0, 80.0, 85.0], n);
    let text: String = names.iter().map(line).collect();
    let source = folder.source(SourceKind::Wflw, &text);
    let mut config = Config {
        seed: 11,
        ..Config::default()
    };
    config.train.batch_size = 3;
    config.train.crop = 64;
    (folder, source, config)
}

fn batches(set: &Arc<Dataset>, config: &Config, epoch: usize, first: usize) -> Vec<Batch> {
    Loader::epoch(set, config, epoch, first)
        .map(|batch| batch.unwrap())
        .collect()
}

#[test]
fn batches_do_not_depend_on_the_number_of_workers() {
    let (_folder, source, mut config) = small();
    let set = Arc::new(Dataset::load(&[source], &config).unwrap());
    config.data.workers = 1;
    let one = batches(&set, &config, 2, 0);
    config.data.workers = 3;
    config.data.prefetch = 1;
    assert!(one == batches(&set, &config, 2, 0));
    assert!(one[1..] == batches(&set, &config, 2, 1)[..], "resumed");
    assert!(one != batches(&set, &config, 3, 0), "another epoch");
    config.seed = 12;
    assert!(one != batches(&set, &config, 2, 0), "another seed");

    assert_eq!(
        one.iter().map(|b| b.names.len()).collect::<Vec<_>>(),
        [3, 3, 1]
    );
    let mut names: Vec<_> = one.iter().flat_map(|b| b.names.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 7, "every photo once");
    for batch in &one {
        assert_eq!(batch.images.len(), batch.names.len() * 3 * 64 * 64);
        assert!(batch.images.iter().all(|v| v.is_finite()));
        assert_eq!(batch.faces.len(), batch.targets.len());
    }
    assert!(
        one.iter()
            .flat_map(|b| &b.targets)
            .any(|t| !t.positives.is_empty())
    );
}

#[test]
fn a_loader_ends_when_it_is_dropped_and_tells_how_long_it_was() {
    let (_folder, source, config) = small();
    let set = Arc::new(Dataset::load(&[source], &config).unwrap());
    let mut loader = Loader::epoch(&set, &config, 0, 0);
    assert_eq!(loader.len(), 3);
    loader.next().unwrap().unwrap();
    drop(loader);
    assert_eq!(Arc::strong_count(&set), 1, "no worker holds the data set");
    assert!(Loader::epoch(&set, &config, 0, 3).next().is_none());
}

#[test]
fn a_photo_that_breaks_is_an_error_or_left_out() {
    let (folder, source, mut config) = small();
    let load =
        |config: &Config| Arc::new(Dataset::load(std::slice::from_ref(&source), config).unwrap());
    // The header is fine, the rest is gone.
    let path = folder.path("3.png");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let set = load(&config);
    let errors: Vec<_> = Loader::epoch(&set, &config, 0, 0)
        .filter_map(Result::err)
        .collect();
    assert_eq!(errors.len(), 1, "only the batch with the broken photo");
    let error = format!("{:#}", errors[0]);
    assert!(
        error.contains("Wflw.txt:4") && error.contains("3.png"),
        "{error}"
    );

    config.data.on_error = OnError::Skip;
    let set = load(&config);
    let all = batches(&set, &config, 0, 0);
    assert_eq!(all.iter().map(|b| b.names.len()).sum::<usize>(), 7);
    assert!(all.iter().flat_map(|b| &b.names).all(|n| &**n != "3.png"));
    batches(&set, &config, 1, 0);
    assert_eq!(set.left_out().count(Reason::BrokenPhoto), 1, "counted once");
}

#[test]
fn check_data_counts_and_draws() {
    let (folder, _, _) = small();
    std::fs::create_dir(folder.path("held_out")).unwrap();
    let grey = image::RgbImage::from_pixel(50, 40, image::Rgb([90; 3]));
    grey.save(folder.path("held_out/v.png")).unwrap();
    folder.write(
        "val.txt",
        &wflw_line([5.0, 5.0, 30.0, 35.0], "held_out/v.png"),
    );
    let check = |sets: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retinamark"));
        command.current_dir(folder.dir.path());
        command.args(["check-data", "--photos", "2", "--anchors", "--decode"]);
        command.args(["--set", "train.crop=64"]);
        command.args(sets.iter().flat_map(|s| ["--set", *s]));
        let out = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.success(), text(&out.stdout), text(&out.stderr))
    };
    let train = "data.train=[{kind: wflw, list: Wflw.txt}]";
    let (ok, text, errors) = check(&[train, "data.validation=[{kind: wflw, list: val.txt}]"]);
    assert!(ok, "{text}{errors}");
    for words in [
        "photos 7",
        "faces 7: with points 7",
        "share no photo",
        "broken photos: 0",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    let drawn = std::fs::read_dir(folder.path("performance_check/data")).unwrap();
    assert_eq!(drawn.count(), 4, "two photos, before and after");

    let (ok, _, errors) = check(&[train, "data.validation=[{kind: wflw, list: Wflw.txt}]"]);
    assert!(!ok && errors.contains("share 7 of 7"), "{errors}");
}
