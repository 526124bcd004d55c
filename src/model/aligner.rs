//! The aligner on burn's tensors: the second look.

use anyhow::{Context, Result, ensure};
use burn::tensor::{Tensor, TensorData};
use retinamark_core::graph::{Graph, Trace};
use retinamark_core::infer::Program;
use retinamark_core::net::AlignerNet;

use super::grid::Grid;
use super::network::{Describe, Model, Network};
use super::tensors;
use crate::config::{Config, Settings, Task};

/// How far around the mean shape a landmark is first looked for: standard deviation, share of the
/// crop's side.
const START_SPREAD: f32 = 0.12;

/// What the network says about B crops.
#[derive(Clone, Debug)]
pub struct AlignerOutputs {
    /// `[B,2L]`, x before y, in the coder's terms.
    pub deltas: Tensor<2>,
    /// `[B,L]`: logarithm of the scale of the Laplace distribution of both coordinates' errors, in
    /// the same terms; `None` without `aligner.uncertainty`.
    pub log_scales: Option<Tensor<2>>,
    /// `[B,3]`: pitch, yaw and roll of the head in the crop, radians; `None` without `aligner.pose`.
    pub pose: Option<Tensor<2>>,
}

/// Landmark regressor on crops of one size.
pub type Aligner = Model<AlignerNet>;

impl Describe for AlignerNet {
    const TASK: Task = Task::Align;

    fn describe(config: &Config) -> Result<Self> {
        Self::of_settings(&config.settings()).context("cannot build an aligner")
    }

    fn program(settings: &Settings) -> retinamark_core::Result<Program> {
        Program::aligner(settings)
    }

    fn trace(&self, _size: [usize; 2]) -> Graph {
        let (mut trace, crop) = Trace::of([self.colours, self.side, self.side]);
        let outputs = self.forward(&mut trace, &crop);
        trace.finish(&outputs.named())
    }
}

impl Aligner {
    /// `x` `[B,C,side,side]` -> [`AlignerOutputs`].
    pub fn forward(&self, x: Tensor<4>) -> AlignerOutputs {
        let outputs = self.description.forward(&mut self.forward_ops(), &x);
        AlignerOutputs {
            deltas: outputs.deltas.flatten(1, 3),
            log_scales: outputs.log_scales.map(|scales| scales.flatten(1, 3)),
            pose: outputs.pose.map(|pose| pose.flatten(1, 3)),
        }
    }

    /// Start from a mean shape: `2L` deltas in the coder's terms.
    ///
    /// # Errors
    /// When it has another number of coordinates.
    pub fn with_mean_shape(self, mean: &[f32]) -> Result<Self> {
        let coordinates = 2 * self.landmarks();
        ensure!(
            mean.len() == coordinates,
            "a mean shape of {} coordinates for a network of {coordinates}",
            mean.len()
        );
        let specs = self.tensors();
        let prior = specs.iter().find(|spec| spec.name == "heatmaps.prior");
        // Where there are maps, the linear layer only corrects them.
        let start = match prior {
            None => mean.to_vec(),
            Some(_) => vec![0.0; coordinates],
        };
        let mut new = vec![(
            "points.bias".to_owned(),
            TensorData::new(start, [coordinates]),
        )];
        if let Some(spec) = prior {
            let numbers = self.prior(mean);
            new.push((
                spec.name.clone(),
                TensorData::new(numbers, spec.shape.clone()),
            ));
        }
        tensors::assign(self, new)
    }

    /// Where to look for each landmark at first: around its place in a mean shape.
    fn prior(&self, mean: &[f32]) -> Vec<f32> {
        let reach = self.description.reach;
        let grid = Grid {
            size: [self.side().div_ceil(8); 2],
            reach,
        };
        let spread = 2.0 * reach * START_SPREAD;
        let prior = mean.chunks_exact(2).flat_map(|mean| {
            grid.places().map(move |[x, y]| {
                let square = (x - mean[0]).powi(2) + (y - mean[1]).powi(2);
                -square / (2.0 * spread * spread)
            })
        });
        prior.collect()
    }

    /// Side of the crops, pixels.
    pub const fn side(&self) -> usize {
        self.description.side
    }

    /// Landmarks of a face.
    pub const fn landmarks(&self) -> usize {
        self.description.points
    }
}
