//! ONNX files: what is written is read as the same, others are read as ONNX Runtime reads them,
//! and damaged ones are errors.

mod common;

use std::path::Path;

use common::{aligner_graph, aligners, detector_graph, detectors};
use proptest::prelude::*;
use retinamark_core::anchors::Head;
use retinamark_core::graph::passes::{fold_norms, fuse};
use retinamark_core::graph::reference::{random_image, random_weights, run};
use retinamark_core::graph::{Graph, Node, NodeId, Op, Weights};
use retinamark_core::net::Act;
use retinamark_core::onnx::{Decoding, Options, Size, read, write};
use retinamark_core::settings::{AnchorConfig, HeadConfig};

/// Odd, so that levels of the pyramid do not divide each other.
const SIZE: [usize; 2] = [37, 70];

fn networks() -> Vec<(&'static str, Graph)> {
    let detectors = detectors()
        .into_iter()
        .map(|(name, net)| (name, detector_graph(&net, SIZE)));
    let aligners = aligners()
        .into_iter()
        .map(|(name, net)| (name, aligner_graph(&net)));
    detectors.chain(aligners).collect()
}

/// Both graphs give the same for some image, up to rounding.
fn assert_same(name: &str, one: (&Graph, &Weights), other: (&Graph, &Weights)) {
    let image = random_image(one.0.input_shape().iter().product(), 5);
    let [one, other] = [one, other].map(|(graph, weights)| run(graph, weights, &image).unwrap());
    assert_eq!(one.len(), other.len(), "{name}");
    for ((output, a), (other, b)) in one.iter().zip(&other) {
        assert_eq!(output, other, "{name}");
        assert_close(&format!("{name} {output}"), a, b);
    }
}

fn assert_close(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    let scale = a.iter().fold(1f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            (a - b).abs() <= 2e-5 * scale,
            "{what} {i}: {a} {b}, up to {scale}"
        );
    }
}

#[test]
fn folded_graphs_come_back_as_they_were() {
    for (name, graph) in networks() {
        let weights = random_weights(&graph, 1).unwrap();
        let (folded, weights) = fold_norms(&graph, &weights).unwrap();
        let fused = fuse(&folded);
        let bytes = write(&fused, &weights, &Options::default()).unwrap();
        let back = read(&bytes, None).unwrap();
        assert_same(name, (&fused, &weights), (&back.graph, &back.weights));
        // Not only what they compute: nothing was added, and tensors are called the same.
        assert_eq!(
            fuse(&back.graph).nodes().len(),
            fused.nodes().len(),
            "{name}"
        );
        assert_eq!(
            back.weights.0.keys().collect::<Vec<_>>(),
            weights.0.keys().collect::<Vec<_>>()
        );
        assert_eq!(back.input, "image");
    }
}

#[test]
fn norms_that_were_not_folded_are_while_reading() {
    for (name, graph) in networks() {
        let weights = random_weights(&graph, 2).unwrap();
        let bytes = write(&graph, &weights, &Options::default()).unwrap();
        let back = read(&bytes, None).unwrap();
        assert_same(name, (&graph, &weights), (&back.graph, &back.weights));
        let (folded, _) = fold_norms(&graph, &weights).unwrap();
        assert_eq!(
            fuse(&back.graph).nodes().len(),
            fuse(&folded).nodes().len(),
            "{name}"
        );
        assert!(back.weights.0.keys().all(|key| !key.contains(".norm.")));
    }
}

#[test]
fn files_of_any_size_are_read_for_one() {
    let options = Options {
        size: Size::Dynamic,
        ..Options::default()
    };
    for (name, net) in detectors() {
        let graph = detector_graph(&net, SIZE);
        let weights = random_weights(&graph, 3).unwrap();
        let bytes = write(&graph, &weights, &options).unwrap();
        let error = read(&bytes, None).unwrap_err().to_string();
        assert!(error.contains("say which"), "{error}");
        let back = read(&bytes, Some([64, 47])).unwrap();
        let want = detector_graph(&net, [64, 47]);
        assert_same(name, (&want, &weights), (&back.graph, &back.weights));
    }
    let aligner = aligner_graph(&aligners()[0].1);
    let weights = random_weights(&aligner, 3).unwrap();
    let error = write(&aligner, &weights, &options).unwrap_err().to_string();
    assert!(error.contains("fixed size"), "{error}");
}

/// What only files from elsewhere have.
#[test]
fn other_operations_come_back_too() {
    let (_, net) = detectors()[0];
    let mut graph = detector_graph(&net, SIZE);
    let push = |graph: &mut Graph, op, x: NodeId, name: &str| {
        graph.push(Node {
            op,
            inputs: vec![x],
            shape: graph.node(x).shape,
            name: name.to_owned(),
        })
    };
    let rows = graph.output("logits").unwrap();
    let soft = push(&mut graph, Op::Softmax, rows, "");
    let map = graph
        .nodes()
        .iter()
        .rposition(|node| matches!(node.op, Op::Conv(_)));
    let slopes = push(&mut graph, Op::PRelu, NodeId(map.unwrap()), "slopes");
    let clip = Act::Clip {
        low: -0.5,
        high: f32::INFINITY,
    };
    let clip = push(&mut graph, Op::Act(clip), slopes, "");
    for (name, id) in [
        ("soft", soft),
        ("clip", clip),
        ("again", clip),
        ("image_too", NodeId(0)),
    ] {
        graph.name_output(name, id);
    }
    let weights = random_weights(&graph, 4).unwrap();
    let back = read(&write(&graph, &weights, &Options::default()).unwrap(), None).unwrap();
    assert_same("other", (&graph, &weights), (&back.graph, &back.weights));
    assert!(back.weights.0.contains_key("slopes.slope"));
}

#[test]
fn metadata_comes_back() {
    let graph = aligner_graph(&aligners()[0].1);
    let weights = random_weights(&graph, 1).unwrap();
    let metadata = [("scheme", "wflw"), ("empty", "")];
    let options = Options {
        metadata: metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Options::default()
    };
    let back = read(&write(&graph, &weights, &options).unwrap(), None).unwrap();
    assert_eq!(back.metadata, options.metadata);
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let (_, net) = detectors()[0];
    let graph = detector_graph(&net, SIZE);
    let weights = random_weights(&graph, 1).unwrap();
    let fail = |graph: &Graph, weights: &Weights, options: &Options| {
        write(graph, weights, options).unwrap_err().to_string()
    };
    let plain = Options::default();
    assert!(fail(&graph, &Weights::default(), &plain).contains("no tensor backbone.stem"));
    let decoding = Decoding {
        anchors: vec![[1.0; 4]; 3],
        head: Head::new(&HeadConfig::default(), &AnchorConfig::default()),
        landmarks_in_box: true,
    };
    let decoded = Options {
        decoding: Some(decoding),
        ..Options::default()
    };
    assert!(fail(&graph, &weights, &decoded).contains("not 3"));
    let mut masked = graph.clone();
    let mask = masked.push(Node {
        op: Op::Mask { margin: 1 },
        inputs: vec![NodeId(1)],
        shape: masked.node(NodeId(1)).shape,
        name: String::new(),
    });
    masked.name_output("mask", mask);
    assert!(fail(&masked, &weights, &plain).contains("Mask"));
    assert!(fail(&Graph::default(), &weights, &plain).contains("without an image"));
}

/// A file and what ONNX Runtime made of an image, of `scripts/onnx_fixture.py`.
fn zoo(name: &str) -> (Vec<u8>, Vec<f32>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    let numbers = std::fs::read(path.with_extension("f32")).unwrap();
    let numbers = numbers
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes));
    (
        std::fs::read(path.with_extension("onnx")).unwrap(),
        numbers.collect(),
    )
}

#[test]
fn other_files_are_read_as_onnx_runtime_reads_them() {
    for name in ["zoo10", "zoo17"] {
        let (bytes, numbers) = zoo(name);
        let model = read(&bytes, Some([9, 12])).unwrap();
        let (image, mut want) = numbers.split_at(4 * 9 * 12);
        let image_outputs = run(&model.graph, &model.weights, image).unwrap();
        let fused = run(&fuse(&model.graph), &model.weights, image).unwrap();
        for ((output, got), (_, fused)) in image_outputs.iter().zip(&fused) {
            let (own, rest) = want.split_at(got.len());
            assert_close(&format!("{name} {output}"), own, got);
            assert_close(&format!("{name} {output}, fused"), own, fused);
            want = rest;
        }
        assert_eq!(want.len(), 0, "{name}");
    }
}

#[test]
fn damaged_files_are_errors() {
    let (bytes, _) = zoo("zoo17");
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end], Some([9, 12])).is_err(), "{end}");
    }
}

proptest! {
    /// Neither panics nor takes all memory.
    #[test]
    fn mutated_files_are_read_or_refused(
        at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        old in any::<bool>(),
    ) {
        let (mut bytes, _) = zoo(if old { "zoo10" } else { "zoo17" });
        for (index, byte) in at {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = read(&bytes, Some([9, 12])).is_ok();
    }
}
