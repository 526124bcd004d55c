//! The second look: the upright crop of one face -> its landmarks.
//!
//! A backbone, its three feature maps reduced to few channels, flattened, and one linear layer
//! around the mean shape (as in PFLD, Guo et al., 2019, arXiv:1902.10859); optionally heatmaps
//! beside it, whose expected places the linear layer then only corrects; and a scale of the Laplace
//! distribution around every landmark. A crop is one anchor: landmarks are deltas in the coder's
//! terms of the square that the face fills.

mod heatmaps;

use anyhow::{Context, Result, ensure};
use burn::module::{Module, Param};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

pub use heatmaps::Heatmaps;

use super::Network;
use super::backbone::Backbone;
use super::blocks::{ConvBn, ConvBnConfig, fold_all};
use super::freeze::{check_parts, freeze_if};
use crate::config::{AlignerConfig, Config, Task};

/// Slope of the leaky ReLUs behind the backbone.
const SLOPE: f32 = 0.1;

/// What the scales start at, as a logarithm: about where a briefly trained network stands.
const START_LOG_SCALE: f64 = -1.0;

/// How much smaller than usual the linear layer starts, so that the first guess is the mean shape.
const START_GAIN: f64 = 0.1;

/// What the network says about B crops.
#[derive(Clone, Debug)]
pub struct AlignerOutputs {
    /// `[B,2L]`, x before y, in the coder's terms.
    pub deltas: Tensor<2>,
    /// `[B,L]`: logarithm of the scale of the Laplace distribution of both coordinates' errors, in
    /// the same terms; `None` without `aligner.uncertainty`.
    pub log_scales: Option<Tensor<2>>,
}

/// Landmark regressor on crops of one size.
#[derive(Module, Debug)]
pub struct Aligner {
    /// Crop -> C3, C4, C5.
    pub backbone: Backbone,
    /// 1x1 convolutions of C3, C4, C5 to few channels.
    pub reduce: Vec<ConvBn>,
    /// 3x3 convolution with stride 2 of the reduced C3, which else were most of the inputs.
    pub halve: ConvBn,
    /// All reduced maps -> deltas; its bias starts as the mean shape.
    pub points: Linear,
    /// Reduced C5 -> logarithms of the scales.
    pub scales: Option<Linear>,
    /// Landmarks on maps, to which the deltas of `points` are added.
    pub heatmaps: Option<Heatmaps>,
    side: usize,
    /// Distance from the middle of a crop to its edge, in the coder's terms.
    #[module(skip)]
    reach: f32,
}

impl Aligner {
    /// The network that `config.aligner` and the backbone of `config.model` describe, with random
    /// weights from `device`'s generator.
    ///
    /// # Errors
    /// When [`Config::validate`] finds an impossible setting: names its key.
    pub fn new(config: &Config, device: &Device) -> Result<Self> {
        config.validate()?;
        let AlignerConfig {
            channels,
            side,
            uncertainty,
            heatmap_channels,
            ..
        } = config.aligner;
        let points = config.landmarks.scheme()?.len();
        let backbone = Backbone::new(&config.model, device);
        let reduce = |(from, to)| ConvBnConfig::new([from, to], 1).act(SLOPE).init(device);
        let halve = ConvBnConfig::new([channels[0]; 2], 3).stride(2).act(SLOPE);
        let inputs = inputs(channels, side as usize);
        let scales = uncertainty.then(|| {
            let layer = LinearConfig::new(inputs[2], points).with_initializer(Initializer::Zeros);
            with_bias(
                layer.init(device),
                vec![START_LOG_SCALE as f32; points],
                device,
            )
        });
        let heatmaps = (heatmap_channels > 0).then(|| {
            let map = (side as usize).div_ceil(8);
            Heatmaps::new(backbone.channels(), heatmap_channels, points, map, device)
        });
        let fan_out = Initializer::KaimingUniform {
            gain: START_GAIN / 3.0f64.sqrt(),
            fan_out_only: false,
        };
        Ok(Self {
            reduce: backbone
                .channels()
                .into_iter()
                .zip(channels)
                .map(reduce)
                .collect(),
            backbone,
            halve: halve.init(device),
            points: LinearConfig::new(inputs.iter().sum(), 2 * points)
                .with_initializer(fan_out)
                .init(device),
            scales,
            heatmaps,
            side: side as usize,
            reach: config.aligner.context * 0.5 / config.anchors.variances[0],
        })
    }

    /// Start from a mean shape: `2L` deltas in the coder's terms.
    ///
    /// # Errors
    /// When it has another number of coordinates.
    pub fn with_mean_shape(mut self, mean: &[f32]) -> Result<Self> {
        let [_, coordinates] = self.points.weight.dims();
        ensure!(
            mean.len() == coordinates,
            "a mean shape of {} coordinates for a network of {coordinates}",
            mean.len()
        );
        let device = self.points.weight.device();
        let start = match self.heatmaps.take() {
            None => mean.to_vec(),
            Some(heatmaps) => {
                self.heatmaps = Some(heatmaps.with_mean_shape(mean, self.reach));
                vec![0.0; coordinates]
            }
        };
        self.points = with_bias(self.points, start, &device);
        Ok(self)
    }

    /// `x` `[B,3,side,side]` -> [`AlignerOutputs`].
    pub fn forward(&self, x: Tensor<4>) -> AlignerOutputs {
        let maps = self.backbone.forward(x);
        let on_maps = self.heatmaps.as_ref().map(|h| h.forward(&maps, self.reach)); // [B,2L]
        let reduced = maps.into_iter().zip(&self.reduce);
        let mut maps: Vec<Tensor<4>> = reduced.map(|(map, conv)| conv.forward(map)).collect();
        maps[0] = self.halve.forward(maps[0].clone());
        let flat: Vec<Tensor<2>> = maps.into_iter().map(|m| m.flatten(1, 3)).collect(); // [B,c*h*w]
        let scales = self.scales.as_ref();
        AlignerOutputs {
            log_scales: scales.map(|layer| layer.forward(flat[2].clone())),
            deltas: match (self.points.forward(Tensor::cat(flat, 1)), on_maps) {
                (deltas, None) => deltas,
                (deltas, Some(on_maps)) => on_maps + deltas,
            },
        }
    }

    /// Side of the crops, pixels.
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Landmarks of a face.
    pub fn landmarks(&self) -> usize {
        self.points.weight.dims()[1] / 2
    }
}

impl Network for Aligner {
    const TASK: Task = Task::Align;

    fn new(config: &Config, device: &Device) -> Result<Self> {
        Self::new(config, device).context("cannot build an aligner")
    }

    fn fold(self) -> Self {
        Self {
            backbone: self.backbone.fold(),
            reduce: fold_all(self.reduce),
            halve: self.halve.fold(),
            heatmaps: self.heatmaps.map(Heatmaps::fold),
            ..self
        }
    }

    fn is_folded(&self) -> bool {
        self.halve.norm.is_none()
    }

    fn freeze_parts(self, parts: &[&str]) -> Result<Self> {
        const PARTS: [&str; 6] = [
            "backbone", "reduce", "halve", "points", "scales", "heatmaps",
        ];
        check_parts(parts, &PARTS)?;
        let frozen = |part| parts.contains(&part);
        Ok(Self {
            backbone: freeze_if(frozen("backbone"), self.backbone),
            reduce: freeze_if(frozen("reduce"), self.reduce),
            halve: freeze_if(frozen("halve"), self.halve),
            points: freeze_if(frozen("points"), self.points),
            scales: freeze_if(frozen("scales"), self.scales),
            heatmaps: freeze_if(frozen("heatmaps"), self.heatmaps),
            ..self
        })
    }
}

/// Inputs of the linear layers that C3 halved, C4 and C5 of a crop of `side` pixels give.
fn inputs(channels: [usize; 3], side: usize) -> [usize; 3] {
    let strides = [16, 16, 32];
    std::array::from_fn(|level| channels[level] * side.div_ceil(strides[level]).pow(2))
}

fn with_bias(mut layer: Linear, bias: Vec<f32>, device: &Device) -> Linear {
    let length = bias.len();
    let bias = Tensor::from_data(TensorData::new(bias, [length]), device);
    layer.bias = Some(Param::from_tensor(bias));
    layer
}
