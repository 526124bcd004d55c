//! `retinamark info`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use burn::tensor::Device;

use crate::cli::InfoArgs;
use crate::model::cost::{self, Costs};
use crate::model::weights;

/// Run the subcommand.
///
/// # Errors
/// When there is no weights file, or it cannot be loaded.
pub fn run(args: InfoArgs) -> Result<ExitCode> {
    let path = weights::find(args.weights.as_deref())?;
    let (model, header) = weights::load_with_header(&path, &Device::flex())?;
    let bytes = std::fs::metadata(&path).with_context(|| path.display().to_string())?;
    println!("weights        {}", path.display());
    println!("size           {} bytes", bytes.len());
    println!(
        "written by     {}, format {}",
        header.program, header.format_version
    );
    println!("landmarks      {}", model.landmarks());

    let parts = cost::parameters(&model);
    println!("\nparameters");
    for (part, count) in &parts {
        println!("  {part:<20} {count:>12}");
    }
    println!("  {:<20} {:>12}", "total", parts.values().sum::<usize>());

    let costs = Costs::of(&model, [args.size as usize; 2]);
    println!("\nmillion multiply-adds at {0} x {0} pixels", args.size);
    for (part, cost) in costs.parts() {
        println!("  {part:<20} {:>12.1}", cost.multiply_adds as f64 / 1e6);
    }
    println!(
        "  (detection runs the landmark layer only where it finds a face: {:.1} without it)",
        (costs.total() - costs.landmark_layer.multiply_adds) as f64 / 1e6
    );

    if !header.notes.is_empty() {
        println!("\nnotes");
        for (key, value) in &header.notes {
            println!("  {key}: {value}");
        }
    }
    println!("\nconfig\n{}", indented(&header.config.to_yaml()?));
    Ok(ExitCode::SUCCESS)
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}\n"));
    lines.collect::<String>().trim_end().to_string()
}
