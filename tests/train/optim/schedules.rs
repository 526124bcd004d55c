//! Schedules against numbers worked out by hand and those of PyTorch and Keras.

use retinamark::config::{
    Constant, Cosine, CosineRestarts, Cyclical, Exponential, MultiStep, OneCycle, Polynomial,
    ScheduleConfig, ScheduleKind, StepDecay,
};
use retinamark::kinds::{Kinds, Settings};
use retinamark::optim::Schedule;

/// Of 100 steps, 10 an epoch, and a top of 1.
fn schedule(kind: ScheduleKind, warmup_steps: usize) -> Schedule {
    let config = ScheduleConfig { kind, warmup_steps };
    Schedule::new(&config, 1.0, 100, 10)
}

fn multi_step() -> ScheduleKind {
    ScheduleKind::MultiStep(MultiStep {
        milestones: vec![0.5, 0.75],
        gamma: 0.1,
    })
}

fn cosine() -> ScheduleKind {
    ScheduleKind::Cosine(Cosine { floor: 0.1 })
}

fn restarts(cycle_epochs: f64, cycle_mult: f64) -> ScheduleKind {
    ScheduleKind::CosineRestarts(CosineRestarts {
        cycle_epochs,
        cycle_mult,
        floor: 0.1,
        ..CosineRestarts::default()
    })
}

fn cyclical(cycle_epochs: f64) -> ScheduleKind {
    ScheduleKind::Cyclical(Cyclical {
        cycle_epochs,
        floor: 0.1,
    })
}

fn check(schedule: &Schedule, table: &[(usize, f64)]) {
    for &(step, expected) in table {
        let rate = schedule.at(step);
        assert!(
            (rate - expected).abs() < 1e-9,
            "step {step}: {rate}, not {expected}"
        );
    }
}

#[test]
fn constant_with_warm_up() {
    let table = [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (99, 1.0)];
    check(&schedule(ScheduleKind::Constant(Constant {}), 4), &table);
    check(
        &schedule(ScheduleKind::Constant(Constant {}), 0),
        &[(0, 1.0)],
    );
}

#[test]
fn multi_step_fires_at_its_shares_of_the_run() {
    let table = [
        (0, 1.0),
        (49, 1.0),
        (50, 0.1),
        (74, 0.1),
        (75, 0.01),
        (99, 0.01),
    ];
    check(&schedule(multi_step(), 0), &table);
    check(&schedule(multi_step(), 10), &table[1..]);
}

#[test]
fn cosine_goes_from_the_top_to_the_floor() {
    let half = 0.1 + 0.9 * 0.5;
    let table = [(0, 1.0), (50, half), (100, 0.1), (1000, 0.1)];
    check(&schedule(cosine(), 0), &table);
    let warmed = [(0, 0.05), (19, 1.0), (20, 1.0), (60, half), (100, 0.1)];
    check(&schedule(cosine(), 20), &warmed);
}

#[test]
fn restarts_come_after_20_and_then_40_steps() {
    let half = 0.1 + 0.9 * 0.5;
    let table = [
        (0, 1.0),
        (10, half),
        (20, 1.0),
        (40, half),
        (60, 1.0),
        (100, half),
    ];
    check(&schedule(restarts(2.0, 2.0), 0), &table);
}

#[test]
fn cycles_are_triangles() {
    let half = 0.1 + 0.9 * 0.5;
    let table = [
        (0, 0.1),
        (5, half),
        (10, 1.0),
        (15, half),
        (20, 0.1),
        (30, 1.0),
    ];
    check(&schedule(cyclical(2.0), 0), &table);
}

#[test]
fn a_cycle_has_at_least_one_step_and_does_not_shrink() {
    check(&schedule(cyclical(0.0), 0), &[(0, 0.1), (7, 0.1)]);
    // 20 steps, and 20 again: step 25 is a quarter of the way.
    let quarter = 0.1 + 0.9 * 0.5 * (1.0 + 0.5f64.sqrt());
    check(&schedule(restarts(2.0, 0.5), 0), &[(25, quarter)]);
}

/// Steps whose rates stand in the tables of other programs.
const AT: [usize; 10] = [0, 1, 9, 10, 15, 25, 39, 60, 99, 100];

/// Numbers in 32 bits.
fn check_at(kind: ScheduleKind, expected: &[f64]) {
    let schedule = schedule(kind, 0);
    for (&step, expected) in AT.iter().zip(expected) {
        let rate = schedule.at(step);
        assert!(
            (rate - expected).abs() < 2e-7,
            "step {step}: {rate}, not {expected}"
        );
    }
}

/// Keras 3.15: `ExponentialDecay(1.0, 10, 0.94)`, with and without `staircase`.
#[test]
fn exponential_as_keras_computes_it() {
    let of = |staircase| {
        ScheduleKind::Exponential(Exponential {
            factor: 0.94,
            every_steps: 10,
            staircase,
        })
    };
    let stairs = [
        1.0,
        1.0,
        1.0,
        0.94,
        0.94,
        0.883_6,
        0.830_584,
        0.689_869_76,
        0.572_994_77,
        0.538_615_1,
    ];
    check_at(of(true), &stairs);
    let smooth = [
        1.0,
        0.993_831_57,
        0.945_834_34,
        0.94,
        0.911_363_8,
        0.856_682,
        0.785_594_8,
        0.689_869_76,
        0.541_958_15,
        0.538_615_1,
    ];
    check_at(of(false), &smooth);
}

/// Keras 3.15: `PolynomialDecay(1.0, 100, 0.05, power=2.0)`.
#[test]
fn polynomial_as_keras_computes_it() {
    let kind = ScheduleKind::Polynomial(Polynomial {
        floor: 0.05,
        power: 2.0,
    });
    let expected = [
        1.0,
        0.981_095,
        0.836_694_96,
        0.819_5,
        0.736_375_03,
        0.584_375,
        0.403_495_04,
        0.202,
        0.050_095,
        0.05,
    ];
    check_at(kind, &expected);
}

/// Keras 3.15: `CosineDecayRestarts(1.0, 20, t_mul=2.0, m_mul=0.5, alpha=0.1)`.
#[test]
fn lower_restarts_as_keras_computes_them() {
    let kind = ScheduleKind::CosineRestarts(CosineRestarts {
        cycle_epochs: 2.0,
        cycle_mult: 2.0,
        peak_mult: 0.5,
        floor: 0.1,
    });
    let expected = [
        1.0,
        0.994_459_75,
        0.620_395_54,
        0.55,
        0.231_801_96,
        0.532_872_9,
        0.342_653_27,
        0.325,
        0.216_916_74,
        0.212_5,
    ];
    check_at(kind, &expected);
}

/// PyTorch 2.11: `StepLR(20, 0.5)`, `CosineAnnealingLR(100, eta_min=0.1)`, `CyclicLR(0.1, 1.0,
/// step_size_up=10)`.
#[test]
fn steps_cosines_and_cycles_as_pytorch_computes_them() {
    let kind = ScheduleKind::StepDecay(StepDecay {
        factor: 0.5,
        every_epochs: 2.0,
    });
    let halved = [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.125, 0.0625, 0.031_25];
    check_at(kind, &halved);
    let expected = [
        1.0,
        0.999_777_95,
        0.982_132_16,
        0.977_975_43,
        0.950_952_94,
        0.868_198_05,
        0.702_432_06,
        0.410_942_35,
        0.100_222_05,
        0.1,
    ];
    check_at(cosine(), &expected);
    let expected = [0.1, 0.19, 0.91, 1.0, 0.55, 0.55, 0.19, 0.1, 0.19, 0.1];
    check_at(cyclical(2.0), &expected);
}

/// PyTorch 2.11: `OneCycleLR(1.0, total_steps=100)`.
#[test]
fn one_cycle_as_pytorch_computes_it() {
    let expected = [
        0.04,
        0.042_813_78,
        0.250_630_21,
        0.295_163_95,
        0.545_986_68,
        0.955_636_2,
        0.950_484_63,
        0.589_280_09,
        4e-6,
        4e-6,
    ];
    check_at(ScheduleKind::OneCycle(OneCycle::default()), &expected);
}

#[test]
fn one_cycle_fits_into_the_shortest_run() {
    for steps in 1..5 {
        let config = ScheduleConfig {
            kind: ScheduleKind::OneCycle(OneCycle::default()),
            warmup_steps: 0,
        };
        let schedule = Schedule::new(&config, 1.0, steps, 1);
        for step in 0..=steps {
            let rate = schedule.at(step);
            assert!(
                (0.0..=1.0).contains(&rate),
                "step {step} of {steps}: {rate}"
            );
        }
    }
}

/// The warm-up leads to where the shape begins, whatever the shape.
#[test]
fn every_shape_has_a_warm_up() {
    for name in ScheduleKind::NAMES {
        let kind = ScheduleKind::with(name, Settings::new()).unwrap();
        let schedule = schedule(kind, 4);
        let (first, last) = (schedule.at(0), schedule.at(3));
        assert!((last / first - 4.0).abs() < 1e-9, "{name}");
        let begins = schedule.at(4);
        assert!(
            (begins / last - 1.0).abs() < 0.01,
            "{name}: {last}, then {begins}"
        );
    }
}
