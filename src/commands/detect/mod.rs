//! `retinamark detect`.

mod budget;
mod plan;
mod run;
mod walk;
mod work;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::second_look;
use crate::cli::{DetectArgs, Save};
use crate::infer::Predictor;
use crate::model::weights;
use crate::output::{self, Journal, Layout};
use crate::{device, interrupt};
use plan::{Photo, Plan};
use run::Tally;
use work::{Outputs, Worker};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const INTERRUPTED: u8 = 130;

/// Run the subcommand.
///
/// # Errors
/// When results cannot be written any more, such as on a full disk. What stops the command before
/// its first photo is reported here, with the exit code of wrong usage; photos that fail are
/// reported and counted.
pub fn run(args: DetectArgs) -> Result<ExitCode> {
    let ready = match prepare(&args) {
        Ok(ready) => ready,
        Err(error) => {
            report(&format!("error: {error:#}"));
            return Ok(ExitCode::from(USAGE));
        }
    };
    interrupt::listen()?;
    let Ready {
        plan,
        predictor,
        mut journal,
    } = ready;
    let mut tally = Tally {
        failed: plan.problems.len(),
        ..Tally::default()
    };
    for problem in &plan.problems {
        report(&format!("failed: {problem}"));
    }
    let todo = left_to_do(&args, &plan.photos, &journal);
    tally.skipped = plan.photos.len() - todo.len();
    let worker = Worker::new(&predictor, &args, jobs(&args));
    let begun = Instant::now();
    let stopped = run::all(&worker, &todo, jobs(&args), &mut journal, &mut tally);
    let seconds = begun.elapsed().as_secs_f64();
    let table = args.save.contains(&Save::Csv);
    let finished = journal.finish(
        plan.photos.iter().map(|photo| photo.name.as_str()),
        args.save.contains(&Save::Jsonl),
        table.then(|| predictor.scheme().len()),
    );
    summarise(&tally, todo.len(), seconds);
    stopped.and(finished)?;
    Ok(ExitCode::from(match tally {
        _ if interrupt::requested() => INTERRUPTED,
        Tally { failed: 0, .. } => 0,
        _ => FAILED,
    }))
}

/// Everything checked before the first photo.
struct Ready {
    plan: Plan,
    predictor: Predictor,
    journal: Journal,
}

fn prepare(args: &DetectArgs) -> Result<Ready> {
    let device = device::by_name(&args.device)?;
    ensure!(args.size.len() <= 2, "--size: at most two sizes");
    let plan = plan::plan(&args.paths, args.recursive, &args.out)?;
    if plan.photos.is_empty() {
        for problem in &plan.problems {
            report(&format!("failed: {problem}"));
        }
        bail!("no photos found{}", hint(args));
    }
    let weights = weights::find(args.weights.as_deref())?;
    let predictor = second_look::load(&weights, &args.second_look, &device)?;
    ensure!(
        predictor.finds_faces(),
        "{} holds an aligner only, which cannot find faces; give a detector's file as --weights \
         and this one as --aligner",
        weights.display()
    );
    ensure!(
        !args.save.contains(&Save::Crop) || output::has_template(predictor.scheme()),
        "--save crop needs a landmark scheme that says where eyes and mouth are \
         (landmarks.custom.anatomy)"
    );
    if !args.force && !args.resume {
        refuse_to_overwrite(args, &plan.photos)?;
    }
    let journal = if args.resume {
        Journal::resume(&args.out)?
    } else {
        Journal::start(&args.out, args.force)?
    };
    Ok(Ready {
        plan,
        predictor,
        journal,
    })
}

fn hint(args: &DetectArgs) -> &'static str {
    let folder = args.paths.iter().any(|path| path.is_dir());
    if folder && !args.recursive {
        "; folders within folders are read with --recursive"
    } else {
        ""
    }
}

fn refuse_to_overwrite(args: &DetectArgs, photos: &[Photo]) -> Result<()> {
    let existing = output::existing_record(&args.out).or_else(|| {
        // The number of faces is not known yet; the first face's files stand for all.
        let one = output::Done {
            size: [1, 1],
            faces: 1,
        };
        let outputs = Outputs::new(args);
        photos
            .iter()
            .flat_map(|photo| outputs.files(&Layout::new(&args.out, &photo.relative), one))
            .find(|file| exists(file))
    });
    if let Some(file) = existing {
        bail!(
            "{} exists already: choose another --out, replace it with --force, or go on with \
             --resume",
            file.display()
        );
    }
    Ok(())
}

/// Photos that no earlier call has done, or whose files are not all there.
fn left_to_do<'a>(args: &DetectArgs, photos: &'a [Photo], journal: &Journal) -> Vec<&'a Photo> {
    let outputs = Outputs::new(args);
    let is_done = |photo: &Photo| {
        let layout = Layout::new(&args.out, &photo.relative);
        journal
            .done(&photo.name)
            .is_some_and(|done| outputs.files(&layout, done).iter().all(|file| exists(file)))
    };
    photos.iter().filter(|photo| !is_done(photo)).collect()
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn jobs(args: &DetectArgs) -> usize {
    args.jobs.map_or_else(cores, usize::from)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn summarise(tally: &Tally, planned: usize, seconds: f64) {
    let looked_at = tally.done + tally.unreadable;
    let speed = looked_at as f64 / seconds.max(1e-9);
    let decimals = if speed < 10.0 { 2 } else { 1 };
    let mut text = format!(
        "{} photos, {} faces, {} failed, {} skipped, {speed:.decimals$} images/s",
        tally.done, tally.faces, tally.failed, tally.skipped,
    );
    if looked_at < planned {
        let left = planned - looked_at;
        text.push_str(&format!("; stopped with {left} left: --resume goes on"));
    }
    // Nobody reading is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
