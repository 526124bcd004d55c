//! An optimiser over all weights of a model in one pass.

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::optim::GradientsParams;

use super::rule::{Slot, Slots, Step};
use super::settings::OptimizerConfig;
use super::{Entry, Gradients, Kind, Layout};

/// What must be kept to continue an optimiser exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState {
    /// What its kind keeps for every weight, by name.
    pub slots: Vec<Slot>,
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
    gradients: Gradients,
    micro_batches: usize,
    state: OptimizerState,
}

impl Optimizer {
    /// An optimiser for `model` as it is now.
    pub fn new<M: Module>(config: &OptimizerConfig, model: &M) -> Self {
        let layout = Layout::of(model);
        let mut values = vec![0.0; layout.len()];
        layout.read(&model.valid(), &mut values);
        let slots = config.kind.rule().slots().into_iter();
        let slots = slots.map(|(name, start)| Slot {
            name: name.to_owned(),
            values: vec![start; layout.len()],
        });
        Self {
            config: config.clone(),
            gradients: Gradients::none(&layout),
            micro_batches: 0,
            state: OptimizerState {
                slots: slots.collect(),
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

    /// All weights, and the running statistics as of the last step or `sync_statistics`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Go on from other weights and running statistics, with all that is kept of gradients.
    pub fn set_values(&mut self, values: &[f32]) {
        self.values.copy_from_slice(values);
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
    ///
    /// # Errors
    /// When the state is of another kind, or of another model.
    pub fn restore(&mut self, values: Vec<f32>, state: OptimizerState) -> Result<()> {
        let names = |state: &OptimizerState| -> Vec<String> {
            state.slots.iter().map(|slot| slot.name.clone()).collect()
        };
        let (mut there, mut here) = (names(&state), names(&self.state));
        there.sort();
        here.sort();
        ensure!(
            there == here,
            "its optimiser keeps {}, this one {}",
            there.join(", "),
            here.join(", ")
        );
        let len = self.layout.len();
        ensure!(
            values.len() == len
                && state.slots.iter().all(|slot| slot.values.len() == len)
                && state.updates.len() == self.layout.entries().len(),
            "it is of another model"
        );
        self.values = values;
        self.state.updates = state.updates;
        for slot in state.slots {
            let own = self
                .state
                .slots
                .iter_mut()
                .filter(|own| own.name == slot.name);
            own.for_each(|own| own.values.clone_from(&slot.values));
        }
        Ok(())
    }

    /// Take the gradients of one micro-batch.
    pub fn accumulate<M: Module>(&mut self, model: &M, gradients: &GradientsParams) {
        self.gradients.add(&self.layout, model, gradients);
        self.micro_batches += 1;
    }

    /// Micro-batches since the last step.
    pub const fn pending(&self) -> usize {
        self.micro_batches
    }

    /// What the regulariser adds to the loss; `None` without one. Its gradient enters in
    /// [`Self::step`].
    pub fn penalty(&self) -> Option<f64> {
        let regularizer = self.config.regularizer;
        let decayed = || {
            self.layout
                .entries()
                .iter()
                .filter(|e| e.kind == Kind::Decayed)
        };
        let of = |entry: &Entry| regularizer.penalty(&self.values[entry.range()]);
        (!regularizer.is_none()).then(|| decayed().map(of).sum())
    }

    /// Update the weights with the gradients so far. Gives the model with the new weights and the
    /// norm of the averaged gradients before clipping. A norm that is not finite changes no weight.
    /// The device is read once, gradients and running statistics together.
    pub fn step<M: Module>(&mut self, model: M, learning_rate: f64) -> (M, f32) {
        let mut sums = vec![0.0; self.layout.len()];
        let (layout, values) = (&self.layout, &mut self.values);
        let touched = self.gradients.read(layout, &model, values, &mut sums);
        self.regularise(&mut sums, &touched);
        let average = 1.0 / self.micro_batches.max(1) as f32;
        self.micro_batches = 0;
        let norm = global_norm(&sums) * average;
        if !norm.is_finite() {
            return (model, norm);
        }
        let scale = average * clip_factor(norm, self.config.clip_norm);
        for index in (0..touched.len()).filter(|&index| touched[index]) {
            self.update_tensor(index, &mut sums, scale, learning_rate);
        }
        (self.layout.write_learned(model, &self.values), norm)
    }

    /// Add the penalties' gradients to the sums, once for each micro-batch.
    fn regularise(&self, sums: &mut [f32], touched: &[bool]) {
        let regularizer = self.config.regularizer;
        if regularizer.is_none() {
            return;
        }
        let times = self.micro_batches as f32;
        let entries = self.layout.entries().iter().zip(touched);
        for (entry, _) in entries.filter(|&(e, &touched)| touched && e.kind == Kind::Decayed) {
            let gradients = &mut sums[entry.range()];
            regularizer.add_gradient(&self.values[entry.range()], times, gradients);
        }
    }

    fn update_tensor(&mut self, index: usize, sums: &mut [f32], scale: f32, rate: f64) {
        let entry = &self.layout.entries()[index];
        let range = entry.range();
        self.state.updates[index] += 1;
        let step = Step {
            rate,
            updates: self.state.updates[index],
            decay: match entry.kind {
                Kind::Decayed => self.config.weight_decay,
                Kind::Plain | Kind::Statistic => 0.0,
            },
        };
        let gradients = &mut sums[range.clone()];
        gradients.iter_mut().for_each(|g| *g *= scale);
        let slots = Slots::new(&mut self.state.slots, range.clone());
        let rule = self.config.kind.rule();
        rule.update(&step, &mut self.values[range], gradients, slots);
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
