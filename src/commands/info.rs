//! `retinamark info`.

use std::collections::BTreeMap;
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
    println!("weights        {}", path.display());
    println!("size           {} bytes", bytes.len());
    println!(
        "written by     {}, format {}",
        header.program, header.format_version
    );
    println!("networks       {}", what(&networks));
    println!("landmarks      {}", header.config.landmarks.scheme()?.len());
    if let Some(detector) = &networks.detector {
        println!("\ndetector");
        print_parts(detector);
        print_detector_cost(detector, args.size);
        print_about(&header.config, &header.notes)?;
    }
    if let (Some(aligner), Some(config)) = (&networks.aligner, header.aligner_config()) {
        println!("\naligner");
        print_parts(aligner);
        let side = config.aligner.side;
        let cost = cost::of_aligner(aligner);
        let millions = cost.multiply_adds as f64 / 1e6;
        println!("  million multiply-adds a look at {side} x {side} pixels: {millions:.1}");
        let notes = match &header.aligner {
            Some(part) => &part.notes,
            None => &header.notes,
        };
        print_about(config, notes)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn what(networks: &Networks) -> &'static str {
    match (&networks.detector, &networks.aligner) {
        (Some(_), Some(_)) => "detector and aligner: two looks, in this one file",
        (Some(_), None) => "detector: one look; an aligner in another file goes under --aligner",
        _ => "aligner: the second look only; goes under --aligner",
    }
}

fn print_parts(network: &impl Module) {
    let parts = cost::parameters(network);
    println!("  parameters");
    for (part, count) in &parts {
        println!("    {part:<20} {count:>12}");
    }
    println!("    {:<20} {:>12}", "total", parts.values().sum::<usize>());
}

fn print_detector_cost(detector: &RetinaFace, size: u32) {
    let costs = Costs::of(detector, [size as usize; 2]);
    println!("  million multiply-adds at {size} x {size} pixels");
    for (part, cost) in costs.parts() {
        println!("    {part:<20} {:>12.1}", cost.multiply_adds as f64 / 1e6);
    }
    println!(
        "    (detection runs the landmark heads only where it finds a face: {:.1} without them)",
        (costs.total() - costs.landmark_heads.multiply_adds) as f64 / 1e6
    );
}

fn print_about(config: &Config, notes: &BTreeMap<String, String>) -> Result<()> {
    if !notes.is_empty() {
        println!("  notes");
        for (key, value) in notes {
            println!("    {key}: {value}");
        }
    }
    println!("  config\n{}", indented(&config.to_yaml()?));
    Ok(())
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("    {line}\n"));
    lines.collect::<String>().trim_end().to_string()
}
