//! Penalties, and states that do not fit.

use super::*;
use crate::train::optim::learned;

/// The penalty's gradient is that of the penalty, enters once however many micro-batches a step
/// has, and only kernels are penalised.
#[test]
fn regularisers_pull_kernels_to_zero() {
    let model = small();
    let regularizer = Regularizer { l1: 0.25, l2: 0.5 };
    let config = OptimizerConfig {
        regularizer,
        ..plain_sgd()
    };
    let mut with = Optimizer::new(&config, &model);
    let mut without = Optimizer::new(&plain_sgd(), &model);
    assert_eq!(without.penalty(), None);
    let before = with.values().to_vec();
    let expected: f32 = before[..4]
        .iter()
        .map(|w| 0.25 * w.abs() + 0.5 * w * w)
        .sum();
    assert!((with.penalty().unwrap() as f32 - expected).abs() < 1e-6);
    for optimizer in [&mut with, &mut without] {
        for scale in [1.0, 3.0] {
            optimizer.accumulate(&model, &gradients(&model, scale));
        }
        optimizer.step(model.clone(), 0.1);
    }
    let layout = Layout::of(&model);
    for entry in learned(&layout) {
        for i in entry.range() {
            let pull = match entry.kind {
                Kind::Decayed => 0.25 * before[i].signum() + 2.0 * 0.5 * before[i],
                _ => 0.0,
            };
            let difference = without.values()[i] - with.values()[i];
            assert!((difference - 0.1 * pull).abs() < 1e-6, "{} {i}", entry.name);
        }
    }
}

#[test]
fn a_weight_of_zero_is_pulled_to_neither_side() {
    let model = small();
    let layout = Layout::of(&model);
    let model = layout.write_learned(model, &vec![0.0; layout.len()]);
    let config = OptimizerConfig {
        regularizer: Regularizer { l1: 1.0, l2: 0.0 },
        ..plain_sgd()
    };
    let mut optimizer = Optimizer::new(&config, &model);
    optimizer.accumulate(&model, &gradients(&model, 1.0));
    let plain = flat_gradients(&model, 1.0);
    optimizer.step(model, 1.0);
    let moved: Vec<f32> = optimizer.values()[..4].iter().map(|w| -w).collect();
    close(&moved, &plain[..4], 1e-6);
}

#[test]
fn a_state_of_another_kind_or_model_is_refused() {
    let model = small();
    let adam = Optimizer::new(&OptimizerConfig::default(), &model);
    let (values, state) = (adam.values().to_vec(), adam.state().clone());
    let error = Optimizer::new(&plain_sgd(), &model)
        .restore(values.clone(), state.clone())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("first, second") && error.contains("velocity"),
        "{error}"
    );
    let mut same = Optimizer::new(&OptimizerConfig::default(), &model);
    assert!(same.restore(values[1..].to_vec(), state.clone()).is_err());
    // The order in which slots are stored does not matter.
    let mut turned = state.clone();
    turned.slots.reverse();
    turned.slots[0].values[0] = 7.0;
    same.restore(values, turned).unwrap();
    assert_eq!(same.state().slots[1].name, "second");
    assert_eq!(same.state().slots[1].values[0], 7.0);
}
