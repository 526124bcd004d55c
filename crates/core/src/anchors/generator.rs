//! Anchors of one input size.

use std::ops::Range;

use crate::settings::AnchorConfig;

/// All anchors of one input size, ordered by level, row, column, anchor of the location: the
/// order of the network's outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchors {
    input: [u32; 2],
    boxes_cxcywh: Vec<[f32; 4]>,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq)]
struct Level {
    map: [usize; 2],
    range: Range<usize>,
}

impl Anchors {
    /// One anchor for the whole input: the crop of a face.
    pub fn single(anchor_cxcywh: [f32; 4], input: [u32; 2]) -> Self {
        Self {
            input,
            boxes_cxcywh: vec![anchor_cxcywh],
            levels: vec![Level {
                map: [1, 1],
                range: 0..1,
            }],
        }
    }

    /// Anchors for a network input of `[width, height]` pixels. A level of stride `s` has
    /// `ceil(width / s) x ceil(height / s)` locations, centred at `(i + offset) s`, each with one
    /// square anchor per size, also where they reach over the edge.
    pub fn generate(config: &AnchorConfig, input: [u32; 2]) -> Self {
        let mut boxes_cxcywh = Vec::new();
        let mut levels = Vec::new();
        for (&stride, sizes) in config.strides.iter().zip(&config.min_sizes) {
            let start = boxes_cxcywh.len();
            let map = input.map(|side| (side as usize).div_ceil(stride));
            let centre = |i: usize| (i as f32 + config.offset) * stride as f32;
            for y in 0..map[1] {
                for x in 0..map[0] {
                    boxes_cxcywh.extend(sizes.iter().map(|&s| [centre(x), centre(y), s, s]));
                }
            }
            levels.push(Level {
                map,
                range: start..boxes_cxcywh.len(),
            });
        }
        Self {
            input,
            boxes_cxcywh,
            levels,
        }
    }

    /// `[width, height]` of the network input, pixels.
    pub const fn input(&self) -> [u32; 2] {
        self.input
    }

    /// Number of anchors.
    pub const fn len(&self) -> usize {
        self.boxes_cxcywh.len()
    }

    /// Whether there are none (an empty config).
    pub const fn is_empty(&self) -> bool {
        self.boxes_cxcywh.is_empty()
    }

    /// Every anchor: centre and size, input pixels.
    pub fn boxes_cxcywh(&self) -> &[[f32; 4]] {
        &self.boxes_cxcywh
    }

    /// Width and height of the feature map of each level.
    pub fn maps(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        self.levels.iter().map(|l| l.map)
    }

    /// Indices of the anchors of each level.
    pub fn levels(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.levels.iter().map(|l| l.range.clone())
    }

    /// The level that an anchor belongs to; `None` beyond the last anchor.
    pub fn level_of(&self, anchor: usize) -> Option<usize> {
        self.levels.iter().position(|l| l.range.contains(&anchor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_input_has_16800_anchors_in_order() {
        let a = Anchors::generate(&AnchorConfig::default(), [640, 640]);
        assert_eq!(a.len(), (80 * 80 + 40 * 40 + 20 * 20) * 2);
        let b = a.boxes_cxcywh();
        assert_eq!(b[0], [4.0, 4.0, 16.0, 16.0]);
        assert_eq!(b[1], [4.0, 4.0, 32.0, 32.0]);
        assert_eq!(b[2], [12.0, 4.0, 16.0, 16.0]);
        assert_eq!(b[160], [4.0, 12.0, 16.0, 16.0]);
        assert_eq!(b[12_800], [8.0, 8.0, 64.0, 64.0]);
        assert_eq!(b[16_799], [624.0, 624.0, 512.0, 512.0]);
        assert_eq!((a.level_of(12_799), a.level_of(12_800)), (Some(0), Some(1)));
        assert_eq!(a.level_of(16_800), None);
    }

    #[test]
    fn a_wide_input_has_wide_maps() {
        let a = Anchors::generate(&AnchorConfig::default(), [96, 32]);
        let maps: Vec<_> = a.maps().collect();
        assert_eq!(maps, [[12, 4], [6, 2], [3, 1]]);
        // The first anchor of the second row comes after twelve locations of two.
        assert_eq!(a.boxes_cxcywh()[24], [4.0, 12.0, 16.0, 16.0]);
    }

    #[test]
    fn odd_inputs_round_their_maps_up() {
        let a = Anchors::generate(&AnchorConfig::default(), [33, 1]);
        let maps: Vec<_> = a.maps().collect();
        assert_eq!(maps, [[5, 1], [3, 1], [2, 1]]);
        assert_eq!(a.len(), 20);
        assert_eq!(a.boxes_cxcywh()[8], [36.0, 4.0, 16.0, 16.0]);
    }
}
