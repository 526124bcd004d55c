//! What training does differently for the detector and the aligner.

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;

use crate::anchors::Coder;
use crate::config::Config;
use crate::data::Dataset;
use crate::geometry::FaceCrop;
use crate::infer::Predictor;
use crate::loss::Learn;
use crate::model::weights::{self, Networks};
use crate::model::{Aligner, RetinaFace};

/// A network that a run can train.
pub trait Trainable: Learn {
    /// The new network with what it should know of its training data before the first step.
    ///
    /// # Errors
    /// When the data cannot tell it.
    fn fitted_to(self, training: &Dataset, config: &Config) -> Result<Self>;

    /// For validation and snapshots: with `train.partner`, both looks.
    ///
    /// # Errors
    /// When the config is impossible, or the partner's file does not hold the other network.
    fn predictor(self, config: &Config, device: &Device) -> Result<Predictor>;
}

impl Trainable for RetinaFace {
    fn fitted_to(self, _training: &Dataset, _config: &Config) -> Result<Self> {
        Ok(self)
    }

    fn predictor(self, config: &Config, device: &Device) -> Result<Predictor> {
        let own = Predictor::new(self, config, device)?;
        let Some(path) = &config.train.partner else {
            return Ok(own);
        };
        let other = Networks::load(path)?;
        let aligner = other.aligner_on(device)?;
        let aligner = other.header.aligner_config().cloned().zip(aligner);
        let (config, aligner) = aligner
            .with_context(|| format!("train.partner: {} holds no aligner", path.display()))?;
        own.with_aligner(aligner, &config, device)
    }
}

impl Trainable for Aligner {
    /// With their mean shape.
    fn fitted_to(self, training: &Dataset, config: &Config) -> Result<Self> {
        let mut faces = training.samples.iter().flat_map(|s| &s.faces);
        ensure!(
            !config.aligner.pose || faces.any(|face| face.pose.is_some()),
            "aligner.pose: no training face says how its head is turned; give data.train.*.pose, or \
             data.pose: points"
        );
        self.with_mean_shape(&mean_shape(training, config)?)
    }

    fn predictor(self, config: &Config, device: &Device) -> Result<Predictor> {
        match &config.train.partner {
            None => Predictor::of_aligner(self, config, device),
            Some(path) => {
                let (detector, own) = weights::load(path, device).context("train.partner")?;
                Predictor::new(detector, &own, device)?.with_aligner(self, config, device)
            }
        }
    }
}

/// The mean of every landmark over all faces with each in its upright crop, as `2L` deltas in the
/// coder's terms; both mirror images of a face count.
///
/// # Errors
/// When a landmark is nowhere labelled, and no start weights know it.
fn mean_shape(training: &Dataset, config: &Config) -> Result<Vec<f32>> {
    let scheme = config.landmarks.scheme()?;
    let side = config.aligner.side as f32;
    let anchor = config.aligner.anchor_cxcywh();
    let coder = Coder::of_deltas(config.anchors.variances);
    let mut sums = vec![[0.0f64; 3]; scheme.len()];
    for face in training.samples.iter().flat_map(|s| &s.faces) {
        let points = &face.landmarks;
        let Some(crop) = FaceCrop::around(points, &scheme, config.aligner.context) else {
            continue;
        };
        let map = crop.to_crop(side);
        for (i, point) in points.iter().enumerate().filter(|(_, p)| p.labelled) {
            let [x, y] = coder.encode_point(anchor, map.apply(point.at));
            for (point, x) in [(i, x), (scheme.mirror()[i], -x)] {
                let new = [f64::from(x), f64::from(y), 1.0];
                sums[point]
                    .iter_mut()
                    .zip(new)
                    .for_each(|(sum, v)| *sum += v);
            }
        }
    }
    let mut mean = Vec::with_capacity(2 * sums.len());
    for (i, [x, y, count]) in sums.into_iter().enumerate() {
        ensure!(
            count > 0.0 || config.init.weights.is_some(),
            "no training face has landmark {i}, and there are no start weights (init.weights)"
        );
        mean.extend([x, y].map(|sum| (sum / count.max(1.0)) as f32));
    }
    Ok(mean)
}
