//! A moving average of the weights, which generalises better than the last step's weights.

/// Exponential moving average of a flat vector of weights and running statistics.
#[derive(Clone, Debug)]
pub struct Ema {
    decay: f64,
    updates: u64,
    values: Vec<f32>,
}

impl Ema {
    /// An average that starts at `values`; `decay` 0 follows the weights without averaging.
    pub const fn new(decay: f64, values: Vec<f32>) -> Self {
        Self::resumed(decay, values, 0)
    }

    /// Continue an average after `updates` updates.
    pub const fn resumed(decay: f64, values: Vec<f32>, updates: u64) -> Self {
        Self {
            decay,
            updates,
            values,
        }
    }

    /// Mix in the weights after a step: `average = d * average + (1 - d) * weights`, where `d` is
    /// `min(decay, (1 + t) / (10 + t))` at update `t`, so that the random start is soon forgotten
    /// (TensorFlow's `ExponentialMovingAverage`).
    pub fn update(&mut self, weights: &[f32]) {
        let rest = (1.0 - self.decay_at(self.updates)) as f32;
        for (average, &weight) in self.values.iter_mut().zip(weights) {
            *average += rest * (weight - *average);
        }
        self.updates += 1;
    }

    /// Decay of update `t`, counted from 0.
    pub fn decay_at(&self, t: u64) -> f64 {
        self.decay.min((1 + t) as f64 / (10 + t) as f64)
    }

    /// The averages, in the layout of the weights.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Updates so far.
    pub const fn updates(&self) -> u64 {
        self.updates
    }
}
