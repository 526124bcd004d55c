//! SGD with momentum and AdamW over all weights of a model in one pass.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::{Kind, Layout};
use crate::config::{OptimizerConfig, OptimizerKind};

/// What must be kept to continue an optimiser exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// First moment (AdamW) or velocity (SGD) of every weight.
    pub first: Vec<f32>,
    /// Second moment of every weight (AdamW; empty for SGD).
    pub second: Vec<f32>,
    /// How often each tensor was updated; frozen ones lag behind.
    pub updates: Vec<u64>,
}

/// An optimiser that holds the weights in one flat vector and writes them to the model after
/// every step. Gradients of several micro-batches are averaged, then clipped by the norm of all
/// of them together.
#[derive(Clone, Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    layout: Layout,
    values: Vec<f32>,
    gradients: Vec<f32>,
    touched: Vec<bool>,
    micro_batches: usize,
    state: OptimizerState,
}

impl Optimizer {
    /// An optimiser for `model` as it is now.
    pub fn new<M: Module>(config: &OptimizerConfig, model: &M) -> Self {
        let layout = Layout::of(model);
        let mut values = vec![0.0; layout.len()];
        layout.read(&model.valid(), &mut values);
        let second = match config.kind {
            OptimizerKind::Adamw => vec![0.0; layout.len()],
            OptimizerKind::Sgd => Vec::new(),
        };
        Self {
            config: config.clone(),
            gradients: vec![0.0; layout.len()],
            touched: vec![false; layout.entries().len()],
            micro_batches: 0,
            state: OptimizerState {
                first: vec![0.0; layout.len()],
                second,
                updates: vec![0; layout.entries().len()],
            },
            values,
            layout,
        }
    }

    /// Where each tensor lies in the flat vectors.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All weights, and the running statistics as of the last `sync_statistics`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Copy the running statistics of `model` into `values`.
    pub fn sync_statistics<M: Module>(&mut self, model: &M) {
        self.layout.read_statistics(model, &mut self.values);
    }

    /// State to save.
    pub const fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Continue from a saved state and its weights.
    pub fn restore(&mut self, values: Vec<f32>, state: OptimizerState) {
        self.values = values;
        self.state = state;
    }

    /// Take the gradients of one micro-batch.
    pub fn accumulate<M: Module>(&mut self, model: &M, gradients: &GradientsParams) {
        self.layout
            .add_gradients(model, gradients, &mut self.gradients, &mut self.touched);
        self.micro_batches += 1;
    }

    /// Micro-batches since the last step.
    pub const fn pending(&self) -> usize {
        self.micro_batches
    }

    /// Update the weights with the gradients so far. Gives the model with the new weights and the
    /// norm of the averaged gradients before clipping. A norm that is not finite changes nothing.
    pub fn step<M: Module>(&mut self, model: M, learning_rate: f64) -> (M, f32) {
        let average = 1.0 / self.micro_batches.max(1) as f32;
        let norm = global_norm(&self.gradients) * average;
        if !norm.is_finite() {
            self.clear_gradients();
            return (model, norm);
        }
        let scale = average * clip_factor(norm, self.config.clip_norm);
        for index in 0..self.layout.entries().len() {
            if self.touched[index] {
                self.update_tensor(index, scale, learning_rate);
            }
        }
        self.clear_gradients();
        (self.layout.write_learned(model, &self.values), norm)
    }

    fn clear_gradients(&mut self) {
        self.gradients.fill(0.0);
        self.touched.fill(false);
        self.micro_batches = 0;
    }

    fn update_tensor(&mut self, index: usize, scale: f32, learning_rate: f64) {
        let entry = &self.layout.entries()[index];
        let (range, kind) = (entry.range(), entry.kind);
        let decay = match kind {
            Kind::Decayed => self.config.weight_decay,
            Kind::Plain | Kind::Statistic => 0.0,
        };
        self.state.updates[index] += 1;
        let updates = self.state.updates[index];
        let weights = &mut self.values[range.clone()];
        let gradients = &self.gradients[range.clone()];
        let first = &mut self.state.first[range.clone()];
        match self.config.kind {
            OptimizerKind::Sgd => {
                let momentum = self.config.momentum as f32;
                sgd(
                    weights,
                    gradients,
                    first,
                    scale,
                    learning_rate as f32,
                    momentum,
                    decay,
                );
            }
            OptimizerKind::Adamw => {
                let adam = AdamW::at(&self.config, updates, learning_rate, decay);
                adam.update(
                    weights,
                    gradients,
                    first,
                    &mut self.state.second[range],
                    scale,
                );
            }
        }
    }
}

/// Euclidean norm of all numbers, summed in f64.
fn global_norm(gradients: &[f32]) -> f32 {
    let squares: f64 = gradients.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
    squares.sqrt() as f32
}

/// What brings gradients of `norm` down to `limit`; 0 is no limit.
fn clip_factor(norm: f32, limit: f32) -> f32 {
    if limit > 0.0 && norm > limit {
        limit / norm
    } else {
        1.0
    }
}

/// SGD with momentum and (coupled) weight decay as in PyTorch: `v = momentum * v + g + decay * w`,
/// `w -= lr * v`.
fn sgd(
    weights: &mut [f32],
    gradients: &[f32],
    velocity: &mut [f32],
    scale: f32,
    learning_rate: f32,
    momentum: f32,
    decay: f32,
) {
    for ((w, &g), v) in weights.iter_mut().zip(gradients).zip(velocity) {
        *v = momentum * *v + g * scale + decay * *w;
        *w -= learning_rate * *v;
    }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), bias-corrected, at one step.
struct AdamW {
    betas: [f32; 2],
    epsilon: f32,
    step_size: f32,
    second_correction: f32,
    keep: f32,
}

impl AdamW {
    fn at(config: &OptimizerConfig, updates: u64, learning_rate: f64, decay: f32) -> Self {
        let corrections = config
            .betas
            .map(|beta| 1.0 - f64::from(beta).powf(updates as f64));
        Self {
            betas: config.betas,
            epsilon: config.epsilon,
            step_size: (learning_rate / corrections[0]) as f32,
            second_correction: (1.0 / corrections[1].sqrt()) as f32,
            keep: (1.0 - learning_rate * f64::from(decay)) as f32,
        }
    }

    fn update(
        &self,
        weights: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        second: &mut [f32],
        scale: f32,
    ) {
        let [b1, b2] = self.betas;
        let moments = first.iter_mut().zip(second);
        for ((w, &g), (m, v)) in weights.iter_mut().zip(gradients).zip(moments) {
            let g = g * scale;
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            let denominator = v.sqrt() * self.second_correction + self.epsilon;
            *w = *w * self.keep - self.step_size * *m / denominator;
        }
    }
}
