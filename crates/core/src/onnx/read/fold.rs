//! Arithmetic of shapes: what is known once the size of the image is.

use super::constant::{Constant, Numbers, product};
use super::operation::Operation;
use super::reader::Reader;
use super::value::{Value, axis_of, resolve};
use crate::error::Result;
use crate::onnx::proto::data_type;

impl Reader {
    /// What an operation gives, where that is known; `None` where it depends on the image.
    pub fn fold(&mut self, op: &Operation<'_>) -> Result<Option<Constant>> {
        if op.kind() == "Shape" {
            return Ok(Some(shape(op)?));
        }
        if op.kind() == "Constant" {
            let values = |ints: &[i64]| Constant::list(ints.to_vec());
            let value = op
                .tensor("value")?
                .or_else(|| op.ints("value_ints").map(values));
            return value
                .map(Some)
                .ok_or_else(|| op.refuse("this kind of value is not read"));
        }
        let known = |value: &Value| matches!(value, Value::Constant(_));
        if op.inputs.is_empty() || !op.inputs.iter().flatten().all(known) {
            return Ok(None);
        }
        let folded = of_constants(op)?;
        self.spend(op, Some(folded.len()))?;
        Ok(Some(folded))
    }
}

fn of_constants(op: &Operation<'_>) -> Result<Constant> {
    let x = op.constant(0)?;
    match op.kind() {
        "Identity" | "Dropout" => Ok(x.clone()),
        "Gather" => gather(op, x),
        "Slice" => slice(op, x),
        "Concat" => concat(op),
        "Cast" => cast(op, x),
        "Floor" | "Ceil" => round(op, x),
        "Transpose" => transpose(op, x),
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(op, x, op.constant(1)?),
        "Reshape" | "Unsqueeze" | "Squeeze" | "Flatten" => Ok(Constant {
            dims: new_dims(op, &x.dims)?,
            numbers: x.numbers.clone(),
        }),
        _ => Err(op.refuse("this operation on constants is not supported")),
    }
}

fn shape(op: &Operation<'_>) -> Result<Constant> {
    let dims = match op.value(0)? {
        Value::Constant(constant) => &constant.dims,
        Value::Data(data) => &data.dims,
    };
    let rank = dims.len() as i64;
    let bound = |name: &str, default: i64| {
        let bound = op.int(name, default);
        let bound = if bound < 0 {
            bound.saturating_add(rank)
        } else {
            bound
        };
        bound.clamp(0, rank) as usize
    };
    let chosen = dims
        .get(bound("start", 0)..bound("end", rank))
        .unwrap_or_default();
    Ok(Constant::list(
        chosen.iter().map(|&size| size as i64).collect(),
    ))
}

/// Axes that reshaping operations give a tensor with the axes `from`.
pub fn new_dims(op: &Operation<'_>, from: &[usize]) -> Result<Vec<usize>> {
    let dims = match op.kind() {
        "Reshape" => {
            let target = op.list("shape", 1)?;
            target.and_then(|target| resolve(from, &target))
        }
        "Flatten" => flattened(op, from),
        "Squeeze" => squeezed(op.list("axes", 1)?, from),
        _ => op.list("axes", 1)?.and_then(|axes| unsqueezed(&axes, from)),
    };
    dims.ok_or_else(|| op.refuse(format!("does not fit its input {from:?}")))
}

fn flattened(op: &Operation<'_>, from: &[usize]) -> Option<Vec<usize>> {
    let axis = op.int("axis", 1);
    let split = if axis == from.len() as i64 {
        from.len()
    } else {
        axis_of(axis, from.len())?
    };
    let (before, behind) = from.split_at(split);
    Some(vec![product(before)?, product(behind)?])
}

fn squeezed(axes: Option<Vec<i64>>, from: &[usize]) -> Option<Vec<usize>> {
    let gone: Vec<usize> = match axes {
        Some(axes) => {
            let axes = axes.iter().map(|&axis| axis_of(axis, from.len()));
            axes.collect::<Option<_>>()?
        }
        None => (0..from.len()).filter(|&axis| from[axis] == 1).collect(),
    };
    if gone.iter().any(|&axis| from[axis] != 1) {
        return None;
    }
    let kept = (0..from.len()).filter(|axis| !gone.contains(axis));
    Some(kept.map(|axis| from[axis]).collect())
}

fn unsqueezed(axes: &[i64], from: &[usize]) -> Option<Vec<usize>> {
    let rank = from.len() + axes.len();
    let new: Option<Vec<usize>> = axes.iter().map(|&axis| axis_of(axis, rank)).collect();
    let new = new?;
    let mut rest = from.iter();
    let dims = (0..rank).map(|axis| match new.contains(&axis) {
        true => Some(1),
        false => rest.next().copied(),
    });
    let dims: Vec<usize> = dims.collect::<Option<_>>()?;
    rest.next().is_none().then_some(dims)
}

/// The whole numbers of a list, which all shapes are.
fn list<'a>(op: &Operation<'_>, constant: &'a Constant) -> Result<&'a [i64]> {
    let ints = constant.ints().filter(|_| constant.dims.len() <= 1);
    ints.ok_or_else(|| op.refuse("on constants this works for lists of whole numbers only"))
}

fn gather(op: &Operation<'_>, x: &Constant) -> Result<Constant> {
    let values = list(op, x)?;
    let indices = op.constant(1)?;
    let chosen = list(op, indices)?.iter().map(|&index| {
        let index = axis_of(index, values.len());
        index
            .map(|index| values[index])
            .ok_or_else(|| op.refuse("index beyond the end"))
    });
    let chosen: Vec<i64> = chosen.collect::<Result<_>>()?;
    Ok(Constant {
        dims: indices.dims.clone(),
        numbers: Numbers::Ints(chosen.into()),
    })
}

fn slice(op: &Operation<'_>, x: &Constant) -> Result<Constant> {
    let values = list(op, x)?;
    let one = |attribute, index| -> Result<Option<i64>> {
        let list = op.list(attribute, index)?;
        Ok(list.and_then(|list| list.first().copied()))
    };
    let (start, end) = (one("starts", 1)?, one("ends", 2)?);
    if op.list("steps", 4)?.is_some_and(|steps| steps != [1]) {
        return Err(op.refuse("only steps of 1 are supported"));
    }
    let count = values.len() as i64;
    let bound = |bound: Option<i64>, default: i64| {
        let bound = bound.unwrap_or(default);
        let bound = if bound < 0 {
            bound.saturating_add(count)
        } else {
            bound
        };
        bound.clamp(0, count) as usize
    };
    let chosen = values.get(bound(start, 0)..bound(end, count));
    Ok(Constant::list(chosen.unwrap_or_default().to_vec()))
}

fn concat(op: &Operation<'_>) -> Result<Constant> {
    let mut all = Vec::new();
    for index in 0..op.inputs.len() {
        all.extend_from_slice(list(op, op.constant(index)?)?);
        // Shapes are short; what doubles itself again and again is not one.
        if all.len() > 64 {
            return Err(op.refuse("too long for a shape"));
        }
    }
    Ok(Constant::list(all))
}

fn cast(op: &Operation<'_>, x: &Constant) -> Result<Constant> {
    let numbers = match (&x.numbers, op.int("to", 0) as i32) {
        (Numbers::Ints(_), data_type::INT64 | data_type::INT32)
        | (Numbers::Floats(_), data_type::FLOAT | data_type::DOUBLE) => x.numbers.clone(),
        (Numbers::Ints(values), data_type::FLOAT | data_type::DOUBLE) => {
            Numbers::Floats(values.iter().map(|&v| v as f32).collect())
        }
        (Numbers::Floats(values), data_type::INT64 | data_type::INT32) => {
            Numbers::Ints(values.iter().map(|&v| v as i64).collect())
        }
        (_, other) => return Err(op.refuse(format!("to type {other} is not supported"))),
    };
    Ok(Constant {
        dims: x.dims.clone(),
        numbers,
    })
}

fn round(op: &Operation<'_>, x: &Constant) -> Result<Constant> {
    let values = x.floats().ok_or_else(|| op.refuse("of whole numbers"))?;
    let up = op.kind() == "Ceil";
    let rounded = values.iter().map(|v| if up { v.ceil() } else { v.floor() });
    Ok(Constant {
        dims: x.dims.clone(),
        numbers: Numbers::Floats(rounded.collect()),
    })
}

fn transpose(op: &Operation<'_>, x: &Constant) -> Result<Constant> {
    let (&[rows, columns], Some(values)) = (&x.dims[..], x.floats()) else {
        return Err(op.refuse("of constants is supported for matrices only"));
    };
    if op.ints("perm").is_some_and(|perm| perm != [1, 0]) {
        return Err(op.refuse("leaves its input as it is"));
    }
    let numbers = (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c]));
    Ok(Constant {
        dims: vec![columns, rows],
        numbers: Numbers::Floats(numbers.collect()),
    })
}

/// Of two of the same shape, or with one of them a single number.
fn arithmetic(op: &Operation<'_>, a: &Constant, b: &Constant) -> Result<Constant> {
    let dims = match (a.len(), b.len()) {
        _ if a.dims == b.dims => &a.dims,
        (_, 1) if b.dims.len() <= a.dims.len() => &a.dims,
        (1, _) if a.dims.len() <= b.dims.len() => &b.dims,
        _ => return Err(op.refuse("of constants of different shapes is not supported")),
    };
    let pick = |index: usize, count: usize| if count == 1 { 0 } else { index };
    let indices = 0..a.len().max(b.len());
    let pairs = indices.map(|i| (pick(i, a.len()), pick(i, b.len())));
    let numbers = match (&a.numbers, &b.numbers) {
        (Numbers::Ints(a), Numbers::Ints(b)) => {
            let results = pairs.map(|(i, j)| whole(op.kind(), a[i], b[j]));
            let results = results.collect::<Option<_>>();
            Numbers::Ints(results.ok_or_else(|| op.refuse("overflows or divides by 0"))?)
        }
        (Numbers::Floats(a), Numbers::Floats(b)) => {
            let results = pairs.map(|(i, j)| match op.kind() {
                "Add" => a[i] + b[j],
                "Sub" => a[i] - b[j],
                "Mul" => a[i] * b[j],
                _ => a[i] / b[j],
            });
            Numbers::Floats(results.collect())
        }
        _ => return Err(op.refuse("of different kinds of numbers")),
    };
    Ok(Constant {
        dims: dims.clone(),
        numbers,
    })
}

fn whole(kind: &str, a: i64, b: i64) -> Option<i64> {
    match kind {
        "Add" => a.checked_add(b),
        "Sub" => a.checked_sub(b),
        "Mul" => a.checked_mul(b),
        _ => a.checked_div(b),
    }
}
