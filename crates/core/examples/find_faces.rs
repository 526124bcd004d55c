//! Faces of one photo, as JSON would have them:
//! `cargo run --release -p retinamark-core --example find_faces -- WEIGHTS PHOTO`.

use std::error::Error;

use retinamark_core::imaging::{Limits, decode_rgb};
use retinamark_core::infer::{DetectOptions, Predictor};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(weights), Some(photo)) = (args.next(), args.next()) else {
        return Err("which weights, and which photo?".into());
    };
    let predictor = Predictor::from_bytes(&std::fs::read(weights)?)?;
    let photo = decode_rgb(&std::fs::read(photo)?, &Limits::default())?;
    let options = DetectOptions::from(&predictor.settings().detect);
    for face in predictor.detect(&photo, &options)? {
        let corners: [f32; 4] = face.box_xyxy.into();
        println!(
            "{:.3} at {corners:?}: {} points",
            face.score,
            face.landmarks.len()
        );
    }
    Ok(())
}
