//! Weights in 8 bits: `pack --int8`, and what uses such a file.

use std::path::Path;
use std::process::{Command, Output};

use burn::tensor::Device;
use retinamark::geometry::Face;
use retinamark::imaging::{self, Limits};
use retinamark::infer::{Compute, DetectOptions, Predictor};
use retinamark::model::weights::{self, Networks};

use crate::support::tempdir;

fn at_home(path: &str) -> String {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    home.join(path).display().to_string()
}

fn run(args: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_retinamark"))
        .args(args)
        .output()
        .unwrap();
    let text = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned());
    (output, text.concat())
}

fn faces(file: &Path, photo: &str) -> Vec<Face> {
    let predictor = Predictor::load(file, &Device::flex()).unwrap();
    let photo = imaging::load_rgb(Path::new(photo), &Limits::default()).unwrap();
    let options = DetectOptions::from(&predictor.config().detect);
    predictor.detect(&photo, &options).unwrap()
}

#[test]
fn packed_in_8_bits_the_networks_find_the_same_faces() {
    let folder = tempdir();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let list = at("list.txt");
    std::fs::write(&list, "biden.jpg\n1\n10 10 50 50 0 0 0 0 0 0\nno.jpg\n0\n").unwrap();
    let whole = at_home("weights/retinamark-mobilenet0.25-wflw98.safetensors");
    let packed = at("int8.safetensors");
    let calibrate = format!("wider:{list}:{}", at_home("data/sample"));
    let pack = ["pack", "-w", &whole, "--out", &packed, "--int8"];
    let (refused, text) = run(&pack);
    assert!(
        !refused.status.success() && text.contains("--calibrate"),
        "{text}"
    );
    let with_list = [&pack[..], &["--calibrate", &calibrate]].concat();
    let (made, text) = run(&with_list);
    assert!(made.status.success(), "{text}");
    assert!(
        text.contains("stays in 32 bits") && text.contains("no.jpg"),
        "{text}"
    );
    let sizes = [&whole, &packed].map(|path| std::fs::metadata(path).unwrap().len());
    assert!(sizes[1] < sizes[0] * 85 / 100, "{sizes:?}");

    let photo = at_home("data/sample/obama.jpg");
    let [theirs, ours] = [&whole, &packed].map(|file| faces(Path::new(file), &photo));
    assert_eq!(ours.len(), theirs.len());
    for (face, whole) in ours.iter().zip(&theirs) {
        let most = 0.02 * whole.box_xyxy.width().max(whole.box_xyxy.height());
        for (a, b) in face.landmarks.iter().zip(&whole.landmarks) {
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < most, "{a:?} {b:?}");
        }
        assert!((face.score - whole.score).abs() < 0.05);
    }
    assert_ne!(ours, theirs);

    let (shown, text) = run(&["info", "--weights", &packed]);
    assert!(
        shown.status.success() && text.contains("format 3"),
        "{text}"
    );
    assert!(
        text.contains("inputs of list.txt") && text.contains("kept in 32 bits"),
        "{text}"
    );
    let again = [&with_list[..], &["--force"]].concat();
    let again: Vec<&str> = again
        .iter()
        .map(|&arg| if arg == whole { &packed } else { arg })
        .collect();
    let (refused, text) = run(&again);
    assert!(
        !refused.status.success() && text.contains("8 bits already"),
        "{text}"
    );
    let onnx = at("int8.onnx");
    let (exported, text) = run(&[
        "export",
        "--weights",
        &packed,
        "--size",
        "96",
        "--out",
        &onnx,
    ]);
    assert!(exported.status.success(), "{text}");
    let bytes = std::fs::read(&onnx).unwrap();
    let known = |name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
    assert!(known(b"QuantizeLinear") && known(b"DequantizeLinear"));
}

#[test]
fn burn_does_not_take_8_bits_for_numbers() {
    let file = at_home("weights/retinamark-mobilenet0.25-wflw98-int8.safetensors");
    let file = Path::new(&file);
    let networks = Networks::load(file).unwrap();
    assert!(networks.detector.as_ref().unwrap().has_bytes());
    let device = Device::flex();
    for error in [
        weights::load(file, &device).unwrap_err(),
        networks.aligners_on(&device).unwrap_err(),
        Predictor::load(file, Compute::from(&device).burn()).unwrap_err(),
    ] {
        let text = format!("{error:#}");
        assert!(text.contains("8 bits"), "{text}");
    }
}

#[test]
fn bytes_without_their_scales_do_not_load() {
    let folder = tempdir();
    let file = at_home("weights/retinamark-mobilenet0.25-wflw98-int8.safetensors");
    let bytes = std::fs::read(file).unwrap();
    // The first of them in the file's JSON, under another name of the same length.
    let name = b"input_scale";
    let at = bytes
        .windows(name.len())
        .position(|part| part == name)
        .unwrap();
    let mut damaged = bytes.clone();
    damaged[at] = b'o';
    let path = folder.path().join("damaged.safetensors");
    std::fs::write(&path, damaged).unwrap();
    let text = format!("{:#}", Networks::load(&path).unwrap_err());
    assert!(
        text.contains("onput_scale") && text.contains("input_scale"),
        "{text}"
    );
}
