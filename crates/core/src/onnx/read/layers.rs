//! Linear layers, norms and slopes.

use std::sync::Arc;

use super::constant::{Constant, Numbers};
use super::conv::bias;
use super::operation::Operation;
use super::reader::Reader;
use super::value::{Data, Form};
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::{Act, Linear};

impl Reader {
    pub fn gemm(&mut self, op: &Operation<'_>) -> Result<Data> {
        let weight = op.constant(1)?;
        let (&[rows, columns], Some(values)) = (&weight.dims[..], weight.floats()) else {
            return Err(op.refuse(format!("weights {:?} are not supported", weight.dims)));
        };
        if op.int("transA", 0) != 0 {
            return Err(op.refuse("transA is not supported"));
        }
        let transposed = op.int("transB", 0) != 0;
        let [inputs, to] = if transposed {
            [columns, rows]
        } else {
            [rows, columns]
        };
        let (alpha, beta) = (op.float("alpha", 1.0), op.float("beta", 1.0));
        let mut weight = values.clone();
        if transposed || alpha != 1.0 {
            self.spend(op, Some(values.len()))?;
            let [from_input, from_output] = if transposed {
                [1, columns]
            } else {
                [columns, 1]
            };
            let indices = (0..inputs * to).map(|i| i / to * from_input + i % to * from_output);
            weight = indices.map(|index| alpha * values[index]).collect();
        }
        let scaled = |bias: Arc<[f32]>| -> Arc<[f32]> { bias.iter().map(|b| b * beta).collect() };
        let bias = scaled(linear_bias(op, op.known(2)?, to)?);
        self.linear(op, [inputs, to], [weight, bias])
    }

    /// A linear layer without a bias, or the last step of expected places.
    pub fn mat_mul(&mut self, op: &Operation<'_>) -> Result<Data> {
        let weight = op.constant(1)?;
        let (&[inputs, to], Some(values)) = (&weight.dims[..], weight.floats()) else {
            return Err(op.refuse(format!("weights {:?} are not supported", weight.dims)));
        };
        if let Form::Planes {
            maps,
            prior,
            softmax: true,
        } = &op.data(0)?.form
        {
            return self.expected_places(op, *maps, prior.as_ref(), weight);
        }
        let weight = values.clone();
        self.linear(op, [inputs, to], [weight, vec![0.0; to].into()])
    }

    fn linear(
        &mut self,
        op: &Operation<'_>,
        [inputs, to]: [usize; 2],
        numbers: [Arc<[f32]>; 2],
    ) -> Result<Data> {
        let x = op.data(0)?;
        if x.dims != [1, inputs] {
            let dims = &x.dims;
            return Err(op.refuse(format!("input {dims:?} for weights [{inputs}, {to}]")));
        }
        let id = match &x.form {
            // Linear layers flatten what they read.
            Form::Vector(parts) if parts.len() == 1 => parts[0],
            _ => self.need(op, x)?,
        };
        let what = (Op::Linear(Linear::new(to)), [to, 1, 1]);
        let name = op.tensor_name(1, "weight");
        let id = self.push_named(op, name, what, &[id], numbers.into())?;
        Ok(Data::vector(&self.graph, id))
    }

    fn expected_places(
        &mut self,
        op: &Operation<'_>,
        maps: NodeId,
        prior: Option<&(String, Constant)>,
        places: &Constant,
    ) -> Result<Data> {
        let [points, height, width] = self.shape(maps);
        let reach = reach(places, height, width);
        let reach = reach.ok_or_else(|| op.refuse("only places in a map can be expected"))?;
        let (name, prior) = match prior {
            Some((
                name,
                Constant {
                    numbers: Numbers::Floats(prior),
                    ..
                },
            )) => (name.as_str(), prior.clone()),
            _ => {
                self.spend(op, Some(points * height * width))?;
                (op.label(), vec![0.0; points * height * width].into())
            }
        };
        let what = (Op::ExpectedPlaces { reach }, [2 * points, 1, 1]);
        let id = self.push_named(op, name, what, &[maps], vec![prior])?;
        Ok(Data {
            form: Form::Vector(vec![id]),
            dims: vec![1, points, 2],
        })
    }

    /// A factor and a summand for each channel; convolutions take them in later.
    pub fn batch_norm(&mut self, op: &Operation<'_>) -> Result<Data> {
        let channels = op.data(0)?.dims.get(1).copied().unwrap_or(0);
        let field = |index: usize| bias(op, Some(op.constant(index)?), channels);
        let [gamma, beta, mean, var] = [field(1)?, field(2)?, field(3)?, field(4)?];
        let epsilon = op.float("epsilon", 1e-5);
        let factors = gamma.iter().zip(var.iter());
        let factors: Vec<f32> = factors.map(|(g, v)| g / (v + epsilon).sqrt()).collect();
        let moved = beta.iter().zip(mean.iter()).zip(&factors);
        let moved: Vec<f32> = moved.map(|((b, m), f)| b - m * f).collect();
        self.affine(op, op.data(0)?, factors, moved)
    }

    pub fn prelu(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.data(0)?;
        let slopes = self.per_channel(op, x, op.constant(1)?)?;
        let first = slopes.first().copied().unwrap_or(0.0);
        if (0.0..=1.0).contains(&first) && slopes.iter().all(|&slope| slope == first) {
            return self.each(op, x, |reader, id| {
                reader.push_act(op, id, Act::Leaky(first))
            });
        }
        let slopes: Arc<[f32]> = slopes.into();
        let name = op.tensor_name(1, "slope");
        let id = match x.form {
            Form::Map(id) => id,
            Form::Vector(_) => self.need(op, x)?,
            _ => return Err(op.refuse("only maps and vectors are supported")),
        };
        let what = (Op::PRelu, self.shape(id));
        let id = self.push_named(op, name, what, &[id], vec![slopes])?;
        Ok(match x.form {
            Form::Map(_) => Data::map(&self.graph, id),
            _ => Data::vector(&self.graph, id),
        })
    }
}

/// As a convolution's, or one for all outputs.
fn linear_bias(op: &Operation<'_>, given: Option<&Constant>, to: usize) -> Result<Arc<[f32]>> {
    match given.and_then(Constant::scalar) {
        Some(one) => Ok(vec![one; to].into()),
        None => bias(op, given, to),
    }
}

/// How far the edges of a map are away, where `places` are those of its pixels.
fn reach(places: &Constant, height: usize, width: usize) -> Option<f32> {
    let values = places.floats()?;
    if places.dims != [height * width, 2] {
        return None;
    }
    let unit = crate::onnx::places(height, width, 1.0);
    let axis = if width > 1 { 0 } else { 1 };
    let reach = values.get(axis)? / unit.get(axis).filter(|&&place| place != 0.0)?;
    let close = |(&given, place): (&f32, f32)| (given - place * reach).abs() <= 1e-4 * reach.abs();
    values.iter().zip(unit).all(close).then_some(reach)
}
