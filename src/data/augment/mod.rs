//! Augmentation of training photos. All geometric transforms are composed into one affine map and
//! one warp; colours change afterwards. Every random choice comes from the generator that is
//! passed in.

mod blur;
mod color;
mod crop;
mod draw;
mod erase;
mod flip;
mod grey;
mod jpeg;
mod labels;
mod pipeline;
mod rotate;

pub use pipeline::Pipeline;

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::config::{BlurConfig, ColorConfig, EraseConfig, GreyConfig, JpegConfig};
    use crate::data::FaceLabel;
    use crate::geometry::BoxXyxy;

    const FACE: BoxXyxy = BoxXyxy::new(10.0, 12.0, 40.0, 44.0);

    fn picture() -> RgbImage {
        RgbImage::from_fn(64, 56, |x, y| {
            let edge = if (x / 8 + y / 8) % 2 == 0 { 60 } else { 0 };
            Rgb([40 + 2 * x as u8, 60 + 2 * y as u8, 90 + edge])
        })
    }

    /// The picture after `change` with this probability.
    fn after(change: impl FnOnce(&mut RgbImage, &mut ChaCha8Rng)) -> RgbImage {
        let mut image = picture();
        change(&mut image, &mut ChaCha8Rng::seed_from_u64(5));
        assert_eq!(image.dimensions(), (64, 56));
        image
    }

    fn largest_change(image: &RgbImage) -> u8 {
        let pairs = image.as_raw().iter().zip(picture().into_raw());
        pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap()
    }

    #[test]
    fn colours_change_within_their_range() {
        let range = |probability, brightness, contrast| ColorConfig {
            probability,
            brightness,
            contrast,
            saturation: 0.0,
            hue: 0.0,
        };
        let with = |c: ColorConfig| after(|i, r| color::jitter(i, &c, r));
        assert_eq!(with(range(0.0, 0.9, 0.9)), picture());
        assert!(largest_change(&with(range(1.0, 0.0, 0.0))) <= 1);
        let changed = largest_change(&with(range(1.0, 0.2, 0.0)));
        assert!(changed > 0 && changed <= 39, "{changed}");
        assert!(largest_change(&with(range(1.0, 0.0, 0.2))) <= 40);
        let hue = ColorConfig {
            hue: 40.0,
            ..range(1.0, 0.0, 0.0)
        };
        let turned = (0..9).map(|seed| {
            let mut image = picture();
            color::jitter(&mut image, &hue, &mut ChaCha8Rng::seed_from_u64(seed));
            largest_change(&image)
        });
        assert!(turned.max() > Some(10));
    }

    #[test]
    fn grey_has_no_colour() {
        let with = |probability| after(|i, r| grey::apply(i, &GreyConfig { probability }, r));
        assert_eq!(with(0.0), picture());
        assert!(
            with(1.0)
                .pixels()
                .all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2])
        );
    }

    #[test]
    fn blur_and_jpeg_smooth_but_keep_the_picture() {
        let blurred = |probability| {
            let config = BlurConfig {
                probability,
                sigma: [1.0, 1.0],
            };
            after(|i, r| blur::apply(i, &config, r))
        };
        let compressed = |probability| {
            let config = JpegConfig {
                probability,
                quality: [30, 30],
            };
            after(|i, r| jpeg::apply(i, &config, r))
        };
        assert_eq!(blurred(0.0), picture());
        assert_eq!(compressed(0.0), picture());
        for image in [blurred(1.0), compressed(1.0)] {
            let changed = largest_change(&image);
            assert!(changed > 5 && changed <= 90, "{changed}");
            // Away from the edges nothing much happens on average.
            let sum = |i: &RgbImage| i.as_raw().iter().map(|&v| u32::from(v)).sum::<u32>();
            assert!(sum(&image).abs_diff(sum(&picture())) < 64 * 56 * 3 * 3);
        }
    }

    #[test]
    fn erasing_covers_part_of_a_face_only() {
        let with = |probability, seed| {
            let config = EraseConfig {
                probability,
                area: [0.2, 0.2],
            };
            let mut image = picture();
            let faces = [FaceLabel::boxed(FACE)];
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            erase::apply(&mut image, &faces, &config, &mut rng);
            let original = picture();
            image
                .pixels()
                .zip(original.pixels())
                .filter(|(a, b)| a != b)
                .count() as f32
        };
        assert_eq!(with(0.0, 1), 0.0);
        for seed in 0..20 {
            let share = with(1.0, seed) / FACE.area();
            assert!(share > 0.0 && share < 0.3, "{share}");
        }
        let config = EraseConfig {
            probability: 1.0,
            area: [0.2, 0.2],
        };
        assert_eq!(after(|i, r| erase::apply(i, &[], &config, r)), picture());
    }
}
