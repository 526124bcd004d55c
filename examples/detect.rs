//! Find the faces of a photo: `cargo run --release --example detect -- photo.jpg`

use std::path::Path;

use retinamark::infer::{DetectOptions, Predictor};
use retinamark::{device, imaging, model::weights};

fn main() -> anyhow::Result<()> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or("data/sample/obama.jpg".into());
    let predictor = Predictor::load(&weights::find(None)?, &device::by_name("flex")?)?;
    let photo = imaging::load_rgb(Path::new(&path), &imaging::Limits::default())?;
    let options = DetectOptions::from(&predictor.config().detect);
    for face in predictor.detect(&photo, &options)? {
        println!(
            "{:?}, score {:.2}, {} points",
            face.box_xyxy,
            face.score,
            face.landmarks.len()
        );
    }
    Ok(())
}
