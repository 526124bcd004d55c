//! Networks into 8 bits.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use retinamark_core::calibrate::{self, Input, Recording, Report, Seen};
use retinamark_core::graph::Weights;
use retinamark_core::infer::{self as core, Around, FirstLook, Predictor, Program, Second};
use retinamark_core::settings::Settings;

use crate::cli::PackArgs;
use crate::commands::sources;
use crate::config::OnError;
use crate::console;
use crate::data::Dataset;
use crate::infer::DetectOptions;
use crate::model::weights::Networks;

/// Crops that are kept: a photo may show hundreds of faces.
const CROPS: usize = 512;

/// Under which the notes of a network say how it came into 8 bits.
const NOTE: &str = "8 bits";

/// All networks with convolutions in bytes: by the ranges that training in 8 bits has left, or else
/// by those met on photos of `--calibrate`. What was done stands in the notes.
///
/// # Errors
/// When neither is there, the list cannot be read or none of its photos, or shows no face to an
/// aligner.
pub fn in_bytes(mut networks: Networks, args: &PackArgs) -> Result<Networks> {
    let all = || networks.detector.iter().chain(&networks.aligners);
    ensure!(
        !all().any(Weights::has_bytes),
        "{} is in 8 bits already",
        args.weights.display()
    );
    let trained = all().filter(|w| w.has_ranges()).count();
    let untrained = all().count() - trained;
    let seen = match &args.calibrate {
        None => {
            ensure!(
                trained > 0,
                "--int8: no network of {} was trained in 8 bits (train.quantize_after): let \
                 --calibrate LIST show how far its numbers reach",
                args.weights.display()
            );
            None
        }
        Some(list) => {
            ensure!(
                untrained > 0,
                "--calibrate {list}: training in 8 bits has told how far numbers reach; leave it out"
            );
            Some(show(&networks, list, args)?)
        }
    };
    let config = networks.header.config.clone();
    if let Some(weights) = &mut networks.detector {
        let program = Program::detector(&config.settings())?;
        let inputs = seen.as_ref().map(|seen| (&seen.about, &seen.photos));
        let notes = &mut networks.header.notes;
        convert("detector", &program, weights, inputs, notes)?;
    }
    let aligners = networks.header.aligners_mut().into_iter();
    let aligners = aligners.zip(&mut networks.aligners).enumerate();
    for (stage, ((own, notes), weights)) in aligners {
        let program = Program::aligner(&own.settings())?;
        let crops = |seen: &'_ Shown| seen.crops.get(stage).cloned().unwrap_or_default();
        let crops = seen.as_ref().map(crops);
        let inputs = seen.as_ref().map(|seen| &seen.about).zip(crops.as_ref());
        convert("aligner", &program, weights, inputs, notes)?;
    }
    Ok(networks)
}

/// One network, by its own ranges or by what it was shown; one with neither stays as it is.
fn convert(
    what: &str,
    program: &Program,
    weights: &mut Weights,
    inputs: Option<(&About, &Vec<Input>)>,
    notes: &mut BTreeMap<String, String>,
) -> Result<()> {
    if weights.has_ranges() {
        let ranges = weights.input_ranges()?.len();
        *weights = calibrate::of_ranges(program, weights)?;
        let summary = format!("{ranges} convolutions, by the ranges of its training in 8 bits");
        console::say(format!("{what}: {summary}"));
        notes.insert(NOTE.into(), summary);
        return Ok(());
    }
    match inputs {
        Some((about, inputs)) => {
            ensure!(
                !inputs.is_empty(),
                "--calibrate: no face of {} was found for the {what}",
                about.list
            );
            *weights = about.convert(what, program, weights, inputs, notes)?;
        }
        None => console::say(format!(
            "{what}: stays in 32 bits: it was not trained in 8, and there is no --calibrate"
        )),
    }
    Ok(())
}

/// Show the networks photos of `list`.
fn show(networks: &Networks, list: &str, args: &PackArgs) -> Result<Shown> {
    ensure!(
        args.photos > 0 && args.max_loss.is_finite() && args.max_loss >= 0.0,
        "--photos and --max-loss: expected at least one photo, and a share from 0 on"
    );
    let source = sources::parse(list).context("--calibrate")?;
    let name = source
        .list
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let about = About {
        list: name.unwrap_or_default(),
        most: args.max_loss,
    };
    let mut config = networks.header.config.clone();
    config.data.on_error = OnError::Skip;
    let dataset = Dataset::load(&[source], &config)?;
    if !dataset.report.is_empty() {
        console::note(&dataset.report);
    }
    look(networks, &dataset, args.photos, about)
}

/// What the networks were shown.
struct Shown {
    about: About,
    photos: Vec<Input>,
    /// Of each aligner.
    crops: Vec<Vec<Input>>,
}

/// Use the networks as detection does: on photos, or on the labelled faces where there are only
/// aligners.
fn look(networks: &Networks, dataset: &Dataset, most: usize, about: About) -> Result<Shown> {
    let photos = Seen::new(most);
    let crops: Vec<Seen> = networks.aligners.iter().map(|_| Seen::new(CROPS)).collect();
    let header = &networks.header;
    let predictor = recording(networks, &photos, &crops)?;
    let options = DetectOptions::from(&header.config.detect);
    let step = dataset.samples.len().div_ceil(most).max(1);
    for (index, sample) in dataset.samples.iter().enumerate().step_by(step) {
        let photo = match dataset.decode(index) {
            Ok(photo) => photo,
            Err(error) => {
                console::note(format!("left out: {error:#}"));
                continue;
            }
        };
        if predictor.finds_faces() {
            predictor.detect(&photo, &options)?;
        } else {
            let boxes: Vec<_> = sample.faces.iter().map(|face| face.box_xyxy).collect();
            predictor.align(&photo, &boxes, Around::Face)?;
        }
    }
    let shown = Shown {
        about,
        photos: photos.take(),
        crops: crops.iter().map(Seen::take).collect(),
    };
    ensure!(
        !shown.photos.is_empty() || shown.crops.iter().any(|crops| !crops.is_empty()),
        "--calibrate: no photo of the list could be looked at"
    );
    Ok(shown)
}

fn recording(networks: &Networks, photos: &Seen, crops: &[Seen]) -> Result<Predictor> {
    let settings = networks.header.config.settings();
    let first = |weights: &Weights| -> Result<Box<dyn FirstLook>> {
        Ok(Box::new(Recording {
            network: core::Detector::new(&settings, weights)?,
            seen: photos.clone(),
        }))
    };
    let detector = networks.detector.as_ref().map(first).transpose()?;
    let own = networks.header.aligners().into_iter();
    let own: Vec<Settings> = own.map(|(config, _)| config.settings()).collect();
    let mut aligners: Vec<Second<'_>> = Vec::new();
    for ((own, weights), crops) in own.iter().zip(&networks.aligners).zip(crops) {
        let network = Recording {
            network: core::Aligner::new(own, weights)?,
            seen: crops.clone(),
        };
        aligners.push((Box::new(network), own));
    }
    Ok(Predictor::of_looks(
        detector.map(|network| (network, &settings)),
        aligners,
    )?)
}

struct About {
    list: String,
    most: f32,
}

impl About {
    fn convert(
        &self,
        what: &str,
        program: &Program,
        weights: &Weights,
        inputs: &[Input],
        notes: &mut BTreeMap<String, String>,
    ) -> Result<Weights> {
        let (made, report) = calibrate::to_bytes(program, weights, inputs, self.most)?;
        console::say(format!("{what}: {}", self.summary(&report)));
        for (name, loss) in report.in_numbers.iter() {
            console::say(format!(
                "  {name} stays in 32 bits: it would lose {}",
                percent(*loss)
            ));
        }
        notes.insert(NOTE.into(), self.summary(&report));
        let kept: Vec<String> = report
            .in_numbers
            .iter()
            .map(|(name, loss)| format!("{name} ({})", percent(*loss)))
            .collect();
        if !kept.is_empty() {
            notes.insert("kept in 32 bits".into(), kept.join(", "));
        }
        Ok(made)
    }

    fn summary(&self, report: &Report) -> String {
        let all = report.in_bytes.len() + report.in_numbers.len();
        let losses: Vec<String> = report
            .losses
            .iter()
            .map(|(name, loss)| format!("{name} {}", percent(*loss)))
            .collect();
        format!(
            "{} of {all} convolutions, scales from {} inputs of {}; the outputs differ by {} there",
            report.in_bytes.len(),
            report.inputs,
            self.list,
            losses.join(", ")
        )
    }
}

fn percent(share: f32) -> String {
    format!("{:.2} %", 100.0 * share)
}
