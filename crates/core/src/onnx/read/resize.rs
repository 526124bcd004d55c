//! Nearest upsampling, which must be that of graphs.

use super::operation::Operation;
use super::reader::Reader;
use super::value::{Data, Form};
use crate::error::Result;

impl Reader {
    /// Upsampling on the way to a sum.
    pub fn resize(&mut self, op: &Operation<'_>) -> Result<Data> {
        let small = op.map(0)?;
        let [channels, height, width] = self.shape(small);
        let size = target(op, [1, channels, height, width])?;
        let mode = op.text("mode").unwrap_or("nearest");
        if mode != "nearest" {
            return Err(op.refuse(format!("mode {mode} is not supported")));
        }
        for (from, to) in [(height, size[0]), (width, size[1])] {
            if !is_usual(op, from, to) {
                return Err(op.refuse(format!(
                    "from {from} to {to} pixels it does not take pixel floor(i * {from} / {to})"
                )));
            }
        }
        if size == [height, width] {
            return Ok(Data::map(&self.graph, small));
        }
        Ok(Data {
            form: Form::Resized { small, size },
            dims: vec![1, channels, size[0], size[1]],
        })
    }
}

/// Height and width of the result.
fn target(op: &Operation<'_>, from: [usize; 4]) -> Result<[usize; 2]> {
    let scales = match (op.kind(), op.opset) {
        ("Upsample", ..=8) => op.floats("scales").map(<[f32]>::to_vec),
        ("Upsample", _) | (_, ..=10) => floats(op, 1)?,
        _ => floats(op, 2)?,
    };
    let sizes = match op.kind() {
        "Resize" if op.opset > 10 => op.known(3)?.and_then(|sizes| sizes.ints()),
        _ => None,
    };
    let all: Option<Vec<usize>> = match (sizes, scales.as_deref()) {
        (Some(sizes), _) => sizes
            .iter()
            .map(|&size| usize::try_from(size).ok())
            .collect(),
        (None, Some(scales)) if scales.len() == 4 => {
            let scaled = from.iter().zip(scales);
            Some(
                scaled
                    .map(|(&size, scale)| (size as f32 * scale) as usize)
                    .collect(),
            )
        }
        _ => None,
    };
    match all.as_deref() {
        Some(&[1, channels, height, width])
            if channels == from[1] && (1..=1 << 16).contains(&height.max(width)) =>
        {
            Ok([height, width])
        }
        _ => Err(op.refuse(format!("from {from:?} to {all:?} is not supported"))),
    }
}

/// Numbers of an input; `None` also where it has none.
fn floats(op: &Operation<'_>, index: usize) -> Result<Option<Vec<f32>>> {
    let values = op.known(index)?.and_then(|constant| constant.floats());
    Ok(values
        .filter(|values| !values.is_empty())
        .map(|values| values.to_vec()))
}

/// Whether pixel `i` of `to` is always pixel `floor(i * from / to)` of `from`, as in graphs.
fn is_usual(op: &Operation<'_>, from: usize, to: usize) -> bool {
    // Before version 11 there was one way only.
    let [default, rounding] = match op.opset {
        ..=10 => ["asymmetric", "floor"],
        _ => ["half_pixel", "round_prefer_floor"],
    };
    let mode = op.text("coordinate_transformation_mode").unwrap_or(default);
    let rounding = op.text("nearest_mode").unwrap_or(rounding);
    let scale = to as f64 / from as f64;
    (0..to).all(|i| {
        // Whole numbers divided are exact enough for floor where they come out whole.
        let place = match mode {
            "asymmetric" => i as f64 * from as f64 / to as f64,
            "half_pixel" => (i as f64 + 0.5) / scale - 0.5,
            "pytorch_half_pixel" if to > 1 => (i as f64 + 0.5) / scale - 0.5,
            "pytorch_half_pixel" => 0.0,
            "align_corners" => i as f64 * (from as f64 - 1.0) / (to as f64 - 1.0).max(1.0),
            _ => return false,
        };
        let nearest = match rounding {
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            _ => return false,
        };
        nearest.clamp(0.0, from as f64 - 1.0) as usize == i * from / to
    })
}
