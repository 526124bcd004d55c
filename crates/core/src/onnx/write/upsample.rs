//! Nearest upsampling to the size of another map.

use super::Size;
use super::builder::{Attribute, Builder, Written};
use crate::error::{Error, Result};
use crate::graph::Shape;

/// Pixel y of the result is pixel `floor(y * small / large)` of the small map.
const NEAREST: [Attribute<'static>; 3] = [
    Attribute::Text("coordinate_transformation_mode", "asymmetric"),
    Attribute::Text("mode", "nearest"),
    Attribute::Text("nearest_mode", "floor"),
];

impl Builder {
    pub fn upsample_add(
        &mut self,
        within: &str,
        small: &Written,
        large: &Written,
    ) -> Result<String> {
        let [(h, rows), (w, columns)] = axes(small.shape, large.shape);
        let exact = floors(h, rows) && floors(w, columns);
        if !large.varies && !exact {
            return Err(Error::Onnx(format!(
                "{within}: ONNX rounds differently from {h} x {w} to {rows} x {columns}"
            )));
        }
        let [small_name, large_name] = [small, large].map(|value| self.as_map(value));
        if !large.varies && (h, w) == (rows, columns) {
            return Ok(self.emit(within, "Add", &[&small_name, &large_name], &[]));
        }
        let whole = !large.varies && rows.is_multiple_of(h) && columns.is_multiple_of(w);
        let resized = if whole {
            let factors = [1.0, 1.0, (rows / h) as f32, (columns / w) as f32];
            let factors = self.floats("factors", &[4], &factors);
            self.emit(within, "Resize", &[&small_name, "", &factors], &NEAREST)
        } else {
            let sizes = self.sizes(within, &small_name, &large_name, large);
            self.emit(within, "Resize", &[&small_name, "", "", &sizes], &NEAREST)
        };
        Ok(self.emit(within, "Add", &[&resized, &large_name], &[]))
    }

    /// Images and channels of the one, height and width of the other, which the number of images
    /// keeps from being constant.
    fn sizes(
        &mut self,
        within: &str,
        small_name: &str,
        large_name: &str,
        large: &Written,
    ) -> String {
        let first = [Attribute::Int("end", 2)];
        let first = self.emit(within, "Shape", &[small_name], &first);
        let [_, height, width] = large.shape.map(|size| size as i64);
        let last = match self.size {
            Size::Dynamic => self.emit(
                within,
                "Shape",
                &[large_name],
                &[Attribute::Int("start", 2)],
            ),
            Size::Fixed => self.ints(&[height, width]),
        };
        self.emit(
            within,
            "Concat",
            &[&first, &last],
            &[Attribute::Int("axis", 0)],
        )
    }
}

fn axes(small: Shape, large: Shape) -> [(usize, usize); 2] {
    [1, 2].map(|axis| (small[axis], large[axis]))
}

/// Whether the coordinates that runtimes compute in 32 bits round to those of whole numbers. For
/// the levels of a pyramid, where `large` is twice `small` or one less, they do.
fn floors(small: usize, large: usize) -> bool {
    let scale = large as f32 / small as f32;
    (0..large).all(|i| (i as f32 / scale) as usize == i * small / large.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_pyramids_round_alike() {
        assert!((1..2000).all(|small| floors(small, 2 * small) && floors(small, 2 * small - 1)));
        assert!((1..50).any(|small| (small..100).any(|large| !floors(small, large))));
    }
}
