//! `retinamark info`.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use retinamark_core::graph::Cost;

use crate::cli::InfoArgs;
use crate::config::Config;
use crate::model::weights::{self, Networks, Notes};
use crate::model::{Aligner, Network, RetinaFace};

/// Run the subcommand.
///
/// # Errors
/// When there is no weights file, or it cannot be loaded.
pub fn run(args: InfoArgs) -> Result<ExitCode> {
    let path = weights::find(args.weights.as_deref())?;
    let networks = Networks::load(&path)?;
    let header = &networks.header;
    let bytes = std::fs::metadata(&path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    let out = &mut text;
    writeln!(out, "weights        {}", path.display())?;
    writeln!(out, "size           {} bytes", bytes.len())?;
    let (program, format) = (&header.program, header.format_version);
    writeln!(out, "written by     {program}, format {format}")?;
    writeln!(out, "networks       {}", what(&networks))?;
    let mut points = Vec::new();
    for (config, _) in header.aligners() {
        points.push(config.landmarks.scheme()?.len());
    }
    let last = points.last().copied();
    let own = header.config.landmarks.scheme()?.len();
    writeln!(out, "landmarks      {}", last.unwrap_or(own))?;
    if networks.detector.is_some() {
        writeln!(out, "\ndetector")?;
        let size = [args.size as usize; 2];
        let costs = RetinaFace::described(&header.config, size)?.costs();
        add_parts(out, &costs)?;
        add_detector_cost(out, &costs, args.size)?;
        add_about(out, &header.config, &header.notes)?;
    }
    for (stage, (config, notes)) in header.aligners().into_iter().enumerate() {
        match points.len() {
            1 => writeln!(out, "\naligner")?,
            of => {
                let points = points[stage];
                writeln!(
                    out,
                    "\naligner, stage {} of {of}: {points} landmarks",
                    stage + 1
                )?;
            }
        }
        add_aligner(out, config, notes)?;
    }
    // A reader that has seen enough, such as `head`, is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn what(networks: &Networks) -> String {
    match (&networks.detector, networks.aligners.len()) {
        (Some(_), 0) => {
            "detector: one look; an aligner in another file goes under --aligner".into()
        }
        (Some(_), 1) => "detector and aligner: two looks, in this one file".into(),
        (Some(_), n) => format!("detector and {n} aligners, one after another, in this one file"),
        (None, 1) => "aligner: the second look only; goes under --aligner".into(),
        (None, n) => {
            format!("{n} aligners, one after another: the second look; goes under --aligner")
        }
    }
}

fn add_aligner(out: &mut String, config: &Config, notes: &Notes) -> Result<()> {
    let side = config.aligner.side;
    let costs = Aligner::described(config, [side as usize; 2])?.costs();
    add_parts(out, &costs)?;
    let millions = millions(costs.values());
    writeln!(
        out,
        "  million multiply-adds a look at {side} x {side} pixels: {millions:.1}"
    )?;
    add_about(out, config, notes)
}

/// Costs by part.
type Costs = BTreeMap<String, Cost>;

fn add_parts(out: &mut String, costs: &Costs) -> fmt::Result {
    writeln!(out, "  parameters")?;
    for (part, cost) in costs {
        writeln!(out, "    {part:<20} {:>12}", cost.parameters)?;
    }
    let total: u64 = costs.values().map(|cost| cost.parameters).sum();
    writeln!(out, "    {:<20} {total:>12}", "total")
}

/// Multiply-adds.
fn millions<'a>(costs: impl Iterator<Item = &'a Cost>) -> f64 {
    costs.map(|cost| cost.multiply_adds).sum::<u64>() as f64 / 1e6
}

/// What a detector's parts are called together.
const GROUPS: [(&str, &[&str]); 4] = [
    ("backbone", &["backbone"]),
    ("neck", &["fpn", "ssh", "se"]),
    ("heads", &["class_heads", "box_heads"]),
    (LANDMARK_HEADS, &["landmark_heads"]),
];

const LANDMARK_HEADS: &str = "landmark heads";

fn add_detector_cost(out: &mut String, costs: &Costs, size: u32) -> fmt::Result {
    writeln!(out, "  million multiply-adds at {size} x {size} pixels")?;
    let mut rest = 0.0;
    for (group, parts) in GROUPS {
        let millions = millions(parts.iter().filter_map(|&part| costs.get(part)));
        writeln!(out, "    {group:<20} {millions:>12.1}")?;
        if group != LANDMARK_HEADS {
            rest += millions;
        }
    }
    writeln!(
        out,
        "    (detection runs the landmark heads only where it finds a face: {rest:.1} without them)"
    )
}

fn add_about(out: &mut String, config: &Config, notes: &Notes) -> Result<()> {
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
