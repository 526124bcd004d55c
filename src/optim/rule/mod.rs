//! Optimisers: how a gradient becomes a step, one a file with its settings.

mod adadelta;
mod adagrad;
mod adam;
mod adamw;
mod angular_grad;
mod ftrl;
mod rmsprop;
mod sgd;

use std::ops::Range;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use angular_grad::{AngularGrad, Coefficient};
pub use ftrl::Ftrl;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use crate::check::Check;
use crate::kinds::kinds;

/// How gradients become steps.
pub trait Rule {
    /// What it keeps for each weight: names, which checkpoints store it by, and start values.
    fn slots(&self) -> Vec<(&'static str, f32)>;

    /// One step of the weights of one tensor, given their gradients and its part of the slots,
    /// all equally long.
    fn update(&self, step: &Step, weights: &mut [f32], gradients: &[f32], slots: Slots<'_>);

    /// Whether the values make sense.
    fn check(&self, check: &mut Check);
}

/// What a step of one tensor depends on.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Learning rate.
    pub rate: f64,
    /// Updates of this tensor, with this one: 1 at first.
    pub updates: u64,
    /// Weight decay of this tensor.
    pub decay: f32,
}

/// The part of all slots that belongs to one tensor.
#[derive(Debug)]
pub struct Slots<'a> {
    all: &'a mut [Slot],
    range: Range<usize>,
}

/// Numbers that an optimiser keeps, one a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// What they are.
    pub name: String,
    /// In the layout of the weights.
    pub values: Vec<f32>,
}

impl<'a> Slots<'a> {
    /// Where `range` of the flat vectors is that tensor.
    pub const fn new(all: &'a mut [Slot], range: Range<usize>) -> Self {
        Self { all, range }
    }

    /// The slots in the order of [`Rule::slots`], of which there are `N`; empty ones beyond that.
    pub fn parts<const N: usize>(self) -> [&'a mut [f32]; N] {
        let mut all = self.all.iter_mut();
        std::array::from_fn(|_| {
            let slot = all.next().map(|slot| &mut slot.values[self.range.clone()]);
            slot.unwrap_or_default()
        })
    }
}

kinds! {
    /// The optimisers.
    OptimizerKind as rule -> Rule {
        "sgd" => Sgd,
        "adam" => Adam,
        "adamw" => AdamW,
        "rmsprop" => RmsProp,
        "adagrad" => Adagrad,
        "adadelta" => Adadelta,
        "ftrl" => Ftrl,
        "angular_grad" => AngularGrad,
    }
}

impl Default for OptimizerKind {
    fn default() -> Self {
        Self::AdamW(AdamW::default())
    }
}

/// Of moving averages.
fn check_decays(check: &mut Check, decays: &[(&str, f32)]) {
    for &(key, decay) in decays {
        check.below(&format!("optimizer.{key}"), decay, 0.0, 1.0);
    }
}

fn check_epsilon(check: &mut Check, epsilon: f32) {
    check.positive("optimizer.epsilon", epsilon, 1.0);
}
