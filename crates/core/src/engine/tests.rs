//! The executor against the slow interpreter, with every instruction set of this processor.

use super::{Engine, Image, Isa, Normalise};
use crate::error::Result;
use crate::graph::{Graph, Shape, Trace, Weights, passes, reference};
use crate::net::{AlignerNet, Backbone, BackboneKind, DetectorNet, Family, Ops};
use crate::settings::{BoxKind, ChannelOrder, Features, luma};

const NORMALISE: Normalise = Normalise {
    mean: [123.0, 117.0, 104.0],
    std: [1.0; 3],
    order: ChannelOrder::Bgr,
};

const BACKBONES: [BackboneKind; 6] = [
    BackboneKind::MobilenetV1 {
        width: 0.25,
        gamma: 1.0,
    },
    BackboneKind::MobilenetV3Large { width: 0.35 },
    BackboneKind::Resnet18,
    BackboneKind::Resnet50,
    BackboneKind::Scrfd500m,
    BackboneKind::Plain {
        width: 0.25,
        gamma: 1.0,
    },
];

fn detector(kind: BackboneKind, neck_channels: usize) -> DetectorNet {
    DetectorNet {
        backbone: Backbone { kind },
        family: Family::Retinaface,
        logits: 2,
        boxes: BoxKind::Deltas,
        batch_norm: true,
        colours: 3,
        neck_channels,
        se_reduction: 4,
        tower_layers: 2,
        tower_channels: 20,
        lateral_channels: 0,
        per_location: 2,
        coordinates: 10,
    }
}

fn describe_detector(net: DetectorNet) -> impl Fn(Shape) -> Graph + Send + Sync + 'static {
    move |shape| {
        let (mut trace, image) = Trace::of(shape);
        let outputs = net.forward(&mut trace, &image);
        let towers = [0, 1, 2].map(|i| net.landmarks(&mut trace, i, &outputs.features[i]));
        let landmarks = trace.rows(&towers, net.coordinates);
        let [p3, p4, p5] = outputs.features;
        trace.finish(&[
            ("logits", outputs.logits),
            ("box_deltas", outputs.box_deltas),
            ("p3", p3),
            ("p4", p4),
            ("p5", p5),
            ("landmarks", landmarks),
        ])
    }
}

fn engine_of(
    describe: impl Fn(Shape) -> Graph + Send + Sync + 'static,
    sample: Shape,
    weights: &Weights,
    isa: Isa,
) -> Result<Engine> {
    Engine::new(
        move |shape| Ok(describe(shape)),
        sample,
        weights,
        NORMALISE,
        isa,
    )
}

/// Largest difference relative to the largest number.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-6f32, |a, b| a.max(b.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0f32, |a, (f, e)| a.max((f - e).abs())) / largest
}

/// All outputs of an image, as the interpreter and as the executor with some instruction set give
/// them.
fn compare(describe: impl Fn(Shape) -> Graph + Send + Sync + Copy + 'static, size: [usize; 2]) {
    let graph = describe([3, size[0], size[1]]);
    let weights = reference::random_weights(&graph, 7).unwrap();
    let images = [1, 2].map(|seed| reference::random_image(3 * size[0] * size[1], seed));
    let expected = images
        .each_ref()
        .map(|image| reference::run(&graph, &weights, image).unwrap());
    for isa in Isa::all() {
        let sample = [3, size[0], size[1]];
        let engine = engine_of(describe, sample, &weights, isa).unwrap();
        // Twice, the second time in used memory.
        for _ in 0..2 {
            let both = images.each_ref().map(|image| Image::Planar(image));
            let outputs = engine.run(&both, size).unwrap();
            for (image, expected) in expected.iter().enumerate() {
                for (name, expected) in expected {
                    let found = match outputs.rows(name, image) {
                        Ok(rows) => rows.to_vec(),
                        Err(_) => outputs.planar(name, image).unwrap().1,
                    };
                    let difference = difference(&found, expected);
                    let at = format!("{name} of image {image} at {size:?}, {}", isa.name());
                    assert!(difference < 1e-4, "{at}: {difference}");
                }
            }
        }
    }
}

#[test]
fn detectors_of_every_backbone_are_as_described() {
    for kind in BACKBONES {
        for (neck, size) in [(64, [64, 48]), (24, [43, 51])] {
            let net = detector(kind, neck);
            compare_detector(net, size);
        }
    }
}

#[test]
fn scrfd_is_as_described() {
    let net = DetectorNet {
        family: Family::Scrfd { channels: 24 },
        logits: 1,
        boxes: BoxKind::Distances,
        ..detector(BackboneKind::Scrfd500m, 16)
    };
    for size in [[64, 48], [43, 51], [1, 1]] {
        compare_detector(net, size);
    }
}

fn compare_detector(net: DetectorNet, size: [usize; 2]) {
    compare(move |shape| describe_detector(net)(shape), size);
}

#[test]
fn detectors_of_odd_sizes_are_as_described() {
    let net = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        64,
    );
    for size in [[1, 1], [33, 7], [160, 97]] {
        compare_detector(net, size);
    }
}

#[test]
fn aligners_are_as_described() {
    for kind in BACKBONES {
        let shapes = [
            (48, 24, Features::Scales),
            (50, 0, Features::Scales),
            (50, 0, Features::Last),
        ];
        for (side, heatmap_channels, features) in shapes {
            let net = AlignerNet {
                features,
                backbone: Backbone { kind },
                batch_norm: true,
                colours: 3,
                side,
                channels: [8, 12, 20],
                heatmap_channels,
                uncertainty: true,
                pose: true,
                points: 21,
                reach: 6.25,
            };
            let describe = move |shape: Shape| {
                let (mut trace, image) = Trace::of(shape);
                let outputs = net.forward(&mut trace, &image);
                trace.finish(&outputs.named())
            };
            compare(describe, [side; 2]);
        }
    }
}

/// A sum that differs in its last bit may become another byte, and deep networks of random weights
/// make more of that.
const A_BYTE: f32 = 0.1;

#[test]
fn networks_in_bytes_are_as_described() {
    let size = [64, 80];
    let image = reference::random_image(3 * size[0] * size[1], 1);
    for kind in BACKBONES {
        let net = detector(kind, 24);
        let graph = describe_detector(net)([3, size[0], size[1]]);
        let weights = reference::random_weights(&graph, 7).unwrap();
        let (graph, weights) = passes::fold_norms(&graph, &weights).unwrap();
        let weights = reference::in_bytes(&graph, &weights, &image).unwrap();
        let expected = reference::run(&graph, &weights, &image).unwrap();
        for isa in Isa::all() {
            let describe = move |shape| passes::without_norms(&describe_detector(net)(shape));
            let engine = engine_of(describe, [3, 64, 64], &weights, isa).unwrap();
            let outputs = engine.run(&[Image::Planar(&image)], size).unwrap();
            for name in ["logits", "box_deltas", "landmarks"] {
                let expected = &expected.iter().find(|(own, _)| own == name).unwrap().1;
                let difference = difference(outputs.rows(name, 0).unwrap(), expected);
                let at = format!("{name}, {kind:?}, {}", isa.name());
                assert!(difference < A_BYTE, "{at}: {difference}");
            }
        }
    }
}

#[test]
fn landmarks_of_windows_are_those_of_the_whole_map() {
    let net = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        64,
    );
    let size = [72, 100];
    let graph = describe_detector(net)([3, size[0], size[1]]);
    let weights = reference::random_weights(&graph, 3).unwrap();
    let image = reference::random_image(3 * size[0] * size[1], 5);
    let names = ["p3", "p4", "p5"];
    for isa in Isa::all() {
        let all = engine_of(describe_detector(net), [3, 64, 64], &weights, isa);
        let outputs = all.unwrap().run(&[Image::Planar(&image)], size).unwrap();
        let whole = outputs.rows("landmarks", 0).unwrap();
        let mut before = 0;
        for (level, name) in names.into_iter().enumerate() {
            let tower = move |shape: Shape| {
                let (mut trace, window) = Trace::of(shape);
                let deltas = net.landmarks_of_windows(&mut trace, level, &window);
                trace.finish(&[("deltas", deltas)])
            };
            let side = net.window();
            let sample = [net.neck_channels, side, side];
            let towers = engine_of(tower, sample, &weights, isa).unwrap();
            let ([_, height, width], _) = outputs.planar(name, 0).unwrap();
            let places: Vec<[usize; 3]> = (0..height * width)
                .map(|at| [0, at / width, at % width])
                .collect();
            let found = towers.run_windows(&outputs, name, &places, side).unwrap();
            let each = net.per_location * net.coordinates;
            for place in 0..places.len() {
                let expected = &whole[(before + place) * each..][..each];
                let difference = difference(found.rows("deltas", place).unwrap(), expected);
                assert!(
                    difference < 1e-4,
                    "{name} {place} {}: {difference}",
                    isa.name()
                );
            }
            before += height * width;
        }
    }
}

/// Bytes are normalised as [`Normalise`] says; beyond the photo lies the mean colour.
#[test]
fn bytes_are_read_as_their_numbers() {
    let net = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        64,
    );
    let (size, photo) = ([64, 96], [50, 80]);
    let graph = describe_detector(net)([3, size[0], size[1]]);
    let weights: Weights = reference::random_weights(&graph, 11).unwrap();
    let bytes: Vec<u8> = (0..3 * photo[0] * photo[1])
        .map(|i| (i * 37 % 251) as u8)
        .collect();
    let mut planar = vec![0.0; 3 * size[0] * size[1]];
    for y in 0..photo[0] {
        for x in 0..photo[1] {
            for colour in 0..3 {
                let byte = f32::from(bytes[(y * photo[1] + x) * 3 + colour]);
                // Blue first.
                let at = ((2 - colour) * size[0] + y) * size[1] + x;
                planar[at] = byte - NORMALISE.mean[colour];
            }
        }
    }
    for isa in Isa::all() {
        let describe = describe_detector(net);
        let engine = engine_of(describe, [3, 64, 64], &weights, isa).unwrap();
        let rgb = Image::Rgb {
            pixels: &bytes,
            size: photo,
        };
        let found = engine.run(&[rgb], size).unwrap();
        let expected = engine.run(&[Image::Planar(&planar)], size).unwrap();
        let (found, expected) = (found.rows("logits", 0), expected.rows("logits", 0));
        assert_eq!(found.unwrap(), expected.unwrap());
    }
}

/// A network of one channel sees how bright pixels are, whatever their colour.
#[test]
fn grey_is_read_as_brightness() {
    let net = DetectorNet {
        colours: 1,
        batch_norm: false,
        ..detector(
            BackboneKind::Plain {
                width: 0.25,
                gamma: 1.1,
            },
            24,
        )
    };
    let normalise = Normalise {
        mean: [110.0; 3],
        std: [64.0; 3],
        order: ChannelOrder::Grey,
    };
    let (size, photo) = ([64, 96], [50, 80]);
    let graph = describe_detector(net)([1, size[0], size[1]]);
    let weights = reference::random_weights(&graph, 11).unwrap();
    let colours: Vec<[u8; 3]> = (0..photo[0] * photo[1])
        .map(|i| [37, 91, 53].map(|step| (i * step % 251) as u8))
        .collect();
    let twin: Vec<[u8; 3]> = colours.iter().map(|&rgb| [luma(rgb); 3]).collect();
    let mut planar = vec![0.0; size[0] * size[1]];
    for (at, [grey, ..]) in twin.iter().enumerate() {
        let at = at / photo[1] * size[1] + at % photo[1];
        planar[at] = (f32::from(*grey) - 110.0) * (1.0 / 64.0);
    }
    let expected = reference::run(&graph, &weights, &planar).unwrap();
    let expected = &expected
        .iter()
        .find(|(name, _)| name == "logits")
        .unwrap()
        .1;
    for isa in Isa::all() {
        let describe = move |shape| Ok(describe_detector(net)(shape));
        let engine = Engine::new(describe, [1, 64, 64], &weights, normalise, isa).unwrap();
        let [rgb, twin] = [&colours, &twin].map(|pixels| Image::Rgb {
            pixels: pixels.as_flattened(),
            size: photo,
        });
        let outputs = engine
            .run(&[rgb, twin, Image::Planar(&planar)], size)
            .unwrap();
        let rows = |image| outputs.rows("logits", image).unwrap();
        assert_eq!(rows(0), rows(1));
        assert_eq!(rows(0), rows(2));
        assert!(difference(rows(0), expected) < 1e-4);
        let few = vec![0.0; planar.len() - 1];
        assert!(engine.run(&[Image::Planar(&few)], size).is_err());
    }
}

#[test]
fn impossible_inputs_are_errors() {
    let net = detector(
        BackboneKind::MobilenetV1 {
            width: 0.25,
            gamma: 1.0,
        },
        64,
    );
    let describe = describe_detector(net);
    let weights = reference::random_weights(&describe([3, 64, 64]), 1).unwrap();
    let engine = engine_of(describe, [3, 64, 64], &weights, Isa::best()).unwrap();
    let few = [0.0; 12];
    assert!(engine.run(&[Image::Planar(&few)], [64, 64]).is_err());
    assert!(engine.run(&[Image::Planar(&few)], [0, 64]).is_err());
    let outputs = engine.run(&[Image::Planar(&few)], [2, 2]).unwrap();
    assert!(outputs.rows("scores", 0).is_err());
    assert!(outputs.rows("logits", 1).is_err());
    assert!(outputs.planar("logits", 0).is_err());
    assert!(engine.run_windows(&outputs, "p3", &[[0, 1, 0]], 5).is_err());
    let lost = Weights::default();
    let error = engine_of(describe_detector(net), [3, 64, 64], &lost, Isa::best());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("backbone.stem.conv.weight"), "{error}");
}
