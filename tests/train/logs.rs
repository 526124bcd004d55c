//! CSV tables and TensorBoard files.

use std::fs;
use std::path::Path;

use retinamark::train::log::{RunLog, Stand};
use retinamark::train::tensorboard::{EventWriter, read_events};

fn row(loss: f64) -> Vec<(String, f64)> {
    vec![("loss".into(), loss), ("extra".into(), f64::NAN)]
}

fn event_files(out: &Path) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(out.join("tensorboard")).unwrap();
    let mut files: Vec<_> = folder.map(|item| item.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn event_files_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RunLog::open(folder.path(), None).unwrap();
    log.step(3, &row(1.5)).unwrap();
    log.validation(4, &row(0.25)).unwrap();
    let files = event_files(folder.path());
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("events.out.tfevents."), "{name}");
    let events = read_events(&files[0]).unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
    let values = &events[1].summary.as_ref().unwrap().value;
    assert_eq!(events[1].step, 3);
    assert_eq!(values.len(), 1); // what is not a number is left out
    assert_eq!(values[0].tag, "train/loss");
    assert_eq!(values[0].simple_value, Some(1.5));
    let tag = &events[2].summary.as_ref().unwrap().value[0].tag;
    assert_eq!(tag, "validation/loss");

    let mut bytes = fs::read(&files[0]).unwrap();
    let last = bytes.len() - 6;
    bytes[last] ^= 1;
    fs::write(&files[0], &bytes).unwrap();
    let error = format!("{:#}", read_events(&files[0]).unwrap_err());
    assert!(error.contains("checksum"), "{error}");
}

/// The first record of every TensorFlow event file of version 2, byte for byte but for the time:
/// 24 bytes of payload, whose length has the masked CRC-32C below (from TensorFlow's own files).
#[test]
fn the_framing_is_tensorflows() {
    let folder = tempfile::tempdir().unwrap();
    EventWriter::create(folder.path(), None).unwrap();
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap();
    let bytes = fs::read(file.unwrap().path()).unwrap();
    assert_eq!(
        bytes[..12],
        [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]
    );
    assert_eq!(bytes[12], 0x09); // field 1, a double
    assert_eq!(bytes[21..23], [0x1a, 13]); // field 3, a string
    assert_eq!(&bytes[23..36], b"brain.Event:2");
    assert_eq!(bytes.len(), 40);
}

#[test]
fn a_resumed_log_drops_what_the_checkpoint_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = RunLog::open(folder.path(), None).unwrap();
    for step in 1..=5 {
        log.step(step, &row(step as f64)).unwrap();
    }
    drop(log);
    let path = folder.path().join("steps.csv");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("6,0."); // torn by a power cut
    fs::write(&path, text).unwrap();

    let stand = Stand { step: 3, epochs: 0 };
    let mut log = RunLog::open(folder.path(), Some(stand)).unwrap();
    log.step(4, &row(40.0)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "step,loss,extra\n1,1,\n2,2,\n3,3,\n4,40,\n");
    let events = read_events(event_files(folder.path()).last().unwrap()).unwrap();
    assert_eq!(events[1].step, 4);
    assert_eq!(events[1].session_log.as_ref().unwrap().status, 1);

    drop(log);
    RunLog::open(folder.path(), None).unwrap();
    assert!(!path.exists(), "a fresh run starts with empty logs");
}
