//! Augmentation of training photos. All geometric transforms are composed into one affine map, a
//! distortion where there is one, and one warp; colours change afterwards. Every random choice
//! comes from the generator that is passed in.

mod blur;
mod bounds;
mod color;
mod crop;
mod draw;
mod erase;
mod face;
mod flip;
mod grey;
mod jpeg;
mod labels;
mod low_res;
mod object;
mod occlude;
mod perspective;
mod pipeline;
mod rotate;
mod stretch;
mod yaw;

pub use pipeline::Pipeline;

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::config::{BlurConfig, ColorConfig, EraseConfig, GreyConfig, JpegConfig};
    use crate::config::{LowResConfig, OccludeConfig, PerspectiveConfig, StretchConfig, YawConfig};
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
            after(|i, r| jpeg::apply(i, &config, r).unwrap())
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

    #[test]
    fn objects_cover_part_of_a_face_only() {
        let config = |probability| OccludeConfig {
            probability,
            area: [0.2, 0.2],
        };
        let share = |probability, seed, face: FaceLabel| {
            let mut image = picture();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            occlude::apply(&mut image, &[face], &config(probability), &mut rng);
            let original = picture();
            let pairs = image.pixels().zip(original.pixels());
            pairs.filter(|(a, b)| a != b).count() as f32 / FACE.area()
        };
        let face = FaceLabel::boxed(FACE);
        assert_eq!(share(0.0, 1, face.clone()), 0.0);
        for seed in 0..60 {
            // Where the edge crosses a pixel, it is covered in part.
            let share = share(1.0, seed, face.clone());
            assert!(share > 0.0 && share < 0.36, "seed {seed}: {share}");
        }
        let ignored = FaceLabel {
            ignored: true,
            ..face
        };
        assert_eq!(share(1.0, 1, ignored), 0.0);
    }

    #[test]
    fn few_pixels_take_detail_and_keep_the_picture() {
        let with = |probability, side| {
            let config = LowResConfig { probability, side };
            after(|i, r| low_res::apply(i, &config, r).unwrap())
        };
        assert_eq!(with(0.0, [16, 16]), picture());
        assert_eq!(with(1.0, [200, 300]), picture());
        let coarse = with(1.0, [16, 16]);
        let changed = largest_change(&coarse);
        assert!(changed > 5 && changed <= 90, "{changed}");
        let sum = |i: &RgbImage| i.as_raw().iter().map(|&v| u32::from(v)).sum::<u32>();
        assert!(sum(&coarse).abs_diff(sum(&picture())) < 64 * 56 * 3 * 3);
    }

    #[test]
    fn geometry_is_off_at_probability_zero_and_within_its_range_otherwise() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let before = rng.clone();
        let (mut flat, mut tilted, mut turned) = (
            StretchConfig::default(),
            PerspectiveConfig::default(),
            YawConfig::default(),
        );
        assert!(stretch::draw(&flat, 100.0, &mut rng).is_none());
        assert!(perspective::draw(&tilted, 100.0, &mut rng).is_none());
        assert!(yaw::draw(&turned, Some(FACE), &mut rng).is_none());
        // Nothing was drawn: crops without them stay what they were.
        assert_eq!(rng, before);
        (flat.probability, flat.max) = (1.0, 0.25);
        (tilted.probability, tilted.share) = (1.0, 0.2);
        (turned.probability, turned.shift) = (1.0, 0.5);
        for _ in 0..500 {
            let map = stretch::draw(&flat, 100.0, &mut rng).unwrap();
            let (sx, sy) = (map.row_x[0], map.row_y[1]);
            assert!((0.799..=1.251).contains(&sx) && (sx * sy - 1.0).abs() < 1e-4);
            let middle = map.apply([50.0; 2]);
            assert!(middle.iter().all(|v| (v - 50.0).abs() < 1e-3));
            let homography = perspective::draw(&tilted, 100.0, &mut rng).unwrap();
            for corner in [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]] {
                let moved = homography.apply(corner);
                let off = [moved[0] - corner[0], moved[1] - corner[1]];
                assert!(off.iter().all(|v| v.abs() <= 20.01), "{moved:?}");
            }
            let warp = yaw::draw(&turned, Some(FACE), &mut rng).unwrap();
            let middle = FACE.centre()[0];
            let off = warp.inverse(middle) - middle;
            assert!(off.abs() <= 0.36 * FACE.width(), "{off}");
            assert_eq!(warp.apply(FACE.x1 - 10.0), FACE.x1 - 10.0);
        }
        assert!(yaw::draw(&turned, None, &mut rng).is_none());
    }
}
