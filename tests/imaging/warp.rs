//! Warps against numbers worked out by hand, and against resizing.

use super::*;

fn warp(src: &RgbImage, map: &Affine, out: [u32; 2], fill: [u8; 3]) -> RgbImage {
    imaging::warp(src, map, out, fill).unwrap()
}

#[test]
fn warp_by_hand() {
    let src = noise(9, 7);
    let fill = [1, 2, 3];
    assert_eq!(warp(&src, &Affine::IDENTITY, [9, 7], fill), src);
    let shifted = warp(&src, &Affine::scale_shift(1.0, [2.0, -1.0]), [9, 7], fill);
    assert_eq!(shifted.get_pixel(2, 0), src.get_pixel(0, 1));
    assert_eq!(shifted.get_pixel(1, 0), &Rgb(fill));
    assert_eq!(shifted.get_pixel(4, 6), &Rgb(fill));
    let mirror = Affine {
        row_x: [-1.0, 0.0, 9.0],
        row_y: [0.0, 1.0, 0.0],
    };
    assert_eq!(
        warp(&src, &mirror, [9, 7], fill),
        image::imageops::flip_horizontal(&src)
    );
    // A quarter turn clockwise: (x, y) -> (7 - y, x).
    let turn = Affine {
        row_x: [0.0, -1.0, 7.0],
        row_y: [1.0, 0.0, 0.0],
    };
    assert_eq!(
        warp(&src, &turn, [7, 9], fill),
        image::imageops::rotate90(&src)
    );
    let flat = Affine {
        row_x: [0.0; 3],
        row_y: [0.0, 1.0, 0.0],
    };
    assert!(
        warp(&src, &flat, [4, 4], fill)
            .pixels()
            .all(|p| p.0 == fill)
    );
    // Doubling by hand: the centre of target pixel 1 is source 0.75: 3/4 pixel 0, 1/4 pixel 1.
    let two = RgbImage::from_fn(2, 1, |x, _| Rgb([(x * 200) as u8; 3]));
    let four = warp(&two, &Affine::scale_shift(2.0, [0.0; 2]), [4, 2], fill);
    let row: Vec<u8> = (0..4).map(|x| four.get_pixel(x, 0).0[0]).collect();
    assert_eq!(row, [0, 50, 150, 200]);
}

#[test]
fn warp_shrinks_like_resize_and_touches_what_it_needs_only() {
    let checks = RgbImage::from_fn(640, 480, |x, y| Rgb([((x + y) % 2 * 255) as u8; 3]));
    let small = warp(
        &checks,
        &Affine::rotation(0.3, 0.2, [320.0, 240.0]),
        [640, 480],
        [0; 3],
    );
    assert_near(*small.get_pixel(320, 240), [127; 3], 3);

    let src = noise(400, 300);
    let (a, b) = (
        warp(
            &src,
            &Affine::scale_shift(0.25, [0.0; 2]),
            [100, 75],
            [0; 3],
        ),
        resize(&src, [100, 75]).unwrap(),
    );
    for (p, q) in a.pixels().zip(b.pixels()) {
        assert_near(*p, q.0, 1);
    }

    let big = RgbImage::from_pixel(8000, 8000, Rgb([9; 3]));
    let start = std::time::Instant::now();
    let map = Affine::scale_shift(0.5, [-2000.0, -1500.0]);
    let crop = warp(&big, &map, [64, 64], [0; 3]);
    assert!(start.elapsed().as_millis() < 200, "{:?}", start.elapsed());
    assert!(crop.pixels().all(|p| p.0 == [9; 3]));
}
