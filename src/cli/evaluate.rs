//! Arguments of `retinamark evaluate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::lists::LISTS;
use super::settings::WHERE_DEFAULTS_COME_FROM;
use super::{DeviceArgs, SecondLookArgs, SettingsArgs};
use crate::infer::InputSize;

/// How it is called.
const EXAMPLES: &str = "\
Examples:
  retinamark evaluate --weights w.safetensors --data wider:val/wider_face_val_bbx_gt.txt:val/images
  retinamark evaluate --weights w.safetensors --config config.yaml --out performance_check/w
  retinamark evaluate --models study --out study/evaluation";

/// Arguments of `retinamark evaluate`.
#[derive(Debug, Args)]
#[command(after_help = format!("{LISTS}\n\n{EXAMPLES}\n\n{WHERE_DEFAULTS_COME_FROM}"))]
pub struct EvaluateArgs {
    /// Weights to measure; without it the shipped ones
    #[arg(long, short, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Measure every training run in DIR and the folders within (a config.yaml beside best.safetensors or final.safetensors),
    /// the best weights of each, and compare them
    #[arg(long, value_name = "DIR", conflicts_with = "weights")]
    pub models: Option<PathBuf>,

    /// Of each run its final weights, where it has ended, instead of the best ones
    #[arg(long, requires = "models")]
    pub newest: bool,

    /// The second look.
    #[command(flatten)]
    pub second_look: SecondLookArgs,

    /// Who says where the faces are: the detector (joint protocol), the true landmarks or the
    /// boxes of the list (top-down: the aligner alone is measured) [default: detected; truth for a run of --models that has
    /// trained an aligner]
    #[arg(long, value_enum)]
    pub boxes: Option<FaceBoxes>,

    /// Labelled photos, may be given several times [default: data.validation of the settings; for a run of --models, where
    /// they name none, that of its own config.yaml]
    #[arg(long, short, value_name = "KIND:LIST[:IMAGES[:WIDER]]")]
    pub data: Vec<String>,

    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// AP of a subset of the faces: those of a WIDER-format list (easy, medium, hard); may be
    /// given several times
    #[arg(long, value_name = "NAME=LIST")]
    pub subset: Vec<String>,

    /// Folder for report.json, faces.csv, ced.svg, best.jpg and worst.jpg; with --models for eval.txt, models.csv, models.html,
    /// models.md and ced.svg, and a folder a run for the others
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = "performance_check/evaluation"
    )]
    pub out: PathBuf,

    /// Longer side of the network input, pixels [default: detect.size, 640]; the --min-face of a second one, as in 640,1024,
    /// is that of the first. `auto` looks at 640 pixels first, and as often as that look is worth
    #[arg(long, value_name = "PIXELS", value_delimiter = ',', value_parser = parse_measured_size)]
    pub size: Vec<InputSize>,

    /// Find faces at any angle: look at each photo on its sides and upside down too
    #[arg(long)]
    pub any_angle: bool,

    /// Lowest score that counts as found in the joint protocol [default: detect.joint_score, 0.3] (the AP looks at all scores from
    /// detect.evaluate_score on)
    #[arg(long, value_name = "0..1", value_parser = unit)]
    pub score: Option<f32>,

    /// Leave smaller faces out of the AP; pixels of the network input
    #[arg(long, value_name = "PIXELS", default_value_t = 16.0)]
    pub min_face: f32,

    /// Leave out bad lines and photos, and count them, instead of stopping
    #[arg(long)]
    pub skip_errors: bool,

    /// Where networks run.
    #[command(flatten)]
    pub compute: DeviceArgs,

    /// Threads; 0: one per core
    #[arg(long, short, value_name = "N", default_value_t = 0)]
    pub jobs: usize,
}

/// Who says where the faces are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FaceBoxes {
    /// The detector finds them
    Detected,
    /// The bounds of the true landmarks
    Truth,
    /// The boxes of the list: its rectangles, or those of a WIDER list beside it
    List,
}

/// The size of small faces is counted at a number of pixels.
fn parse_measured_size(text: &str) -> Result<InputSize, String> {
    match (text, text.parse()) {
        ("auto", _) => Ok(InputSize::Auto),
        (_, Ok(side)) if (32..=8192).contains(&side) => Ok(InputSize::Fixed(side)),
        _ => Err("choose 32 to 8192 pixels, or auto".into()),
    }
}

fn unit(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".into()),
    }
}
