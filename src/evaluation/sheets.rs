//! Mosaics of the best and the worst faces.

use anyhow::Result;
use image::RgbImage;
use rayon::prelude::*;

use super::FaceOutcome;
use crate::data::{Dataset, FaceLabel};
use crate::geometry::{Affine, BoxXyxy, Point};
use crate::imaging;
use crate::render::{self, Mark, Style, Tile};

/// Side of a tile, pixels.
const SIDE: u32 = 192;
/// How much around the true box is shown.
const MARGIN: f32 = 1.5;

/// Which faces to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those with the smallest errors.
    Best,
    /// Those with the largest errors, the missed first.
    Worst,
}

/// How many faces are shown, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Most faces.
    pub faces: usize,
    /// Faces in a row.
    pub columns: usize,
    /// Colour and points of the truth.
    pub truth: ([u8; 3], Mark),
    /// Those of the prediction.
    pub prediction: ([u8; 3], Mark),
}

impl Sheet {
    /// 8 x 8 faces, truth green, prediction blue.
    pub const ONE_MODEL: Self = Self {
        faces: 64,
        columns: 8,
        truth: (render::TRUTH, Mark::Disc),
        prediction: (render::PREDICTION, Mark::Disc),
    };
    /// 10 x 10 faces, truth as red squares, prediction as green crosses.
    pub const MANY_MODELS: Self = Self {
        faces: 100,
        columns: 10,
        truth: ([255, 40, 40], Mark::Square),
        prediction: ([60, 255, 60], Mark::Cross),
    };
}

/// A picture of the best or the worst faces, as `sheet` wants it, error below.
///
/// # Errors
/// When a photo cannot be decoded.
pub fn mosaic(
    dataset: &Dataset,
    faces: &[FaceOutcome],
    which: Which,
    sheet: &Sheet,
) -> Result<RgbImage> {
    let mut chosen: Vec<&FaceOutcome> = faces.iter().collect();
    chosen.sort_by(|a, b| match which {
        Which::Best => a.nme.total_cmp(&b.nme),
        Which::Worst => b.nme.total_cmp(&a.nme),
    });
    chosen.truncate(sheet.faces);
    let tiles: Vec<Tile> = chosen
        .par_iter()
        .map(|face| draw(dataset, face, sheet))
        .collect::<Result<_>>()?;
    Ok(render::mosaic(&tiles, sheet.columns, SIDE))
}

fn draw(dataset: &Dataset, outcome: &FaceOutcome, sheet: &Sheet) -> Result<Tile> {
    let photo = dataset.decode(outcome.sample)?;
    let truth = &dataset.samples[outcome.sample].faces[outcome.face];
    let map = close_up(&truth.box_xyxy);
    let mut image = imaging::warp(&photo, &map, [SIDE, SIDE], [0; 3])?;
    draw_truth(&mut image, truth, &map, &style(sheet.truth));
    let caption = match &outcome.detection {
        None => "missed".to_owned(),
        Some(face) => {
            let style = style(sheet.prediction);
            let points = mapped(&map, &face.landmarks);
            let place = mapped_box(&map, &face.box_xyxy);
            render::draw_face(&mut image, &place, None, &points, &style);
            format!("{:.2} %  score {:.2}", 100.0 * outcome.nme, face.score)
        }
    };
    Ok(Tile { image, caption })
}

fn style((colour, mark): ([u8; 3], Mark)) -> Style {
    Style::for_size(colour, SIDE, SIDE).marked(mark)
}

fn draw_truth(image: &mut RgbImage, truth: &FaceLabel, map: &Affine, style: &Style) {
    let points: Vec<Point> = truth.landmarks.labelled().collect();
    let place = mapped_box(map, &truth.box_xyxy);
    render::draw_face(image, &place, None, &mapped(map, &points), style);
}

/// From the photo to a tile with the face in its middle.
fn close_up(face: &BoxXyxy) -> Affine {
    let extent = face.longer_side() * MARGIN;
    let scale = SIDE as f32 / extent.max(1.0);
    let [x, y] = face.centre();
    let middle = SIDE as f32 * 0.5;
    Affine::scale_shift(scale, [middle - x * scale, middle - y * scale])
}

fn mapped(map: &Affine, points: &[Point]) -> Vec<Point> {
    points.iter().map(|&p| map.apply(p)).collect()
}

fn mapped_box(map: &Affine, b: &BoxXyxy) -> BoxXyxy {
    let ([x1, y1], [x2, y2]) = (map.apply([b.x1, b.y1]), map.apply([b.x2, b.y2]));
    BoxXyxy::new(x1, y1, x2, y2)
}
