//! Where the pixels of a crop's map lie.

/// The pixels of a map of a crop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Its height and width, pixels of the map.
    pub(super) size: [usize; 2],
    /// Distance from the middle of the crop to its edge, in the coder's terms.
    pub(super) reach: f32,
}

impl Grid {
    /// `[x, y]` of each pixel's centre in the coder's terms, row by row.
    pub(super) fn places(self) -> impl Iterator<Item = [f32; 2]> {
        let [height, width] = self.size;
        let place =
            move |i: usize, side: usize| ((i as f32 + 0.5) / side as f32 * 2.0 - 1.0) * self.reach;
        (0..height * width).map(move |i| [place(i % width, width), place(i / width, height)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_at_their_centres() {
        let grid = Grid {
            size: [2, 2],
            reach: 4.0,
        };
        let places: Vec<_> = grid.places().collect();
        assert_eq!(places, [[-2.0, -2.0], [2.0, -2.0], [-2.0, 2.0], [2.0, 2.0]]);
    }
}
