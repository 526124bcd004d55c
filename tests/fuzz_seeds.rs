//! The fuzz targets on their seeds, whole, cut and damaged: what a fuzzer runs for hours is at least
//! started by every `cargo test`.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Damaged copies of each seed.
const COPIES: usize = 12;

fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut seeds = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let seed = fs::read(file.unwrap().path()).unwrap();
        seeds += 1;
        target(&seed);
        for copy in 0..COPIES {
            target(&seed[..seed.len() * copy / COPIES]);
            let mut damaged = seed.clone();
            for _ in 0..=copy {
                let at = rng.random_range(0..damaged.len());
                damaged[at] = rng.random();
            }
            target(&damaged);
        }
    }
    assert!(seeds > 0, "no seeds in {}", folder.display());
}

macro_rules! seeds_of {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            run(stringify!($target), targets::$target);
        })*
    };
}

seeds_of!(wflw wider retinaface pts mat lapa coco yolo crops config weights checkpoint photo postprocess);
