use retinamark_core::engine::{Engine, Image, Isa, Normalise};
use retinamark_core::graph::{Shape, Trace, reference};
use retinamark_core::net::*;
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let side: usize = args[1].parse().unwrap();
    let n: usize = args[2].parse().unwrap();
    let r50 = args.len() > 3 && args[3] == "r50";
    let net = DetectorNet {
        backbone: Backbone {
            kind: if r50 {
                BackboneKind::Resnet50
            } else {
                BackboneKind::MobilenetV1 { width: 0.25 }
            },
        },
        neck_channels: if r50 { 256 } else { 64 },
        se_reduction: 16,
        tower_layers: 3,
        tower_channels: 96,
        per_location: 2,
        coordinates: 196,
    };
    let describe = move |shape: Shape| {
        let (mut t, image) = Trace::of(shape);
        let o = net.forward(&mut t, &image);
        let [a, b, c] = o.features;
        t.finish(&[
            ("logits", o.logits),
            ("box_deltas", o.box_deltas),
            ("p3", a),
            ("p4", b),
            ("p5", c),
        ])
    };
    let w = reference::random_weights(&describe([3, 64, 64]), 1).unwrap();
    let e = Engine::new(
        describe,
        [3, 64, 64],
        &w,
        Normalise {
            mean: [104.; 3],
            std: [1.; 3],
            blue_first: true,
        },
        Isa::best(),
    )
    .unwrap();
    let px = vec![100u8; 3 * side * side];
    let mut times = vec![];
    for _ in 0..n {
        let t = Instant::now();
        let _o = e
            .run(
                &[Image::Rgb {
                    pixels: &px,
                    size: [side, side],
                }],
                [side, side],
            )
            .unwrap();
        times.push(t.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{} side {side}: median {:.2} min {:.2} ms",
        e.isa().name(),
        times[n / 2],
        times[0]
    );
}
