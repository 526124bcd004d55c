//! Small networks of every kind.

use retinamark_core::graph::{Graph, Trace};
use retinamark_core::net::{AlignerNet, Backbone, BackboneKind, DetectorNet, Family, Ops};
use retinamark_core::settings::{BoxKind, Features};

/// Landmarks of each face.
pub const POINTS: usize = 7;

/// A detector of each backbone, with and without what is optional.
pub fn detectors() -> Vec<(&'static str, DetectorNet)> {
    let detector = |kind, se_reduction, tower_layers| DetectorNet {
        backbone: Backbone { kind },
        family: Family::Retinaface,
        logits: 2,
        boxes: BoxKind::Deltas,
        batch_norm: true,
        colours: 3,
        neck_channels: 16,
        se_reduction,
        tower_layers,
        tower_channels: 8,
        lateral_channels: 0,
        per_location: 2,
        coordinates: 2 * POINTS,
    };
    let v1 = BackboneKind::MobilenetV1 {
        width: 0.25,
        gamma: 1.0,
    };
    let v3 = BackboneKind::MobilenetV3Large { width: 0.35 };
    let plain = BackboneKind::Plain {
        width: 0.25,
        gamma: 1.0,
    };
    let growing = BackboneKind::MobilenetV1 {
        width: 0.25,
        gamma: 1.05,
    };
    vec![
        ("mobilenet_v1", detector(v1, 4, 0)),
        ("mobilenet_v3", detector(v3, 0, 2)),
        ("resnet18", detector(BackboneKind::Resnet18, 0, 1)),
        ("resnet50", detector(BackboneKind::Resnet50, 4, 0)),
        ("plain", detector(plain, 0, 0)),
        (
            "scrfd",
            DetectorNet {
                family: Family::Scrfd { channels: 24 },
                logits: 1,
                boxes: BoxKind::Distances,
                lateral_channels: 12,
                ..detector(BackboneKind::Scrfd500m, 4, 1)
            },
        ),
        (
            "grey_unnormed",
            DetectorNet {
                batch_norm: false,
                colours: 1,
                ..detector(growing, 4, 1)
            },
        ),
    ]
}

/// A detector with its landmark heads over whole maps.
pub fn detector_graph(net: &DetectorNet, [height, width]: [usize; 2]) -> Graph {
    let (mut trace, input) = Trace::of([net.colours, height, width]);
    let outputs = net.forward(&mut trace, &input);
    let maps = [0, 1, 2].map(|i| net.landmarks(&mut trace, i, &outputs.features[i]));
    let rows = trace.rows(&maps, net.coordinates);
    trace.finish(&[
        ("logits", outputs.logits),
        ("box_deltas", outputs.box_deltas),
        ("landmark_deltas", rows),
    ])
}

/// Aligners with and without heatmaps, scales and a pose.
pub fn aligners() -> Vec<(&'static str, AlignerNet)> {
    let aligner = |kind, features, heatmap_channels, [uncertainty, pose]: [bool; 2]| AlignerNet {
        features,
        backbone: Backbone { kind },
        batch_norm: true,
        colours: 3,
        side: 56,
        channels: [4, 8, 12],
        heatmap_channels,
        uncertainty,
        pose,
        points: POINTS,
        reach: 6.5,
    };
    let v1 = BackboneKind::MobilenetV1 {
        width: 0.25,
        gamma: 1.0,
    };
    let v3 = BackboneKind::MobilenetV3Large { width: 0.35 };
    let plain = BackboneKind::Plain {
        width: 0.25,
        gamma: 1.0,
    };
    vec![
        (
            "aligner_plain",
            aligner(v1, Features::Scales, 0, [false, true]),
        ),
        (
            "aligner_heatmaps",
            aligner(v3, Features::Scales, 8, [true, false]),
        ),
        (
            "aligner_last",
            aligner(plain, Features::Last, 0, [true, true]),
        ),
    ]
}

/// An aligner of its crops.
pub fn aligner_graph(net: &AlignerNet) -> Graph {
    let (mut trace, input) = Trace::of([net.colours, net.side, net.side]);
    let outputs = net.forward(&mut trace, &input);
    trace.finish(&outputs.named())
}
