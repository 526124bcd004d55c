//! Lets a `--features tch` binary find libtorch where `LIBTORCH` says, without
//! `LD_LIBRARY_PATH`.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let with_tch = env::var_os("CARGO_FEATURE_TCH").is_some();
    let on_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let Some(root) = env::var_os("LIBTORCH").filter(|_| with_tch && on_linux) else {
        return;
    };
    // An old-style RPATH (`--disable-new-dtags`) also counts for the libraries that libtorch
    // itself needs; a RUNPATH would not.
    let lib = Path::new(&root).join("lib");
    println!(
        "cargo:rustc-link-arg=-Wl,--disable-new-dtags,-rpath,{}",
        lib.display()
    );
}
