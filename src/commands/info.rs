//! `retinamark info`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use burn::module::Module;
use burn::tensor::Device;

use crate::cli::InfoArgs;
use crate::config::Config;
use crate::model::RetinaFace;
use crate::model::cost::{self, Costs};
use crate::model::weights::{self, Networks};

/// Run the subcommand.
///
/// # Errors
/// When there is no weights file, or it cannot be loaded.
pub fn run(args: InfoArgs) -> Result<ExitCode> {
    let path = weights::find(args.weights.as_deref())?;
    let networks = weights::load_networks(&path, &Device::flex())?;
    let header = &networks.header;
    let bytes = std::fs::metadata(&path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    let out = &mut text;
    writeln!(out, "weights        {}", path.display())?;
    writeln!(out, "size           {} bytes", bytes.len())?;
    let (program, format) = (&header.program, header.format_version);
    writeln!(out, "written by     {program}, format {format}")?;
    writeln!(out, "networks       {}", what(&networks))?;
    let points = header.config.landmarks.scheme()?.len();
    writeln!(out, "landmarks      {points}")?;
    if let Some(detector) = &networks.detector {
        writeln!(out, "\ndetector")?;
        add_parts(out, detector)?;
        add_detector_cost(out, detector, args.size)?;
        add_about(out, &header.config, &header.notes)?;
    }
    if let (Some(aligner), Some(config)) = (&networks.aligner, header.aligner_config()) {
        writeln!(out, "\naligner")?;
        add_parts(out, aligner)?;
        let side = config.aligner.side;
        let cost = cost::of_aligner(aligner);
        let millions = cost.multiply_adds as f64 / 1e6;
        writeln!(
            out,
            "  million multiply-adds a look at {side} x {side} pixels: {millions:.1}"
        )?;
        let notes = match &header.aligner {
            Some(part) => &part.notes,
            None => &header.notes,
        };
        add_about(out, config, notes)?;
    }
    // A reader that has seen enough, such as `head`, is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn what(networks: &Networks) -> &'static str {
    match (&networks.detector, &networks.aligner) {
        (Some(_), Some(_)) => "detector and aligner: two looks, in this one file",
        (Some(_), None) => "detector: one look; an aligner in another file goes under --aligner",
        _ => "aligner: the second look only; goes under --aligner",
    }
}

fn add_parts(out: &mut String, network: &impl Module) -> fmt::Result {
    let parts = cost::parameters(network);
    writeln!(out, "  parameters")?;
    for (part, count) in &parts {
        writeln!(out, "    {part:<20} {count:>12}")?;
    }
    writeln!(
        out,
        "    {:<20} {:>12}",
        "total",
        parts.values().sum::<usize>()
    )
}

fn add_detector_cost(out: &mut String, detector: &RetinaFace, size: u32) -> fmt::Result {
    let costs = Costs::of(detector, [size as usize; 2]);
    writeln!(out, "  million multiply-adds at {size} x {size} pixels")?;
    for (part, cost) in costs.parts() {
        writeln!(
            out,
            "    {part:<20} {:>12.1}",
            cost.multiply_adds as f64 / 1e6
        )?;
    }
    let rest = costs.total() - costs.landmark_heads.multiply_adds;
    let rest = rest as f64 / 1e6;
    writeln!(
        out,
        "    (detection runs the landmark heads only where it finds a face: {rest:.1} without them)"
    )
}

fn add_about(out: &mut String, config: &Config, notes: &BTreeMap<String, String>) -> Result<()> {
    if !notes.is_empty() {
        writeln!(out, "  notes")?;
        for (key, value) in notes {
            writeln!(out, "    {key}: {value}")?;
        }
    }
    writeln!(out, "  config\n{}", indented(&config.to_yaml()?))?;
    Ok(())
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}\n"));
    lines.collect::<String>().trim_end().to_string()
}
