//! Tests of imaging: every kind of file, whole and damaged; resizing and warping by hand.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba};
use retinamark::config::{ChannelOrder, InputConfig};
use retinamark::geometry::Affine;
use retinamark::imaging::{self, Limits, fill_tensor, load_rgb, probe, resize};

use crate::support::{fixture, tempdir};

mod damage;
mod kinds;
mod warp;

fn load(path: &Path) -> anyhow::Result<RgbImage> {
    Ok(load_rgb(path, &Limits::default())?)
}

fn error_of(path: &Path) -> String {
    let message = format!(
        "{:#}",
        load(path)
            .map(|image| image.dimensions())
            .expect_err("must fail")
    );
    assert!(
        message.contains(path.file_name().unwrap().to_str().unwrap()),
        "{message}"
    );
    assert!(message.len() < 300, "{message}");
    message
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn assert_near(a: Rgb<u8>, b: [u8; 3], tolerance: u8) {
    let near = a.0.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(near, "{a:?} is not {b:?}");
}

/// Noise does not compress, so that each part of the file is needed.
fn noise(w: u32, h: u32) -> RgbImage {
    let mut state = 1u32;
    RgbImage::from_fn(w, h, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = state.rotate_left(9).to_le_bytes();
        Rgb([a, b, c])
    })
}

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::Bmp,
    ImageFormat::WebP,
    ImageFormat::Gif,
    ImageFormat::Tiff,
];

#[test]
fn quadrants_of_every_special_file_have_their_colours() {
    let names = [
        ("cmyk.jpg", 6),
        ("ycck.jpg", 8),
        ("cmyk.tif", 1),
        ("palette.png", 0),
        ("animated.png", 0),
        ("animated.webp", 0),
        ("animated.gif", 0),
        ("lossy.webp", 12),
    ];
    let want = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [127; 3]];
    for (name, tolerance) in names {
        println!("{name}");
        let image = load(&fixture(&format!("imaging/{name}"))).unwrap();
        assert_eq!(image.dimensions(), (32, 32), "{name}");
        for (i, colour) in want.into_iter().enumerate() {
            let (x, y) = (8 + 16 * (i as u32 % 2), 8 + 16 * (i as u32 / 2));
            assert_near(*image.get_pixel(x, y), colour, tolerance);
        }
    }
}

#[test]
fn sixteen_bits_grey_and_alpha_become_rgb8() {
    let dir = tempdir();
    let path = dir.path().join("photo.png");
    let save = |image: DynamicImage| {
        std::fs::write(&path, encode(&image, ImageFormat::Png)).unwrap();
        *load(&path).unwrap().get_pixel(1, 0)
    };
    let grey16 = ImageBuffer::from_pixel(2, 1, Luma([0x8080u16]));
    assert_eq!(save(DynamicImage::ImageLuma16(grey16)), Rgb([128; 3]));
    let grey = ImageBuffer::from_pixel(2, 1, Luma([9u8]));
    assert_eq!(save(DynamicImage::ImageLuma8(grey)), Rgb([9; 3]));
    let colour16 = ImageBuffer::from_pixel(2, 1, Rgb([0u16, 0xffff, 0x0101]));
    assert_eq!(save(DynamicImage::ImageRgb16(colour16)), Rgb([0, 255, 1]));
    let clear = ImageBuffer::from_pixel(2, 1, Rgba([10u8, 20, 30, 0]));
    assert_eq!(save(DynamicImage::ImageRgba8(clear)), Rgb([255; 3]));
    let half = ImageBuffer::from_pixel(2, 1, Rgba([0u16, 0, 0, 0x8080]));
    assert_eq!(save(DynamicImage::ImageRgba16(half)), Rgb([127; 3]));
}

#[test]
fn a_float_tiff_is_read() {
    let dir = tempdir();
    let path = dir.path().join("float.tif");
    let image = ImageBuffer::from_pixel(3, 2, Rgb([0.0f32, 0.5, 1.5]));
    let bytes = encode(&DynamicImage::ImageRgb32F(image), ImageFormat::Tiff);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(*load(&path).unwrap().get_pixel(0, 0), Rgb([0, 128, 255]));
}

/// A JPEG of `image` with an EXIF block that holds nothing but the orientation.
fn jpeg_with_orientation(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let jpeg = encode(&DynamicImage::ImageRgb8(image.clone()), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}

#[test]
fn all_eight_exif_orientations_end_upright() {
    // Upright: 48 x 32, red in the top left, green in the top right corner.
    let mut upright = RgbImage::from_pixel(48, 32, Rgb([0, 0, 255]));
    for (x, y) in (0..16).flat_map(|y| (0..16).map(move |x| (x, y))) {
        upright.put_pixel(x, y, Rgb([255, 0, 0]));
        upright.put_pixel(x + 32, y, Rgb([0, 255, 0]));
    }
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    let transposed = flip_horizontal(&rotate90(&upright));
    let stored = [
        upright.clone(),
        flip_horizontal(&upright),
        rotate180(&upright),
        flip_vertical(&upright),
        transposed.clone(),
        rotate270(&upright),
        rotate180(&transposed),
        rotate90(&upright),
    ];
    let dir = tempdir();
    for (i, image) in stored.iter().enumerate() {
        let path = dir.path().join(format!("{}.jpg", i + 1));
        std::fs::write(&path, jpeg_with_orientation(image, i as u8 + 1)).unwrap();
        assert_eq!(probe(&path).unwrap(), [48, 32], "orientation {}", i + 1);
        let image = load(&path).unwrap();
        assert_eq!(image.dimensions(), (48, 32));
        assert_near(*image.get_pixel(6, 6), [255, 0, 0], 12);
        assert_near(*image.get_pixel(42, 6), [0, 255, 0], 12);
        assert_near(*image.get_pixel(24, 26), [0, 0, 255], 12);
    }
}

#[test]
fn the_content_decides_not_the_name() {
    let dir = tempdir();
    let image = DynamicImage::ImageRgb8(noise(20, 10));
    for format in FORMATS {
        let path = dir.path().join("photo.unknown");
        std::fs::write(&path, encode(&image, format)).unwrap();
        assert_eq!(load(&path).unwrap().dimensions(), (20, 10), "{format:?}");
        assert_eq!(probe(&path).unwrap(), [20, 10], "{format:?}");
    }
}

#[test]
fn cut_off_files_are_errors_wherever_the_cut_is() {
    let dir = tempdir();
    let image = DynamicImage::ImageRgb8(noise(64, 48));
    for format in FORMATS {
        let bytes = encode(&image, format);
        let path = dir
            .path()
            .join(format!("cut.{}", format.extensions_str()[0]));
        for percent in [1, 5, 25, 50, 75, 90] {
            std::fs::write(&path, &bytes[..bytes.len() * percent / 100]).unwrap();
            println!("{percent} %: {}", error_of(&path));
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let dir = tempdir();
    let image = DynamicImage::ImageRgb8(noise(24, 16));
    let path = dir.path().join("damaged");
    for format in FORMATS {
        let whole = encode(&image, format);
        for i in 0..60 {
            let mut bytes = whole.clone();
            let at = i * 37 % bytes.len().min(400);
            bytes[at] ^= 0xa5;
            std::fs::write(&path, bytes).unwrap();
            let _ = load_rgb(
                &path,
                &Limits {
                    max_pixels: 1 << 20,
                },
            );
        }
    }
}

#[test]
fn files_that_are_no_photos_say_why() {
    let dir = tempdir();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    assert!(error_of(&file("empty.jpg", b"")).contains("empty"));
    assert!(error_of(&file("text.jpg", b"hello, this is no photo")).contains("not an image"));
    assert!(error_of(&file("one.png", b"\x89")).contains("not an image"));
    let avif = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf";
    assert!(error_of(&file("photo.avif", avif)).contains("AVIF files cannot be read"));
    assert!(error_of(dir.path()).contains("not a regular file"));
    assert!(error_of(&dir.path().join("missing.jpg")).contains("No such file"));
}

#[test]
fn a_header_that_promises_too_much_is_refused_unread() {
    let dir = tempdir();
    let small = DynamicImage::ImageRgb8(noise(8, 8));

    let mut bmp = encode(&small, ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]); // 60,000 x 60,000
    let mut jpeg = encode(&small, ImageFormat::Jpeg);
    let sof = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[sof + 5..sof + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let mut gif = encode(&small, ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    for (name, bytes) in [("bomb.bmp", bmp), ("bomb.jpg", jpeg), ("bomb.gif", gif)] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let message = error_of(&path);
        assert!(message.contains("at most 200000000"), "{message}");
    }

    let path = dir.path().join("photo.png");
    std::fs::write(&path, encode(&small, ImageFormat::Png)).unwrap();
    assert!(load_rgb(&path, &Limits { max_pixels: 64 }).is_ok());
    assert!(load_rgb(&path, &Limits { max_pixels: 63 }).is_err());
}

#[test]
fn resizing_averages_when_shrinking_and_never_reaches_zero() {
    let src = RgbImage::from_fn(400, 300, |x, y| Rgb([((x + y) % 2 * 255) as u8; 3]));
    let small = resize(&src, [40, 30]).unwrap();
    assert_eq!(small.dimensions(), (40, 30));
    assert_near(*small.get_pixel(20, 15), [127; 3], 2);
    let thin = RgbImage::from_pixel(1, 10_000, Rgb([5, 6, 7]));
    assert_eq!(resize(&thin, [0, 640]).unwrap().dimensions(), (1, 640));
    assert_eq!(
        *resize(&thin, [3, 1]).unwrap().get_pixel(2, 0),
        Rgb([5, 6, 7])
    );
    assert!(resize(&RgbImage::new(0, 5), [3, 3]).is_err());
}

#[test]
fn the_network_input_is_planar_normalised_and_zero_outside() {
    let image = RgbImage::from_fn(2, 1, |x, _| Rgb([10 + x as u8, 20, 30]));
    let mut input = InputConfig {
        channel_order: ChannelOrder::Bgr,
        mean: vec![1.0, 2.0, 3.0],
        std: vec![1.0, 2.0, 4.0],
    };
    let mut out = vec![7.0; 3 * 3 * 2];
    fill_tensor(&image, &input, [3, 2], &mut out);
    let want = [
        [29.0, 29.0, 0.0, 0.0, 0.0, 0.0],
        [9.0, 9.0, 0.0, 0.0, 0.0, 0.0],
        [1.75, 2.0, 0.0, 0.0, 0.0, 0.0],
    ];
    assert_eq!(out, want.concat());
    input.channel_order = ChannelOrder::Rgb;
    let mut out = vec![7.0; 3];
    fill_tensor(&image, &input, [1, 1], &mut out);
    assert_eq!(out, [9.0, 9.0, 6.75]);
    let grey = InputConfig {
        channel_order: ChannelOrder::Grey,
        mean: vec![8.0],
        std: vec![2.0],
    };
    let mut out = vec![7.0; 3 * 2];
    fill_tensor(&image, &grey, [3, 2], &mut out);
    // 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15, and 18.449.
    assert_eq!(out, [5.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
    let twin = RgbImage::from_pixel(2, 1, Rgb([18; 3]));
    let mut same = vec![7.0; 3 * 2];
    fill_tensor(&twin, &grey, [3, 2], &mut same);
    assert_eq!(same, out);
}
