//! Windows of a map as images of their own.

use super::{Run, Step};
use crate::engine::layout::Map;

/// Squares around places of a map, zero beyond its edges.
#[derive(Debug)]
pub struct GatherStep {
    /// Where they go, one an image.
    pub output: Map,
}

impl Step for GatherStep {
    fn run(&self, run: &mut Run<'_>) {
        let Some(windows) = run.windows else { return };
        let mut taken = run.take(self.output.buffer);
        let (from, to) = (&windows.features.map, &self.output);
        let [_, height, width] = to.shape;
        let radius = [height / 2, width / 2];
        for (place, out) in windows
            .places
            .iter()
            .zip(taken.as_mut_slice().chunks_mut(to.image()))
        {
            let &[image, at_y, at_x] = place;
            let values = &windows.features.values[image * from.image()..];
            for y in 0..height {
                // What of the row lies on the map.
                let inside = (at_y + y)
                    .checked_sub(radius[0])
                    .filter(|&y| y < windows.size[0]);
                let first = radius[1].saturating_sub(at_x);
                let past = width.min((windows.size[1] + radius[1]).saturating_sub(at_x));
                for block in 0..to.blocks() {
                    let row = to.at_row(y) + block * to.block();
                    let row = &mut out[row..row + width * to.lanes];
                    row.fill(0.0);
                    if let (Some(y), true) = (inside, past > first) {
                        let x = at_x + first - radius[1];
                        let at = from.at_row(y) + block * from.block() + x * from.lanes;
                        let count = (past - first) * from.lanes;
                        let own = &mut row[first * to.lanes..][..count];
                        own.copy_from_slice(&values[at..at + count]);
                    }
                }
            }
        }
        run.put(self.output.buffer, taken);
    }

    fn reads(&self) -> Vec<usize> {
        Vec::new()
    }

    fn writes(&self) -> Vec<usize> {
        vec![self.output.buffer]
    }
}
