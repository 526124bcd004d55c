use super::*;
use crate::graph::passes::{fold_norms, fuse};
use crate::graph::{NodeId, Tensor, Trace};
use crate::net::{
    AlignerNet, Backbone, BackboneKind, DetectorNet, Family, Norm, Ops, Padding, Pool,
};
use crate::settings::BoxKind;

fn weights(tensors: &[(&str, &[usize], &[f32])]) -> Weights {
    let tensors = tensors.iter().map(|&(name, shape, values)| {
        let tensor = Tensor::new(shape.to_vec(), values).unwrap();
        (name.to_owned(), tensor)
    });
    Weights(tensors.collect())
}

/// The only output of a network on an image.
fn only(
    shape: Shape,
    image: &[f32],
    tensors: &[(&str, &[usize], &[f32])],
    network: impl Fn(&mut Trace, NodeId) -> NodeId,
) -> (Shape, Vec<f32>) {
    let (mut trace, input) = Trace::of(shape);
    let output = network(&mut trace, input);
    let graph = trace.finish(&[("out", output)]);
    let results = run(&graph, &weights(tensors), image).unwrap();
    (graph.node(output).shape, results[0].1.clone())
}

const SQUARE: [f32; 9] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];

#[test]
fn convolutions_by_hand() {
    let ones: &[f32] = &[1.0; 9];
    let bias = Conv {
        norm: None,
        ..Conv::new(1, 3)
    };
    let tensors: [(&str, &[usize], &[f32]); 2] =
        [("a.weight", &[1, 1, 3, 3], ones), ("a.bias", &[1], &[0.5])];
    let conv = |conv: Conv| only([1, 3, 3], &SQUARE, &tensors, |t, x| t.conv("a", &x, conv));
    assert_eq!(
        conv(bias).1,
        [12.5, 21.5, 16.5, 27.5, 45.5, 33.5, 24.5, 39.5, 28.5]
    );
    let strided = conv(bias.stride(2).depthwise());
    assert_eq!(strided, ([1, 2, 2], vec![12.5, 16.5, 24.5, 28.5]));
    assert_eq!(conv(bias.padding(Padding::Valid)), ([1, 1, 1], vec![45.5]));
}

#[test]
fn norms_by_hand() {
    let norm = Norm {
        epsilon: 1.0,
        momentum: 0.1,
    };
    let tensors: [(&str, &[usize], &[f32]); 5] = [
        ("a.conv.weight", &[2, 1, 1, 1], &[1.0, -2.0]),
        ("a.norm.gamma", &[2], &[3.0, 1.0]),
        ("a.norm.beta", &[2], &[0.5, 0.0]),
        ("a.norm.running_mean", &[2], &[1.0, 0.0]),
        ("a.norm.running_var", &[2], &[3.0, 0.0]),
    ];
    let conv = Conv::new(2, 1).norm(norm).act(Act::Leaky(0.5));
    let (_, out) = only([1, 1, 1], &[5.0], &tensors, |t, x| t.conv("a", &x, conv));
    assert_eq!(out, [6.5, -5.0]);
}

#[test]
fn linear_layers_read_channels_rows_columns() {
    let tensors: [(&str, &[usize], &[f32]); 2] = [
        ("a.weight", &[2, 2], &[1.0, 10.0, 100.0, 1000.0]),
        ("a.bias", &[2], &[0.0, 1.0]),
    ];
    let (_, out) = only([1, 1, 2], &[1.0, 2.0], &tensors, |t, x| {
        t.linear("a", &x, Linear::new(2))
    });
    assert_eq!(out, [201.0, 2011.0]);
}

#[test]
fn shapes_change_in_order() {
    let image: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let rows = only([4, 1, 2], &image, &[], |t, x| t.rows(&[x], 2));
    assert_eq!(
        rows,
        ([4, 2, 1], vec![0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0])
    );
    let pool = Pool {
        kernel: 3,
        stride: 2,
        pad: 1,
    };
    let pooled = only([1, 3, 3], &SQUARE, &[], |t, x| t.max_pool(&x, pool));
    assert_eq!(pooled, ([1, 2, 2], vec![5.0, 6.0, 8.0, 9.0]));
    let up = only([1, 3, 3], &SQUARE, &[], |t, x| {
        let small = t.max_pool(&x, pool);
        t.upsample_add(&small, &x)
    });
    // Rows 0, 0, 1 of the small map.
    assert_eq!(up.1, [6.0, 7.0, 9.0, 9.0, 10.0, 12.0, 15.0, 16.0, 18.0]);
}

#[test]
fn expected_places_follow_the_prior() {
    let prior: &[f32] = &[0.0, 0.0, -100.0, 0.0, 0.0, 50.0, 0.0, 0.0];
    let image: Vec<f32> = [0.0, 0.0, 100.0, 0.0, 0.0, -50.0, 0.0, 0.0].into();
    let place = |image: &[f32]| {
        only([2, 1, 4], image, &[("p", &[2, 4], prior)], |t, x| {
            t.expected_places("p", &x, 4.0)
        })
    };
    assert_eq!(place(&image), ([4, 1, 1], vec![0.0; 4]));
    let (_, out) = place(&[0.0; 8]);
    assert!((out[0] + 1.0 / 3.0).abs() < 1e-6, "{out:?}");
    assert_eq!(out[2..], [-1.0, 0.0]);
}

#[test]
fn ops_that_are_only_read() {
    let (mut trace, input) = Trace::of([2, 1, 1]);
    let clip = Act::Clip {
        low: f32::NEG_INFINITY,
        high: 1.5,
    };
    let clipped = trace.act(&input, clip);
    let rows = trace.rows(&[input], 2);
    let mut graph = trace.finish(&[("clip", clipped)]);
    let ops = [("prelu", Op::PRelu, input), ("softmax", Op::Softmax, rows)];
    for (name, op, x) in ops {
        let id = graph.push(Node {
            op,
            inputs: vec![x],
            shape: graph.node(x).shape,
            name: "p".to_owned(),
        });
        graph.name_output(name, id);
    }
    let slopes = weights(&[("p.slope", &[2], &[-3.0, 0.1])]);
    let results = run(&graph, &slopes, &[-1.0, 2.0]).unwrap();
    assert_eq!(results[0].1, [-1.0, 1.5]);
    assert_eq!(results[1].1, [3.0, 2.0]);
    assert!((results[2].1[0] - 1.0 / (1.0 + 3f32.exp())).abs() < 1e-7);
}

#[test]
fn activations_by_hand() {
    assert_eq!(act(Act::HardSwish, 1.5), 1.125);
    assert_eq!(act(Act::HardSigmoid, -4.0), 0.0);
    assert_eq!(act(Act::Sigmoid { scale: 2.0 }, 0.0), 1.0);
}

fn detector(kind: BackboneKind, se_reduction: usize) -> Graph {
    let net = DetectorNet {
        backbone: Backbone { kind },
        family: Family::Retinaface,
        logits: 2,
        boxes: BoxKind::Deltas,
        batch_norm: true,
        colours: 3,
        neck_channels: 16,
        se_reduction,
        tower_layers: 1,
        tower_channels: 8,
        lateral_channels: 0,
        per_location: 2,
        coordinates: 10,
    };
    let (mut trace, input) = Trace::of([3, 37, 66]);
    let outputs = net.forward(&mut trace, &input);
    trace.finish(&[
        ("logits", outputs.logits),
        ("box_deltas", outputs.box_deltas),
    ])
}

/// Passes leave the meaning.
#[test]
fn folding_and_fusing_change_nothing() {
    let aligner = AlignerNet {
        features: crate::settings::Features::Scales,
        backbone: Backbone {
            kind: BackboneKind::MobilenetV3Large { width: 0.35 },
        },
        batch_norm: true,
        colours: 3,
        side: 48,
        channels: [4, 4, 4],
        heatmap_channels: 4,
        uncertainty: true,
        pose: true,
        points: 5,
        reach: 6.0,
    };
    let (mut trace, input) = Trace::of([3, 48, 48]);
    let outputs = aligner.forward(&mut trace, &input);
    let aligner = trace.finish(&outputs.named());
    let v1 = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        4,
    );
    for graph in [aligner, v1, detector(BackboneKind::Resnet18, 0)] {
        let weights = random_weights(&graph, 1).unwrap();
        let image = random_image(graph.input_shape().iter().product(), 2);
        let plain = run(&graph, &weights, &image).unwrap();
        let (folded, folded_weights) = fold_norms(&graph, &weights).unwrap();
        let fused = fuse(&folded);
        assert!(fused.nodes().len() < graph.nodes().len());
        let fast = run(&fused, &folded_weights, &image).unwrap();
        for ((name, a), (_, b)) in plain.iter().zip(&fast) {
            let scale = a.iter().fold(1f32, |m, v| m.max(v.abs()));
            let same = a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4 * scale);
            assert!(same && a.len() == b.len(), "{name}");
            assert!(scale < 1e3, "{name} up to {scale}");
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let graph = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        0,
    );
    let weights = random_weights(&graph, 1).unwrap();
    assert!(run(&graph, &weights, &[0.0; 5]).is_err());
    assert!(run(&graph, &Weights::default(), &[0.0; 3 * 37 * 66]).is_err());
}
