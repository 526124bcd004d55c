//! `retinamark synth`.

use std::process::ExitCode;

use anyhow::Result;
use indicatif::ProgressBar;

use crate::cli::SynthArgs;
use crate::console;
use crate::synth::{self, Options};

/// Run the subcommand: draw photos, write lists and a configuration, say what to do next.
///
/// # Errors
/// On impossible arguments, and files that exist already or cannot be written.
pub fn run(args: SynthArgs) -> Result<ExitCode> {
    let options = Options {
        photos: args.photos,
        faces_per_photo: args.faces_per_photo,
        size: args.size,
        seed: args.seed,
        validation: args.split,
        ..Options::default()
    };
    let bar = ProgressBar::new(options.photos as u64);
    let written = synth::write(&args.out, &options, &|| bar.inc(1));
    bar.finish_and_clear();
    let written = written?;
    for (list, [photos, faces]) in [
        ("train.txt", written.train),
        ("val.txt", written.validation),
    ] {
        console::say(format!(
            "{}: {photos} photos, {faces} faces",
            args.out.join(list).display()
        ));
    }
    let config = args.out.join("config.yaml");
    console::say(format!(
        "next: retinamark train --config {}",
        config.display()
    ));
    Ok(ExitCode::SUCCESS)
}
