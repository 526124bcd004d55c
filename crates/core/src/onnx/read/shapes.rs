//! What changes the order or the axes of numbers only.

use super::fold::new_dims;
use super::operation::Operation;
use super::reader::Reader;
use super::value::{Data, Form};
use crate::error::Result;
use crate::graph::{NodeId, Op};

/// Parts of rows or vectors: more than any network has heads.
const MOST_PARTS: usize = 1 << 10;

impl Reader {
    /// Channels last or first.
    pub fn transpose(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.data(0)?;
        match (&x.form, op.ints("perm")) {
            (&Form::Map(id), Some([0, 2, 3, 1])) => {
                let [channels, height, width] = self.shape(id);
                Ok(Data {
                    form: Form::Last(id),
                    dims: vec![1, height, width, channels],
                })
            }
            (&Form::Last(id), Some([0, 3, 1, 2])) => Ok(Data::map(&self.graph, id)),
            (_, Some(perm)) if perm.iter().copied().eq(0..x.dims.len() as i64) => Ok(x.clone()),
            (_, perm) => Err(op.refuse(format!("{perm:?} of {:?} is not supported", x.dims))),
        }
    }

    /// Other axes for the same numbers in the same order.
    pub fn reshape(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.data(0)?;
        let dims = new_dims(op, &x.dims)?;
        if dims == x.dims {
            return Ok(x.clone());
        }
        let form = match &x.form {
            &(Form::Map(id)
            | Form::Planes {
                maps: id,
                prior: None,
                softmax: false,
            }) => self.of_map(id, &dims),
            &Form::Last(id) => self.of_last(op, id, x, &dims)?,
            Form::Rows { maps, k } if dims.last() == Some(k) && !is_flat(&dims) => Form::Rows {
                maps: maps.clone(),
                k: *k,
            },
            &Form::Table(id) if dims.last() == x.dims.last() && !is_flat(&dims) => Form::Table(id),
            Form::Rows { .. } | Form::Table(_) => Form::Vector(vec![self.need(op, x)?]),
            Form::Vector(parts) => self.of_vector(op, parts, x, &dims)?,
            Form::Resized { .. } | Form::Planes { .. } => {
                return Err(op.refuse("is not supported here"));
            }
        };
        Ok(Data { form, dims })
    }

    fn of_map(&self, id: NodeId, dims: &[usize]) -> Form {
        let [channels, height, width] = self.shape(id);
        if *dims == [1, channels, height, width] {
            Form::Map(id)
        } else if *dims == [1, channels, height * width] {
            Form::Planes {
                maps: id,
                prior: None,
                softmax: false,
            }
        } else {
            Form::Vector(vec![id])
        }
    }

    /// Channels last: rows, where the last axis divides the channels.
    fn of_last(
        &mut self,
        op: &Operation<'_>,
        id: NodeId,
        x: &Data,
        dims: &[usize],
    ) -> Result<Form> {
        let [channels, ..] = self.shape(id);
        let k = dims.last().copied().unwrap_or(0);
        if k == 0 || !channels.is_multiple_of(k) || is_flat(dims) {
            return Ok(Form::Vector(vec![self.need(op, x)?]));
        }
        Ok(Form::Rows { maps: vec![id], k })
    }

    fn of_vector(
        &mut self,
        op: &Operation<'_>,
        parts: &[NodeId],
        x: &Data,
        dims: &[usize],
    ) -> Result<Form> {
        if let [only] = parts
            && dims.len() == 4
            && dims.first() == Some(&1)
            && dims.get(1..) == Some(&self.shape(*only)[..])
        {
            return Ok(Form::Map(*only));
        }
        Ok(match dims {
            [1, _, 1, 1] => Form::Map(self.need(op, x)?),
            _ => Form::Vector(parts.to_vec()),
        })
    }

    pub fn concat(&mut self, op: &Operation<'_>) -> Result<Data> {
        let parts: Vec<&Data> = (0..op.inputs.len())
            .map(|i| op.data(i))
            .collect::<Result<_>>()?;
        let first = op.data(0)?;
        let axis = first.axis(op.int("axis", 1));
        let axis = axis.ok_or_else(|| op.refuse("has an impossible axis"))?;
        let mut dims = first.dims.clone();
        let mut size = 0usize;
        for part in &parts {
            let mut like_first = part.dims.clone();
            let own = like_first
                .get_mut(axis)
                .map(|own| std::mem::replace(own, dims[axis]));
            if like_first != dims {
                return Err(op.refuse(format!("of {:?} and {:?}", first.dims, part.dims)));
            }
            size = size.saturating_add(own.unwrap_or(0));
        }
        dims[axis] = size;
        let form = self.joined(op, &parts, axis)?;
        Ok(Data { form, dims })
    }

    fn joined(&mut self, op: &Operation<'_>, parts: &[&Data], axis: usize) -> Result<Form> {
        let refuse = || op.refuse(format!("of these along axis {axis} is not supported"));
        // Whether all numbers of a part come before those of the next one.
        let in_order = parts
            .iter()
            .all(|part| part.dims[..axis].iter().all(|&size| size == 1));
        let mut ids = Vec::new();
        for part in parts {
            match (&part.form, &parts[0].form) {
                (&Form::Map(id), Form::Map(_)) if axis == 1 => ids.push(id),
                (&Form::Table(id), Form::Table(_)) if in_order => ids.push(id),
                (Form::Vector(own), Form::Vector(_)) if in_order => ids.extend(own),
                (Form::Rows { maps, k }, Form::Rows { k: first, .. })
                    if in_order && k == first && axis + 1 < part.dims.len() =>
                {
                    ids.extend(maps);
                }
                _ => return Err(refuse()),
            }
            if ids.len() > MOST_PARTS {
                return Err(op.refuse("of too many parts"));
            }
        }
        self.spend(op, Some(ids.len()))?;
        match parts[0].form {
            Form::Map(_) => {
                let [_, height, width] = self.shape(ids[0]);
                let channels = ids.iter().map(|&id| self.shape(id)[0]).sum();
                self.push(op, Op::Concat, &ids, [channels, height, width])
                    .map(Form::Map)
            }
            Form::Table(_) => {
                let [_, k, _] = self.shape(ids[0]);
                let rows = ids.iter().map(|&id| self.shape(id)[0]).sum();
                self.push(op, Op::Concat, &ids, [rows, k, 1])
                    .map(Form::Table)
            }
            Form::Rows { k, .. } => Ok(Form::Rows { maps: ids, k }),
            _ => Ok(Form::Vector(ids)),
        }
    }

    /// Over the numbers of rows, or over pixels on the way to expected places.
    pub fn softmax(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.data(0)?;
        let default = if op.opset >= 13 { -1 } else { 1 };
        if x.axis(op.int("axis", default)) != x.dims.len().checked_sub(1) {
            return Err(op.refuse("is supported along the last axis only"));
        }
        match &x.form {
            Form::Rows { .. } | Form::Table(_) => {
                let rows = self.need(op, x)?;
                let id = self.push(op, Op::Softmax, &[rows], self.shape(rows))?;
                Ok(Data {
                    form: Form::Table(id),
                    dims: x.dims.clone(),
                })
            }
            Form::Planes {
                maps,
                prior,
                softmax: false,
            } => Ok(Data {
                form: Form::Planes {
                    maps: *maps,
                    prior: prior.clone(),
                    softmax: true,
                },
                dims: x.dims.clone(),
            }),
            _ => Err(op.refuse("is supported for the numbers of anchors only")),
        }
    }
}

/// One row of everything.
fn is_flat(dims: &[usize]) -> bool {
    matches!(dims, [1, _] | [_])
}
