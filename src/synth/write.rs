//! Synthetic photos on disk: pictures, WFLW lists, a ready configuration.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use super::{Options, SynthFace, photo};
use crate::data::wflw_line;
use crate::{fs, render};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Photos and faces of the training list.
    pub train: [usize; 2],
    /// Photos and faces of the validation list.
    pub validation: [usize; 2],
}

/// Draw all photos into `out`: `images/`, `train.txt` and `val.txt` (WFLW format), and a
/// `config.yaml` that trains on them. `done` is called after each photo.
///
/// # Errors
/// On impossible options, a folder that holds such a set already, and files that cannot be
/// written.
pub fn write(out: &Path, options: &Options, done: &(dyn Fn() + Sync)) -> Result<Written> {
    check(options)?;
    fs::check_folder(out)?;
    let config = out.join("config.yaml");
    ensure!(
        !config.exists(),
        "{} exists already: choose another folder, or delete it",
        config.display()
    );
    let validation = (options.photos as f32 * options.validation).round() as usize;
    let validation = validation.clamp(1, options.photos - 1);
    let train = options.photos - validation;
    let draw = |index: usize| -> Result<(usize, String)> {
        let folder = if index < train { "train" } else { "val" };
        let name = format!("{folder}/{index:05}.jpg");
        let drawn = photo(options, index)?;
        render::save_jpeg(&out.join("images").join(&name), &drawn.image)?;
        done();
        let lines = drawn.faces.iter().map(|f| line(f, &name)).collect();
        Ok((drawn.faces.len(), lines))
    };
    let all = (0..options.photos).into_par_iter().map(draw);
    let all: Vec<(usize, String)> = all.collect::<Result<_>>()?;
    let (first, last) = all.split_at(train);
    let mut written = Written::default();
    for (name, part, count) in [
        ("train.txt", first, &mut written.train),
        ("val.txt", last, &mut written.validation),
    ] {
        *count = [part.len(), part.iter().map(|(faces, _)| faces).sum()];
        fs::write_atomic(&out.join(name), |file| {
            part.iter()
                .try_for_each(|(_, lines)| Ok(file.write_all(lines.as_bytes())?))
        })?;
    }
    let text = config_text(out, options)?;
    fs::write_atomic(&config, |file| Ok(file.write_all(text.as_bytes())?))?;
    Ok(written)
}

fn check(options: &Options) -> Result<()> {
    ensure!(
        options.photos >= 2,
        "at least 2 photos: one to train on, one to validate on"
    );
    ensure!(
        (32..=4096).contains(&options.size),
        "photos of 32 to 4096 pixels, not {}",
        options.size
    );
    ensure!(
        options.faces_per_photo >= 1,
        "a WFLW list names faces: at least 1 a photo"
    );
    ensure!(
        options.validation > 0.0 && options.validation < 1.0,
        "the share of validation photos must lie between 0 and 1"
    );
    let [smallest, largest] = options.face;
    if !(smallest >= 8.0 && largest >= smallest && largest.is_finite()) {
        bail!("face sizes must be at least 8 pixels, the smaller one first");
    }
    Ok(())
}

fn line(face: &SynthFace, name: &str) -> String {
    wflw_line(&face.landmarks(), &face.box_xyxy(), face.attributes(), name)
}

fn config_text(out: &Path, options: &Options) -> Result<String> {
    // JSON strings are YAML strings, whatever the path holds.
    let path = |name: &str| {
        let path = out.join(name);
        let text = path
            .to_str()
            .with_context(|| format!("{} is not valid Unicode", path.display()))?;
        Ok::<_, anyhow::Error>(serde_json::to_string(text)?)
    };
    let source = |list: &str| -> Result<String> {
        let (list, images) = (path(list)?, path("images")?);
        Ok(format!(
            "    - {{kind: wflw, list: {list}, images: {images}, complete: true}}"
        ))
    };
    Ok(format!(
        "\
# A short run on synthetic faces, a few minutes on two cores:
#   retinamark train --config {here}
# It shows that everything works; a model for photos needs photos.

data:
  train:
{train}
  validation:
{validation}

train:
  out: {run}
  epochs: 60
  batch_size: 8
  validate_every: 5
  crop: {crop}

augment:
  zoom_out: {{probability: 0.1}}
  rotation: {{probability: 0.2}}
  erase: {{probability: 0}}

loss:
  landmark_weight: 2

optimizer:
  learning_rate: 0.002
  ema_decay: 0.98

schedule:
  warmup_steps: 30

snapshot:
  dir: {snapshots}

detect:
  size: {size}
",
        here = path("config.yaml")?,
        train = source("train.txt")?,
        validation = source("val.txt")?,
        run = path("run")?,
        snapshots = path("performance_check")?,
        crop = (options.size * 7 / 10 / 32 * 32).clamp(32, 320),
        size = options.size.div_ceil(32) * 32,
    ))
}
