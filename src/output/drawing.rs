//! Photos with their faces drawn in.

use image::RgbImage;

use crate::geometry::Face;
use crate::render::{self, Style};

/// Draw box, score and landmarks of every face; those whose landmarks are not to be trusted in a colour
/// of their own, with a question mark.
pub fn draw(photo: &mut RgbImage, faces: &[Face]) {
    let (width, height) = photo.dimensions();
    let style_of = |colour| Style::for_size(colour, width, height);
    let (sure, unsure) = (style_of(render::PREDICTION), style_of(render::UNSURE));
    for face in faces {
        let (style, mark) = match face.is_unsure() {
            true => (&unsure, "?"),
            false => (&sure, ""),
        };
        let label = format!("{:.2}{mark}", face.score);
        render::draw_face(photo, &face.box_xyxy, Some(&label), &face.landmarks, style);
    }
}
