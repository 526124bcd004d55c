//! Arguments of `retinamark detect`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::LookArgs;
use super::settings::WHERE_DEFAULTS_COME_FROM;

/// What is written where, and the exit code.
const RESULTS: &str = "\
Results in OUT, mirroring the folders read:
  detections.jsonl      one line a photo, in the order of the input (jsonl)
  detections.csv        one row a face (csv)
  gallery.html          all photos on one page, faces drawn on demand (html)
  sub/a.jpg.drawn.jpg   boxes, scores and points drawn (image)
  sub/a.jpg.face0.pts   landmarks in 300-W format, counted from 1 (pts)
  sub/a.jpg.crop0.jpg   the face upright, aligned by eyes and mouth (crop)
With several PATHs the last part of each is put in front; a part that occurs twice gets ~2, ~3.
Exit code: 0 all fine, 1 some photos failed, 2 wrong usage or nothing to do, 130 stopped by Ctrl-C.";

/// Arguments of `retinamark detect`.
#[derive(Debug, Args)]
#[command(after_help = format!("{RESULTS}\n\n{WHERE_DEFAULTS_COME_FROM}"))]
pub struct DetectArgs {
    /// Photos, folders of photos, or patterns such as 'photos/*.jpg'; - alone is one photo on
    /// stdin, whose JSON line goes to stdout
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How to look.
    #[command(flatten)]
    pub look: LookArgs,
    /// Folder of the results [default: detections]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to write [default: jsonl,image]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub save: Vec<Save>,
    /// Side of aligned crops in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 112,
          value_parser = clap::value_parser!(u32).range(8..=4096))]
    pub crop_size: u32,
    /// Also read the folders within folders
    #[arg(long, short)]
    pub recursive: bool,
    /// Photos in work at the same time [default: number of cores]
    #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Replace the results of an earlier call
    #[arg(long, conflicts_with = "resume")]
    pub force: bool,
    /// Leave out what an earlier call has done, and add the rest
    #[arg(long)]
    pub resume: bool,
}

impl DetectArgs {
    /// Folder of the results.
    pub fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new("detections"))
    }

    /// What to write.
    pub fn saves(&self) -> &[Save] {
        match self.save.as_slice() {
            [] => &[Save::Jsonl, Save::Image],
            chosen => chosen,
        }
    }
}

/// Kinds of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Save {
    /// detections.jsonl
    Jsonl,
    /// detections.csv
    Csv,
    /// Landmark files
    Pts,
    /// Photos with the faces drawn
    Image,
    /// Aligned crops
    Crop,
    /// gallery.html: all photos with their faces on one page, to look through
    Html,
}
