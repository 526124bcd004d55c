//! Arguments of commands that find faces in photos.

use std::path::PathBuf;

use clap::Args;

use super::{DeviceArgs, SecondLookArgs, SettingsArgs};
use crate::infer::{FULL_SIZE_LIMIT, InputSize};

/// With which networks, how closely, and for what.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// Weights file [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// The second look.
    #[command(flatten)]
    pub second_look: SecondLookArgs,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Longer side of the network input in pixels, or `full` for the photo's own size (at most
    /// 3072); two of them, such as 640,1024, look twice and find smaller faces too. `auto` looks at 640
    /// pixels and decides by what it finds: from farther away for faces that fill the photo, from nearer,
    /// in tiles at last, for small ones [default: detect.size, 640]
    #[arg(long, value_parser = parse_size, value_delimiter = ',')]
    pub size: Vec<InputSize>,
    /// Find faces at any angle: look at the photo on its sides and upside down too, four times the work
    #[arg(long)]
    pub any_angle: bool,
    /// Lowest score of a face, 0 to 1 [default: detect.score, 0.5]
    #[arg(long, value_parser = parse_share)]
    pub score: Option<f32>,
    /// Of two boxes that overlap by more than this IoU the weaker one goes [default:
    /// detect.nms_iou, 0.4]
    #[arg(long, value_parser = parse_share)]
    pub nms: Option<f32>,
    /// Most faces of a photo [default: detect.max_faces, 750]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_faces: Option<u32>,
    /// Where networks run.
    #[command(flatten)]
    pub compute: DeviceArgs,
    /// Refuse photos of more pixels, before decoding them; 200M is 200 million
    #[arg(long, value_name = "PIXELS", default_value = "200M", value_parser = parse_pixels)]
    pub max_pixels: u64,
}

fn parse_size(text: &str) -> Result<InputSize, String> {
    match text {
        "full" => return Ok(InputSize::Full),
        "auto" => return Ok(InputSize::Auto),
        _ => {}
    }
    match text.parse() {
        Ok(side) if (32..=FULL_SIZE_LIMIT).contains(&side) => Ok(InputSize::Fixed(side)),
        _ => Err(format!(
            "choose 32 to {FULL_SIZE_LIMIT} pixels, full or auto"
        )),
    }
}

fn parse_share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("choose a number from 0 to 1".into()),
    }
}

fn parse_pixels(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number: Option<u64> = digits.replace('_', "").parse().ok();
    match number.and_then(|n| n.checked_mul(unit)) {
        Some(pixels) if pixels > 0 => Ok(pixels),
        _ => Err("choose a number of pixels such as 200M or 50000000".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked() {
        assert_eq!(parse_size("full"), Ok(InputSize::Full));
        assert_eq!(parse_size("auto"), Ok(InputSize::Auto));
        assert_eq!(parse_size("640"), Ok(InputSize::Fixed(640)));
        assert!(parse_size("31").is_err() && parse_size("-5").is_err());
        assert!(parse_size("99999").is_err());
        assert!(parse_share("1.5").is_err() && parse_share("nan").is_err());
        assert_eq!(parse_pixels("200M"), Ok(200_000_000));
        assert_eq!(parse_pixels("5_000"), Ok(5000));
        for bad in ["", "M", "0", "-3", "12x", "99999999999G", "é"] {
            assert!(parse_pixels(bad).is_err(), "{bad}");
        }
    }
}
