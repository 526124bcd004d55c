//! The operations on every instruction set that this processor has, not only on its widest.

use std::process::Command;

use retinamark::ops;

/// Narrows the choice in builds for tests.
const VARIABLE: &str = "RETINAMARK_SIMD";

fn has(set: &str) -> bool {
    match set {
        #[cfg(target_arch = "x86_64")]
        "avx512" => ops::instruction_set() == "avx512",
        #[cfg(target_arch = "x86_64")]
        "avx2" => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
        "scalar" => true,
        _ => false,
    }
}

/// Runs in the processes that the other test starts, where it fails if the choice had no effect.
#[test]
fn the_set_that_was_chosen_is_used() {
    if let Ok(chosen) = std::env::var(VARIABLE) {
        assert_eq!(ops::instruction_set(), chosen);
    }
}

#[test]
fn every_set_passes_all_tests_of_operations() {
    if std::env::var_os(VARIABLE).is_some() {
        return; // a process that this test has started
    }
    for set in ["avx512", "avx2", "scalar"] {
        if !has(set) {
            println!("skipped: this processor has no {set}");
            continue;
        }
        let mut tests = Command::new(std::env::current_exe().unwrap());
        tests
            .args(["ops::", "--test-threads", "2"])
            .env(VARIABLE, set);
        let output = tests.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{set}: {text}");
        assert!(
            text.contains("the_set_that_was_chosen_is_used ... ok"),
            "{set}: {text}"
        );
    }
}
