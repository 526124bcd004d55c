//! `retinamark check-data`: what training sees, counted and drawn.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use crate::cli::{CheckDataArgs, Split};
use crate::config::Config;
use crate::data::{Batcher, Dataset, FaceLabel, Item, Stats, item_rng, refuse_overlap};
use crate::geometry::BoxXyxy;
use crate::render::{self, Style};
use crate::{console, fs, imaging, interrupt};

/// Longer side that drawings are enlarged to, so that the numbers can be read.
const DRAWING_SIDE: u32 = 1280;
/// Colour of positive anchors.
const ANCHOR: [u8; 3] = [255, 150, 0];
const JPEG_QUALITY: u8 = 90;

/// Run the subcommand.
///
/// # Errors
/// On a bad configuration or list, photos shared by training and validation, and drawings that
/// cannot be written.
pub fn run(args: CheckDataArgs) -> Result<ExitCode> {
    let config = args.settings.load()?;
    fs::check_folder(&args.out)?;
    interrupt::listen()?;
    let sources = match args.split {
        Split::Train => &config.data.train,
        Split::Validation => &config.data.validation,
    };
    let dataset = match args.split {
        Split::Train => Dataset::load_training(&config)?,
        Split::Validation => Dataset::load(sources, &config)?,
    };
    print_counts(&dataset, sources.iter().map(|s| s.list.as_path()));
    if args.split == Split::Train && !config.data.validation.is_empty() {
        let validation = Dataset::load(&config.data.validation, &config)?;
        if !validation.report.is_empty() {
            console::say(format!("validation\n{}", validation.report));
        }
        refuse_overlap(&dataset, &validation)?;
        console::say("training and validation share no photo");
    }
    let mut broken = 0;
    if args.decode {
        broken = decode_all(&dataset);
    }
    let dataset = match args.split {
        Split::Train => dataset.for_training(&config)?,
        Split::Validation => dataset,
    };
    draw(&args, &config, &dataset)?;
    Ok(ExitCode::from(u8::from(broken > 0)))
}

fn print_counts<'a>(dataset: &Dataset, lists: impl Iterator<Item = &'a Path>) {
    let mut total = Stats::default();
    for (members, list) in dataset.sources().zip(lists) {
        let mut stats = Stats::default();
        for sample in &dataset.samples[members] {
            stats.add(&sample.faces, sample.complete);
            total.add(&sample.faces, sample.complete);
        }
        console::say(format!("{}\n{stats}", list.display()));
    }
    if dataset.sources().count() > 1 {
        console::say(format!("all sources\n{total}"));
    }
    console::say(&dataset.report);
}

/// Decode every photo; gives how many are broken.
fn decode_all(dataset: &Dataset) -> usize {
    let decode = |i| match interrupt::requested() {
        true => None,
        false => dataset.decode(i).err(),
    };
    let indices = (0..dataset.samples.len()).into_par_iter();
    let errors: Vec<_> = indices.filter_map(decode).collect();
    for error in &errors {
        console::say(format!("broken: {error:#}"));
    }
    console::say(format!("broken photos: {}", errors.len()));
    errors.len()
}

/// Draw the first photos of the first epoch: before and, for training, after augmentation.
fn draw(args: &CheckDataArgs, config: &Config, dataset: &Dataset) -> Result<()> {
    let augmented = args.split == Split::Train;
    let batcher = Batcher::new(config)?;
    let mut crops = Stats::default();
    let mut drawn = 0;
    let order = dataset.epoch(config, 0);
    for (position, &index) in order.iter().enumerate().take(args.photos) {
        if interrupt::requested() {
            break;
        }
        let photo = match dataset.photo(index) {
            Ok(photo) => photo,
            Err(error) => {
                dataset.leave_out(index, error)?;
                continue;
            }
        };
        let sample = &dataset.samples[index];
        let stem = sample.path.file_stem().unwrap_or_default();
        let file = |what| {
            let stem = stem.to_string_lossy();
            args.out.join(format!("{position:04}_{stem}_{what}.jpg"))
        };
        save(&file("before"), &labelled(&photo, &sample.faces, None)?)?;
        drawn += 1;
        if augmented {
            let mut rng = item_rng(config.seed, 0, position);
            let item = batcher.item(&photo, &sample.faces, sample.complete, &mut rng)?;
            crops.add(&item.faces, sample.complete);
            let anchors = args.anchors.then(|| positives(&batcher, &item));
            save(
                &file("after"),
                &labelled(&item.crop, &item.faces, anchors.as_deref())?,
            )?;
        }
    }
    if augmented {
        console::say(format!("crops of {} pixels\n{crops}", batcher.side()));
    }
    if dataset.left_out().total() > 0 {
        console::say(dataset.left_out());
    }
    console::say(format!("{drawn} photos drawn in {}", args.out.display()));
    Ok(())
}

fn positives(batcher: &Batcher, item: &Item) -> Vec<BoxXyxy> {
    let boxes = batcher.anchors().boxes_cxcywh();
    let positives = item.targets.positives.iter();
    positives.map(|&a| BoxXyxy::from_cxcywh(boxes[a])).collect()
}

/// The picture, enlarged if it is small, with its faces: boxes, numbered points, those masked
/// hollow, boxes of ignored faces dashed.
fn labelled(
    picture: &RgbImage,
    faces: &[FaceLabel],
    anchors: Option<&[BoxXyxy]>,
) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let scale = (DRAWING_SIDE as f32 / width.max(height) as f32).max(1.0);
    let size = [width, height].map(|v| (v as f32 * scale).round() as u32);
    let mut canvas = imaging::resize(picture, size)?;
    let style = |colour| Style::for_size(colour, size[0], size[1]);
    for anchor in anchors.unwrap_or_default() {
        let mut thin = style(ANCHOR);
        thin.line = 1.0;
        render::draw_box(
            &mut canvas,
            &anchor.transformed(scale, [0.0; 2]),
            None,
            &thin,
        );
    }
    for face in faces {
        let box_xyxy = face.box_xyxy.transformed(scale, [0.0; 2]);
        if face.ignored {
            let dashed = style(render::IGNORED).dashed();
            render::draw_box(&mut canvas, &box_xyxy, None, &dashed);
            continue;
        }
        let style = style(render::TRUTH).numbered();
        let points = face.landmarks.iter();
        let points = points.map(|p| (p.at.map(|v| v * scale), p.labelled));
        render::draw_box(&mut canvas, &box_xyxy, None, &style);
        render::draw_points(&mut canvas, points, box_xyxy.side(), &style);
    }
    Ok(canvas)
}

fn save(path: &Path, picture: &RgbImage) -> Result<()> {
    fs::write_atomic_unsynced(path, |out| {
        let mut encoder = JpegEncoder::new_with_quality(out, JPEG_QUALITY);
        Ok(encoder.encode_image(picture)?)
    })
}
