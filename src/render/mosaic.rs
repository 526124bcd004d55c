//! Grids of small pictures with captions.

use image::{Rgb, RgbImage, imageops};

use super::{text, text_size};

const GAP: u32 = 4;
const BACKGROUND: [u8; 3] = [24; 3];
const CAPTION: [u8; 3] = [235; 3];

/// One picture of a mosaic.
#[derive(Clone, Debug)]
pub struct Tile {
    /// The picture; made smaller when it is larger than the tile, never larger.
    pub image: RgbImage,
    /// A short line under it.
    pub caption: String,
}

/// Lay `tiles` out in rows of `columns`, each picture centred in a square of `side` pixels with
/// its caption below. Without tiles: one empty square.
pub fn mosaic(tiles: &[Tile], columns: usize, side: u32) -> RgbImage {
    let columns = columns.clamp(1, tiles.len().max(1)) as u32;
    let rows = (tiles.len().max(1) as u32).div_ceil(columns);
    let caption = (side / 9).clamp(10, 24);
    let (cell_w, cell_h) = (side + GAP, side + caption + GAP);
    let size = [columns * cell_w + GAP, rows * cell_h + GAP];
    let mut sheet = RgbImage::from_pixel(size[0], size[1], Rgb(BACKGROUND));
    for (i, tile) in tiles.iter().enumerate() {
        let (column, row) = (i as u32 % columns, i as u32 / columns);
        let [x, y] = [GAP + column * cell_w, GAP + row * cell_h];
        paste(&mut sheet, &tile.image, [x, y], side);
        let height = caption as f32 * 0.85;
        let [width, _] = text_size(height, &tile.caption);
        // A long caption gets smaller rather than running into its neighbour.
        let fit = (side as f32 / width.max(1.0)).min(1.0);
        let at = [x as f32 + 1.0, (y + side) as f32 + 1.0];
        text(&mut sheet, at, height * fit, CAPTION, &tile.caption);
    }
    sheet
}

fn paste(sheet: &mut RgbImage, picture: &RgbImage, [x, y]: [u32; 2], side: u32) {
    let (width, height) = picture.dimensions();
    let largest = width.max(height);
    if largest == 0 || side == 0 {
        return;
    }
    let shrunk;
    let shown = if largest > side {
        let fit = |v: u32| (u64::from(v) * u64::from(side) / u64::from(largest)).max(1) as u32;
        shrunk = imageops::thumbnail(picture, fit(width), fit(height));
        &shrunk
    } else {
        picture
    };
    let left = x + (side - shown.width()) / 2;
    let top = y + (side - shown.height()) / 2;
    imageops::replace(sheet, shown, i64::from(left), i64::from(top));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(w: u32, h: u32, colour: [u8; 3]) -> Tile {
        Tile {
            image: RgbImage::from_pixel(w, h, Rgb(colour)),
            caption: "0.123".into(),
        }
    }

    #[test]
    fn tiles_of_any_shape_fit() {
        let tiles = [
            plain(1, 1, [255, 0, 0]),
            plain(300, 20, [0, 255, 0]),
            plain(0, 0, [0; 3]),
            plain(10, 500, [0, 0, 255]),
        ];
        let sheet = mosaic(&tiles, 3, 64);
        assert_eq!(sheet.dimensions(), (3 * 68 + 4, 2 * (64 + 10 + 4) + 4));
        assert_eq!(sheet.get_pixel(4 + 31, 4 + 31).0, [255, 0, 0]);
        assert_eq!(sheet.get_pixel(68 + 4 + 32, 4 + 32).0, [0, 255, 0]);
        assert!(mosaic(&[], 8, 32).width() > 0);
    }
}
