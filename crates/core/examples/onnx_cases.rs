//! Writes ONNX files of small random networks into a folder, each with an input and the outputs
//! that the reference interpreter gives for it, for `scripts/check_onnx.py`:
//! `cargo run --release -p retinamark-core --features onnx,reference --example onnx_cases -- FOLDER`.
//! With more arguments, `FOLDER HEIGHT WIDTH FILE.onnx...`, the same for what these files are read
//! as.

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::{Path, PathBuf};

use common::{POINTS, aligner_graph, aligners, detector_graph, detectors};
use retinamark_core::anchors::Head;
use retinamark_core::graph::passes::{fold_norms, fuse};
use retinamark_core::graph::reference::{in_bytes, random_image, random_weights, run};
use retinamark_core::graph::{Graph, Op, Weights};
use retinamark_core::onnx::{Decoding, Options, Size, read, write};
use retinamark_core::settings::{AnchorConfig, BoxKind, HeadConfig, HeadKind};

/// Images of each case: more than one, as files take any number.
const IMAGES: usize = 2;

const VARIANCES: [f32; 2] = [0.1, 0.2];

type Outcome = Result<(), Box<dyn Error>>;

/// Names, shapes and numbers of outputs for all images.
type Outputs = Vec<(String, Vec<usize>, Vec<f32>)>;

fn main() -> Outcome {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let rest: Vec<String> = std::env::args().skip(2).collect();
    if let [height, width, files @ ..] = &rest[..] {
        let size = [height.parse()?, width.parse()?];
        return files
            .iter()
            .try_for_each(|file| case_of_file(&folder, Path::new(file), size));
    }
    for (name, net) in detectors() {
        let graph = detector_graph(&net, [75, 106]);
        let weights = random_weights(&graph, 1)?;
        let options = Options::default();
        case(
            &folder,
            &format!("{name}.norms"),
            (&graph, &weights),
            &graph,
            &options,
        )?;
        let (folded, tensors) = fold_norms(&graph, &weights)?;
        let model = (&fuse(&folded), &tensors);
        case(&folder, &format!("{name}.fixed"), model, &folded, &options)?;
        let rounded = in_bytes(
            &folded,
            &tensors,
            &random_image(graph.input_shape().iter().product(), 3),
        )?;
        let model_in_bytes = (model.0, &rounded);
        case(
            &folder,
            &format!("{name}.bytes"),
            model_in_bytes,
            &folded,
            &options,
        )?;
        let dynamic = Options {
            size: Size::Dynamic,
            ..Options::default()
        };
        let (other, _) = fold_norms(&detector_graph(&net, [97, 62]), &weights)?;
        case(&folder, &format!("{name}.dynamic"), model, &other, &dynamic)?;
        for (kind, landmarks_in_box) in [("decoded", false), ("decoded_in_box", true)] {
            let options = Options {
                decoding: Some(decoding(model.0, net.logits, landmarks_in_box)),
                ..Options::default()
            };
            case(&folder, &format!("{name}.{kind}"), model, &folded, &options)?;
        }
    }
    for (name, net) in aligners() {
        let graph = aligner_graph(&net);
        let weights = random_weights(&graph, 1)?;
        let (folded, tensors) = fold_norms(&graph, &weights)?;
        let model = (&fuse(&folded), &tensors);
        case(&folder, name, model, &folded, &Options::default())?;
    }
    Ok(())
}

/// A file from elsewhere, and what it is read as gives; the same for what that is written as.
/// Shapes of outputs are those of the file, which only others know.
fn case_of_file(folder: &Path, file: &Path, size: [usize; 2]) -> Outcome {
    let name = file.file_stem().ok_or("no file")?.to_string_lossy();
    let bytes = std::fs::read(file)?;
    let model = read(&bytes, Some(size))?;
    let again = write(&fuse(&model.graph), &model.weights, &Options::default())?;
    let [channels, height, width] = model.graph.input_shape();
    let image = random_image(channels * height * width, 3);
    let outputs = run(&model.graph, &model.weights, &image)?;
    for (name, bytes) in [(name.to_string(), bytes), (format!("{name}.again"), again)] {
        for (output, values) in &outputs {
            let path = folder.join(format!("{name}.out.{output}.npy"));
            npy(&path, &[values.len()], values)?;
        }
        let path = folder.join(format!("{name}.in.npy"));
        npy(&path, &[1, channels, height, width], &image)?;
        std::fs::write(folder.join(format!("{name}.onnx")), bytes)?;
    }
    Ok(())
}

/// Anchors of many shapes: which they are does not matter here.
fn decoding(graph: &Graph, logits: usize, landmarks_in_box: bool) -> Decoding {
    let anchors = graph
        .output("logits")
        .map_or(0, |id| graph.node(id).shape[0]);
    let anchor = |i: usize| {
        let i = i as f32;
        [i % 97.0, i % 31.0, 4.0 + i % 13.0, 5.0 + i % 7.0]
    };
    let head = match logits {
        1 => HeadConfig {
            kind: HeadKind::Quality,
            boxes: BoxKind::Distances,
        },
        _ => HeadConfig::default(),
    };
    let settings = AnchorConfig {
        variances: VARIANCES,
        ..AnchorConfig::default()
    };
    Decoding {
        anchors: (0..anchors).map(anchor).collect(),
        head: Head::new(&head, &settings),
        landmarks_in_box,
    }
}

/// A file of `model`, and what `reference`, the same network for the size of the images, gives.
fn case(
    folder: &Path,
    name: &str,
    (graph, weights): (&Graph, &Weights),
    reference: &Graph,
    options: &Options,
) -> Outcome {
    std::fs::write(
        folder.join(format!("{name}.onnx")),
        write(graph, weights, options)?,
    )?;
    let [channels, height, width] = reference.input_shape();
    let numbers = channels * height * width;
    let images: Vec<f32> = random_image(IMAGES * numbers, 3);
    let mut outputs: Outputs = Vec::new();
    for image in images.chunks_exact(numbers) {
        let mut results = of_image(reference, &run(reference, weights, image)?);
        if let Some(decoding) = &options.decoding {
            results = decode(decoding, &results);
        }
        match outputs.is_empty() {
            true => outputs = results,
            false => {
                for (all, new) in outputs.iter_mut().zip(results) {
                    all.2.extend(new.2);
                }
            }
        }
    }
    npy(
        &folder.join(format!("{name}.in.npy")),
        &[IMAGES, channels, height, width],
        &images,
    )?;
    for (output, shape, values) in outputs {
        npy(
            &folder.join(format!("{name}.out.{output}.npy")),
            &[&[IMAGES], &shape[..]].concat(),
            &values,
        )?;
    }
    Ok(())
}

/// Outputs with their shapes in files: all of these are rows or vectors.
fn of_image(graph: &Graph, results: &[(String, Vec<f32>)]) -> Outputs {
    let shaped = graph
        .outputs()
        .iter()
        .zip(results)
        .map(|((name, id), (_, values))| {
            let node = graph.node(*id);
            let [first, second, _] = node.shape;
            let is_vector = second == 1 && !matches!(node.op, Op::Rows { .. });
            let shape = if is_vector {
                vec![first]
            } else {
                vec![first, second]
            };
            (name.clone(), shape, values.clone())
        });
    shaped.collect()
}

/// As the coder does, written once more.
fn decode(decoding: &Decoding, outputs: &Outputs) -> Outputs {
    let [logits, boxes, landmarks] = [0, 1, 2].map(|i| outputs[i].2.as_slice());
    let [v0, v1] = VARIANCES;
    let deltas = decoding.head.coder.boxes == BoxKind::Deltas;
    let mut results = [Vec::new(), Vec::new(), Vec::new()];
    for (i, &[ax, ay, aw, ah]) in decoding.anchors.iter().enumerate() {
        let odds = match decoding.head.kind() {
            HeadKind::Retinaface => logits[2 * i + 1] - logits[2 * i],
            HeadKind::Quality => logits[i],
        };
        results[0].push(1.0 / (1.0 + (-odds).exp()));
        let d = &boxes[4 * i..][..4];
        if deltas {
            let [cx, cy] = [ax + d[0] * v0 * aw, ay + d[1] * v0 * ah];
            let [w, h] = [
                aw * (d[2] * v1).min(16.0).exp(),
                ah * (d[3] * v1).min(16.0).exp(),
            ];
            results[1].extend([cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0]);
        } else {
            let [left, top] = [ax - d[0] * aw, ay - d[1] * ah];
            results[1].extend([left, top, ax + d[2] * aw, ay + d[3] * ah]);
        }
        // Of the predicted box: how far its middle is from the anchor's, and its size.
        let frame = |axis: usize| match deltas {
            true => (d[axis], (d[2 + axis] * v1).clamp(-3.0, 3.0).exp()),
            false => (
                (d[2 + axis] - d[axis]) / (2.0 * v0),
                (d[axis] + d[2 + axis]).clamp((-3f32).exp(), 3f32.exp()),
            ),
        };
        for p in landmarks[2 * POINTS * i..][..2 * POINTS].chunks_exact(2) {
            let inside = |axis: usize| match decoding.landmarks_in_box {
                true => p[axis] * frame(axis).1 + frame(axis).0,
                false => p[axis],
            };
            results[2].extend([ax + inside(0) * v0 * aw, ay + inside(1) * v0 * ah]);
        }
    }
    let n = decoding.anchors.len();
    let shapes = [vec![n], vec![n, 4], vec![n, POINTS, 2]];
    let names = ["scores", "boxes", "landmarks"].map(str::to_owned);
    let named = names.into_iter().zip(shapes).zip(results);
    named
        .map(|((name, shape), values)| (name, shape, values))
        .collect()
}

/// NumPy's format.
fn npy(path: &Path, shape: &[usize], values: &[f32]) -> Outcome {
    let dims: String = shape.iter().map(|n| format!("{n},")).collect();
    let header = format!("{{'descr':'<f4','fortran_order':False,'shape':({dims})}}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len())?.to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    Ok(std::fs::write(path, bytes)?)
}
