//! The multi-box loss against numbers worked out by hand, and its edge cases.

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use retinamark::anchors::{Anchors, Coder, TargetBuilder, Targets, Truth};
use retinamark::config::{Config, L1, LandmarkLossKind, SchemeName};
use retinamark::geometry::{BoxXyxy, Landmarks, Point};
use retinamark::loss::{DetectorLoss, Losses};
use retinamark::model::{Network, Outputs, RetinaFace};
use retinamark::optim::{Kind, Layout};

/// A small five-point network: the loss only needs its landmark head.
fn config() -> Config {
    let mut config = Config::default();
    config.landmarks.scheme = SchemeName::Five;
    config.model.neck_channels = 8;
    config.model.se_reduction = 2;
    config.loss.landmark = LandmarkLossKind::L1(L1 {});
    config
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn scalar(t: Tensor<1>) -> f32 {
    t.into_data().try_to_vec::<f32>().unwrap()[0]
}

fn part(losses: &Losses, name: &str) -> f32 {
    scalar(losses.part(name).unwrap().clone())
}

fn close(got: f32, want: f32) {
    assert!(
        (got - want).abs() <= 1e-4 * want.abs().max(1.0),
        "{got} is not {want}"
    );
}

const ANCHOR: [f32; 4] = [20.0, 30.0, 10.0, 10.0];

/// The box that these deltas tell.
fn told(deltas: [f32; 4]) -> BoxXyxy {
    Coder::of_deltas([0.1, 0.2]).decode_box(ANCHOR, deltas)
}

/// Outputs of four anchors for one image, with the network's own landmark features left out.
fn four_anchors(margins: [f32; 4], deltas: [[f32; 4]; 4]) -> Outputs {
    let logits: Vec<f32> = margins.iter().flat_map(|&m| [0.0, m]).collect();
    Outputs {
        logits: tensor(&logits, [1, 4, 2]),
        box_deltas: tensor(deltas.as_flattened(), [1, 4, 4]),
        landmark_features: Vec::new(),
    }
}

#[test]
fn class_and_box_parts_by_hand() {
    let mut config = config();
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    config.loss.negative_ratio = 1.0;
    config.loss.class_weight = 3.0;
    let outputs = four_anchors(
        [1.0, 2.0, -1.0, 5.0],
        [[0.5, 3.0, 0.0, -1.0], [9.0; 4], [9.0; 4], [9.0; 4]],
    );
    let targets = Targets {
        labels: vec![1, 0, 0, -1],
        positives: vec![0],
        faces: vec![0],
        anchors_cxcywh: vec![ANCHOR],
        boxes: vec![told([0.0, 1.0, 0.0, 1.0])],
        ..Targets::default()
    };
    let parts = DetectorLoss::new(&config)
        .unwrap()
        .forward(&model, &outputs, &[targets])
        .unwrap();
    // Positive: -ln sigmoid(1) = .313262; hardest negative: -ln(1 - sigmoid(2)) = 2.126928.
    close(part(&parts, "class"), 3.0 * (0.313_262 + 2.126_928));
    // SmoothL1 of .5, 2, 0, -2 is .125 + 1.5 + 0 + 1.5, doubled by its weight.
    close(part(&parts, "boxes"), 6.25);
    close(part(&parts, "landmarks"), 0.0);
    close(scalar(parts.total), 3.0 * 2.440_19 + 6.25);
    assert_eq!(parts.positives, 1);
}

#[test]
fn parts_are_divided_by_their_own_positives() {
    let config = config();
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let outputs = four_anchors([0.0; 4], [[1.0, 0.0, 0.0, 0.0]; 4]);
    let targets = Targets {
        labels: vec![1, 1, -1, -1],
        positives: vec![0, 1],
        faces: vec![0, 0],
        anchors_cxcywh: vec![ANCHOR; 2],
        boxes: vec![told([0.0; 4]); 2],
        ..Targets::default()
    };
    let parts = DetectorLoss::new(&config)
        .unwrap()
        .forward(&model, &outputs, &[targets])
        .unwrap();
    close(part(&parts, "class"), std::f32::consts::LN_2);
    close(part(&parts, "boxes"), 2.0 * 0.5);
}

const POINTS: [Point; 5] = [
    [26.0, 28.0],
    [38.0, 28.0],
    [32.0, 34.0],
    [27.0, 40.0],
    [37.0, 40.0],
];

fn face(b: [f32; 4], landmarks: &Landmarks) -> Truth<'_> {
    Truth {
        box_xyxy: BoxXyxy::from(b),
        landmarks,
        ignored: false,
        weight: 1.0,
        doubt: 0.0,
        pose: None,
    }
}

/// Targets of one image per list of faces, and the loss of a random batch against them.
fn loss_of(
    config: &Config,
    side: u32,
    images: &[Vec<Truth>],
) -> (f32, f32, Vec<Targets>, RetinaFace, Outputs) {
    let device = Device::flex();
    let model = RetinaFace::new(config, &device).unwrap();
    let anchors = Anchors::generate(&config.anchors, [side, side]);
    let builder = TargetBuilder::new(config).unwrap();
    let targets: Vec<Targets> = images
        .iter()
        .map(|f| builder.build(&anchors, f, true).unwrap())
        .collect();
    let n = images.len() * 3 * (side * side) as usize;
    let pixels: Vec<f32> = (0..n).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
    let x = tensor(&pixels, [images.len(), 3, side as usize, side as usize]);
    let outputs = model.forward(x);
    let parts = DetectorLoss::new(config)
        .unwrap()
        .forward(&model, &outputs, &targets)
        .unwrap();
    (
        scalar(parts.total.clone()),
        part(&parts, "landmarks"),
        targets,
        model,
        outputs,
    )
}

#[test]
fn unlabelled_points_are_masked_not_dropped() {
    let labelled = [true, true, false, true, false];
    let some: Landmarks = POINTS.into_iter().zip(labelled).collect();
    let mut config = config();
    config.loss.landmark_weight = 3.0;
    let images = [vec![face([20.0, 20.0, 44.0, 46.0], &some)], vec![]];
    let (_, landmarks, targets, model, outputs) = loss_of(&config, 64, &images);
    let dense: Vec<f32> = model
        .landmark_deltas(&outputs)
        .into_data()
        .try_to_vec()
        .unwrap();
    let t = &targets[0];
    let mut want = 0.0;
    for (row, &p) in t.with_landmarks.iter().enumerate() {
        for c in 0..10 {
            if labelled[c / 2] {
                let predicted = dense[t.positives[p] * 10 + c];
                want += (predicted - t.landmark_deltas[row * 10 + c]).abs() / 6.0;
            }
        }
    }
    assert!(want > 0.0 && t.positives.len() > 1);
    close(landmarks, 3.0 * want / t.with_landmarks.len() as f32);
}

#[test]
fn where_all_is_ignored_nothing_is_lost() {
    let config = config();
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let outputs = four_anchors([1.0, 2.0, -1.0, 5.0], [[1.0; 4]; 4]);
    let targets = Targets {
        labels: vec![-1; 4],
        ..Targets::default()
    };
    let parts = DetectorLoss::new(&config)
        .unwrap()
        .forward(&model, &outputs, &[targets])
        .unwrap();
    close(scalar(parts.total), 0.0);
}

#[test]
fn extreme_images_have_a_finite_loss() {
    let (all, none) = (Landmarks::all(POINTS), Landmarks::none());
    let crowd = (0..500).map(|i| {
        let (x, y) = ((i % 25) as f32 * 5.0, (i / 25) as f32 * 6.0);
        face([x, y, x + 9.0, y + 9.0], &none)
    });
    let images = [
        vec![],
        vec![face([-40.0, -30.0, 170.0, 160.0], &all)],
        vec![face([50.0, 50.0, 59.0, 59.0], &all)],
        crowd.collect(),
        vec![face([30.0, 30.0, 30.0, 60.0], &all)],
        vec![Truth {
            ignored: true,
            ..face([0.0, 0.0, 128.0, 128.0], &none)
        }],
    ];
    for image in &images {
        let (total, ..) = loss_of(&config(), 128, std::slice::from_ref(image));
        assert!(total.is_finite() && total >= 0.0, "{total}");
    }
    let (total, ..) = loss_of(&config(), 128, &images);
    assert!(total.is_finite());
}

/// How strongly a loss pulls on each part of the network.
fn pulls(model: &RetinaFace, loss: &Tensor<1>) -> BTreeMap<String, f32> {
    let gradients = GradientsParams::from_grads(loss.clone().backward(), model);
    let layout = Layout::of(model);
    let (flat, _) = crate::train::optim::read(&layout, model, &gradients);
    let mut pulls = BTreeMap::new();
    for entry in layout
        .entries()
        .iter()
        .filter(|e| e.kind != Kind::Statistic)
    {
        let part = entry.name.split('.').next().unwrap().to_owned();
        let pull: f32 = flat[entry.range()].iter().map(|g| g.abs()).sum();
        *pulls.entry(part).or_default() += pull;
    }
    pulls
}

#[test]
fn every_part_reaches_the_weights() {
    let device = Device::flex().autodiff();
    let config = config();
    let model = RetinaFace::new(&config, &device).unwrap();
    let anchors = Anchors::generate(&config.anchors, [64, 64]);
    let builder = TargetBuilder::new(&config).unwrap();
    let all = Landmarks::all(POINTS);
    let learning = |faces: &[Truth]| {
        let targets = builder.build(&anchors, faces, true).unwrap();
        let outputs = model.forward(Tensor::ones([1, 3, 64, 64], &device));
        let loss = DetectorLoss::new(&config)
            .unwrap()
            .forward(&model, &outputs, &[targets])
            .unwrap();
        pulls(&model, &loss.total)
    };
    let pulled = learning(&[face([24.0, 24.0, 40.0, 44.0], &all)]);
    assert!(pulled.len() >= 6, "{pulled:?}");
    for (part, pull) in &pulled {
        assert!(*pull > 0.0 && pull.is_finite(), "{part}: {pulled:?}");
    }
    // An image without faces teaches what is none, and nothing about places.
    let pulled = learning(&[]);
    for (part, pull) in &pulled {
        let of_places = ["box_heads", "landmark_heads"].contains(&part.as_str());
        assert!(
            pull.is_finite() && (*pull > 0.0) != of_places,
            "{part}: {pulled:?}"
        );
    }
}

#[test]
fn a_photo_whose_anchors_are_all_ignored_has_no_loss() {
    let config = config();
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let targets = Targets {
        labels: vec![-1; 4],
        ..Targets::default()
    };
    let parts = DetectorLoss::new(&config)
        .unwrap()
        .forward(&model, &four_anchors([3.0; 4], [[1.0; 4]; 4]), &[targets])
        .unwrap();
    close(scalar(parts.total), 0.0);
}

#[test]
fn targets_of_another_size_are_refused() {
    let config = config();
    let model = RetinaFace::new(&config, &Device::flex()).unwrap();
    let outputs = four_anchors([0.0; 4], [[0.0; 4]; 4]);
    let targets = |anchors: usize| Targets {
        labels: vec![0; anchors],
        ..Targets::default()
    };
    let loss = DetectorLoss::new(&config).unwrap();
    let fits = |targets: &[Targets]| loss.forward(&model, &outputs, targets).is_ok();
    assert!(fits(&[targets(4)]));
    assert!(!fits(&[targets(5)]));
    assert!(!fits(&[targets(4), targets(4)]));
    assert!(!fits(&[]));
}
