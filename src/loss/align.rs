//! The loss of the aligner: landmarks, how sure it is of each, and how the head is turned.

use anyhow::{Result, ensure};
use burn::tensor::{Tensor, TensorData};

use super::losses::{Losses, face_factors};
use crate::anchors::Targets;
use crate::config::LossConfig;
use crate::geometry::Scheme;
use crate::landmark_loss::{SchemeLoss, per_point};
use crate::model::AlignerOutputs;
use crate::pose_loss::PoseErrors;

/// Landmark loss, and the negative log-likelihood of
/// its errors under a Laplace distribution of the predicted scale, `ln(2 b) + |d| / b`; each is a
/// sum divided by the number of faces (at least 1), times its weight. Errors enter the likelihood
/// without a gradient: it teaches the scales and the features they share, not the points directly; and
/// they are those of the truth, from which labels are off too.
/// Where the network tells the pose of heads, [`LossConfig::pose`] says what its errors do.
#[derive(Clone, Debug)]
pub struct AlignLoss {
    config: LossConfig,
    landmark: SchemeLoss,
}

impl AlignLoss {
    /// With the weights and the landmark loss of `config`, for the landmarks of `scheme`.
    pub fn new(config: &LossConfig, scheme: &Scheme) -> Self {
        Self {
            config: config.clone(),
            landmark: SchemeLoss::new(&config.landmark, scheme),
        }
    }

    /// The loss of a batch: B crops and the targets of each, which have one anchor. Its parts are `landmarks`
    /// and, where the network gives those and they cost something by themselves, `uncertainty` and `pose`.
    ///
    /// # Errors
    /// When the outputs and targets differ in crops or points.
    pub fn forward(&self, outputs: &AlignerOutputs, targets: &[Targets]) -> Result<Losses> {
        let [crops, coordinates] = outputs.deltas.dims();
        let fits =
            |t: &Targets| t.landmark_deltas.len() == coordinates || t.with_landmarks.is_empty();
        ensure!(
            crops == targets.len() && targets.iter().all(fits),
            "the network gave {crops} crops of {coordinates} coordinates, the targets are others"
        );
        let device = outputs.deltas.device();
        let flat = |of: fn(&Targets) -> &Vec<f32>| {
            let mut all = Vec::with_capacity(crops * coordinates);
            for target in targets {
                match of(target).as_slice() {
                    [] => all.extend(std::iter::repeat_n(0.0, coordinates)),
                    some => all.extend_from_slice(some),
                }
            }
            let data = TensorData::new(all, [crops, coordinates]);
            Tensor::<2>::from_data(data, &device)
        };
        let faces = targets
            .iter()
            .filter(|t| !t.with_landmarks.is_empty())
            .count();
        let share = 1.0 / faces.max(1) as f32;
        let weights = flat(|t| &t.landmark_weights); // [B,2L], each face's sum to 1, or 0
        let error = outputs.deltas.clone() - flat(|t| &t.landmark_deltas); // [B,2L]
        let own = |t: &Targets| vec![t.face_weights.first().copied().unwrap_or(1.0)];
        let pose = outputs.pose.as_ref().map(|angles| {
            let truths: Vec<_> = targets.iter().map(|t| t.pose).collect();
            PoseErrors::new(angles, &truths)
        });
        let pose_loss = self.config.pose.loss();
        let by_pose = pose.as_ref().and_then(|errors| pose_loss.factors(errors));
        let factors = product(face_factors(targets, crops, &device, own), by_pose);
        let landmarks = self.landmark.sum(error.clone(), weights.clone(), factors) * share;
        let landmarks = landmarks * self.config.landmark_weight;
        let mut total = landmarks.clone();
        let mut parts = vec![("landmarks", landmarks)];
        if let Some(log_scales) = &outputs.log_scales {
            let unsure: Vec<f32> = targets.iter().map(|t| t.label_error).collect();
            let unsure = Tensor::from_data(TensorData::new(unsure, [crops, 1]), &device);
            let error = of_truth(error.detach(), unsure);
            let uncertainty = likelihood(error, log_scales.clone(), weights)
                * (share * self.config.uncertainty_weight);
            total = total + uncertainty.clone();
            parts.push(("uncertainty", uncertainty));
        }
        if let Some(part) = pose.as_ref().and_then(|errors| pose_loss.part(errors)) {
            total = total + part.clone();
            parts.push(("pose", part));
        }
        Ok(Losses {
            total,
            parts,
            positives: faces,
        })
    }
}

/// How often each face counts, of two reasons to count more or less than once.
fn product(a: Option<Tensor<2>>, b: Option<Tensor<2>>) -> Option<Tensor<2>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a * b),
        (a, b) => a.or(b),
    }
}

/// How far points may be from the truth, where the labels that they are `error` `[B,2L]` away from may
/// be `unsure` `[B,1]` themselves: both errors add up in squares.
fn of_truth(error: Tensor<2>, unsure: Tensor<2>) -> Tensor<2> {
    (error.square() + unsure.square()).sqrt()
}

/// Weighted sum of `ln(2 b) + |d| / b` over all coordinates; both of a point share its scale.
/// `error` and `weights` `[B,2L]`, `log_scales` `[B,L]` -> `[1]`.
fn likelihood(error: Tensor<2>, log_scales: Tensor<2>, weights: Tensor<2>) -> Tensor<1> {
    let spread = per_point(error.abs() * weights.clone()); // [B,L]
    let weights = per_point(weights);
    let scale = (-log_scales.clone()).exp();
    let log_two = std::f32::consts::LN_2;
    (spread * scale + (log_scales + log_two) * weights).sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::geometry::HeadPose;
    use crate::geometry::landmarks::Anatomy;
    use crate::landmark_loss::{L1, LandmarkLossKind};
    use crate::pose_loss::{Added, Multiplied, PoseLossKind};

    fn tensor<const N: usize>(values: [f32; N], device: &Device) -> Tensor<2> {
        Tensor::<1>::from_floats(values, device).reshape([1, N])
    }

    fn target(deltas: [f32; 4], weights: [f32; 4]) -> Targets {
        Targets {
            labels: vec![1],
            positives: vec![0],
            faces: vec![0],
            with_landmarks: vec![0],
            landmark_deltas: deltas.to_vec(),
            landmark_weights: weights.to_vec(),
            ..Targets::default()
        }
    }

    /// With the plainest landmark loss, for two points.
    fn loss_of(config: &LossConfig) -> AlignLoss {
        let config = LossConfig {
            landmark: LandmarkLossKind::L1(L1 {}),
            ..config.clone()
        };
        let scheme = Scheme::new("two", 2, &[], [0, 1], Anatomy::default(), Vec::new());
        AlignLoss::new(&config, &scheme.unwrap())
    }

    fn loss() -> AlignLoss {
        loss_of(&LossConfig {
            uncertainty_weight: 0.5,
            ..LossConfig::default()
        })
    }

    #[test]
    fn hand_computed_parts_and_gradients() {
        let device = Device::flex().autodiff();
        let deltas = tensor([1.0, 2.0, 0.5, 9.0], &device).require_grad();
        let log_scales = tensor([0.0, 1.0], &device).require_grad();
        let outputs = AlignerOutputs {
            deltas: deltas.clone(),
            log_scales: Some(log_scales.clone()),
            pose: None,
        };
        // The last coordinate is not labelled.
        let targets = [target([0.0, 0.0, 1.0, 0.0], [0.25, 0.25, 0.5, 0.0])];
        let losses = loss().forward(&outputs, &targets).unwrap();
        let value = |x: &Tensor<1>| x.clone().into_scalar::<f32>();
        // 1/4 + 2/4 + 0.5/2
        assert!((value(losses.part("landmarks").unwrap()) - 1.0).abs() < 1e-6);
        // Point 1: b = 1, 0.75 + 0.5 ln 2; point 2: b = e, 0.25/e + 0.5 (1 + ln 2).
        let expected = 0.5 * (0.75 + 0.25 / 1f32.exp() + 0.5 + 2f32.ln());
        assert!((value(losses.part("uncertainty").unwrap()) - expected).abs() < 1e-5);
        let gradients = losses.total.backward();
        let of = |x: &Tensor<2>| {
            x.grad(&gradients)
                .unwrap()
                .into_data()
                .try_to_vec::<f32>()
                .unwrap()
        };
        // The likelihood does not move the points.
        assert_eq!(of(&deltas), [0.25, 0.25, -0.5, 0.0]);
        let [first, second] = of(&log_scales)[..] else {
            panic!("two scales")
        };
        assert!((first - 0.5 * (0.5 - 0.75)).abs() < 1e-5);
        assert!((second - 0.5 * (0.5 - 0.25 / 1f32.exp())).abs() < 1e-5);
    }

    #[test]
    fn scales_learn_how_far_labels_are_off_too() {
        let device = Device::flex();
        let outputs = AlignerOutputs {
            deltas: tensor([1.0, 0.0, 0.5, 9.0], &device),
            log_scales: Some(tensor([0.0, 0.0], &device)),
            pose: None,
        };
        let target = Targets {
            label_error: 0.75,
            ..target([0.0; 4], [0.5, 0.5, 0.0, 0.0])
        };
        let losses = loss().forward(&outputs, &[target]).unwrap();
        let value = |name| losses.part(name).unwrap().clone().into_scalar::<f32>();
        // Errors of 1 and 0 along the axes are 1.25 and 0.75 with that of the label; b = 1.
        assert!((value("uncertainty") - 0.5 * (1.0 + 2f32.ln())).abs() < 1e-6);
        assert!((value("landmarks") - 0.5).abs() < 1e-6);
    }

    #[test]
    fn the_pose_of_a_head_adds_or_multiplies() {
        let device = Device::flex();
        let outputs = AlignerOutputs {
            deltas: tensor([1.0, 2.0, 0.5, 9.0], &device),
            log_scales: None,
            pose: Some(tensor([0.5, 0.0, 0.0], &device)),
        };
        // Landmarks cost 1, as above, twice for what the face has; 1 - cos 0.5 = 0.1224174.
        let face = |pose| Targets {
            face_weights: vec![2.0],
            pose,
            ..target([0.0, 0.0, 1.0, 0.0], [0.25, 0.25, 0.5, 0.0])
        };
        let parts = |loss: PoseLossKind, pose| {
            let loss = loss_of(&LossConfig {
                pose: loss,
                ..LossConfig::default()
            });
            let losses = loss.forward(&outputs, &[face(pose)]).unwrap();
            let part = |name| losses.part(name).map(|x| x.clone().into_scalar::<f32>());
            let sum: f32 = ["landmarks", "pose"].into_iter().flat_map(part).sum();
            assert!((losses.total.clone().into_scalar::<f32>() - sum).abs() < 1e-6);
            (part("landmarks").unwrap(), part("pose"))
        };
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        let (added, known) = (Added { weight: 3.0 }, Some(HeadPose::default()));
        let (landmarks, pose) = parts(PoseLossKind::Added(added.clone()), known);
        assert!(near(landmarks, 2.0) && near(pose.unwrap(), 0.367_252));
        let (landmarks, pose) = parts(PoseLossKind::Added(added), None);
        assert!(near(landmarks, 2.0) && pose == Some(0.0));
        let (landmarks, pose) = parts(PoseLossKind::Multiplied(Multiplied {}), known);
        assert!(near(landmarks, 0.244_835) && pose.is_none());
        let (landmarks, pose) = parts(PoseLossKind::Multiplied(Multiplied {}), None);
        assert!(near(landmarks, 2.0) && pose.is_none());
    }

    #[test]
    fn crops_without_points_do_not_thin_out_the_others() {
        let device = Device::flex();
        let two = |row: [f32; 4]| Tensor::cat(vec![tensor(row, &device), tensor(row, &device)], 0);
        let outputs = AlignerOutputs {
            deltas: two([1.0, 2.0, 0.5, 9.0]),
            log_scales: None,
            pose: None,
        };
        let loss = loss_of(&LossConfig {
            landmark_weight: 3.0,
            ..loss().config
        });
        let targets = [target([0.0; 4], [0.25; 4]), Targets::default()];
        let losses = loss.forward(&outputs, &targets).unwrap();
        // 12.5 / 4 of one face, three times.
        assert!(
            (losses
                .part("landmarks")
                .unwrap()
                .clone()
                .into_scalar::<f32>()
                - 9.375)
                .abs()
                < 1e-5
        );
        assert_eq!(losses.positives, 1);
        let short = Targets {
            landmark_deltas: vec![0.0; 2],
            ..target([0.0; 4], [0.25; 4])
        };
        assert!(
            loss.forward(&outputs, &[short, Targets::default()])
                .is_err()
        );
    }

    #[test]
    fn crops_without_points_are_legal_and_others_refused() {
        let device = Device::flex();
        let outputs = AlignerOutputs {
            deltas: tensor([1.0, 2.0, 0.5, 9.0], &device),
            log_scales: None,
            pose: None,
        };
        let losses = loss().forward(&outputs, &[Targets::default()]).unwrap();
        assert_eq!(losses.total.into_scalar::<f32>(), 0.0);
        assert!(loss().forward(&outputs, &[]).is_err());
        // A second crop, without points, does not thin out what the first one teaches.
        let rows = || tensor([1.0, 2.0, 0.5, 9.0], &device);
        let outputs = AlignerOutputs {
            deltas: Tensor::cat(vec![rows(), rows()], 0),
            log_scales: None,
            pose: None,
        };
        let targets = [target([0.0; 4], [0.25; 4]), Targets::default()];
        let losses = loss().forward(&outputs, &targets).unwrap();
        assert_eq!(
            losses
                .part("landmarks")
                .unwrap()
                .clone()
                .into_scalar::<f32>(),
            12.5 / 4.0
        );
    }
}
