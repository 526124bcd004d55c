//! Activations, sums and products.

use super::constant::Constant;
use super::operation::Operation;
use super::reader::Reader;
use super::value::{Data, Form, Value, is_vector};
use crate::error::Result;
use crate::graph::{NodeId, Op};
use crate::net::{Act, Conv};

/// What [`Act::HardSigmoid`] multiplies by, give or take the rounding of exporters.
fn is_sixth(alpha: f32) -> bool {
    (alpha - 1.0 / 6.0).abs() < 1e-5
}

impl Reader {
    /// The same function of all numbers, whatever their order.
    pub fn each(
        &mut self,
        op: &Operation<'_>,
        x: &Data,
        mut f: impl FnMut(&mut Self, NodeId) -> Result<NodeId>,
    ) -> Result<Data> {
        let mut all =
            |ids: &[NodeId]| -> Result<Vec<NodeId>> { ids.iter().map(|&id| f(self, id)).collect() };
        let form = match &x.form {
            Form::Map(id) => Form::Map(all(&[*id])?[0]),
            Form::Last(id) => Form::Last(all(&[*id])?[0]),
            Form::Table(id) => Form::Table(all(&[*id])?[0]),
            Form::Vector(parts) => Form::Vector(all(parts)?),
            Form::Rows { maps, k } => Form::Rows {
                maps: all(maps)?,
                k: *k,
            },
            &Form::Resized { small, size } => Form::Resized {
                small: all(&[small])?[0],
                size,
            },
            Form::Planes { .. } => return Err(op.refuse("is not supported here")),
        };
        let parts = match &form {
            Form::Vector(ids) | Form::Rows { maps: ids, .. } => ids.len(),
            _ => 0,
        };
        self.spend(op, Some(parts))?;
        Ok(Data {
            form,
            dims: x.dims.clone(),
        })
    }

    pub fn push_act(&mut self, op: &Operation<'_>, x: NodeId, act: Act) -> Result<NodeId> {
        self.push(op, Op::Act(act), &[x], self.shape(x))
    }

    pub fn activation(&mut self, op: &Operation<'_>) -> Result<Data> {
        let x = op.data(0)?;
        let act = match op.kind() {
            "Relu" => Act::Leaky(0.0),
            "LeakyRelu" => {
                let slope = op.float("alpha", 0.01);
                if !(0.0..=1.0).contains(&slope) {
                    return Err(op.refuse(format!("a slope of {slope} is not supported")));
                }
                Act::Leaky(slope)
            }
            "HardSwish" => Act::HardSwish,
            "Sigmoid" => Act::Sigmoid { scale: 1.0 },
            "HardSigmoid" => return self.hard_sigmoid(op, x),
            _ => clip(op)?,
        };
        self.each(op, x, |reader, id| reader.push_act(op, id, act))
    }

    /// With other numbers than usual: a factor, a summand and bounds.
    fn hard_sigmoid(&mut self, op: &Operation<'_>, x: &Data) -> Result<Data> {
        let (alpha, beta) = (op.float("alpha", 0.2), op.float("beta", 0.5));
        if is_sixth(alpha) && beta == 0.5 {
            return self.each(op, x, |reader, id| {
                reader.push_act(op, id, Act::HardSigmoid)
            });
        }
        let channels = self.channels(op, x)?;
        let x = self.affine(op, x, vec![alpha; channels], vec![beta; channels])?;
        let clip = Act::Clip {
            low: 0.0,
            high: 1.0,
        };
        self.each(op, &x, |reader, id| reader.push_act(op, id, clip))
    }

    /// Add and Sub.
    pub fn sum(&mut self, op: &Operation<'_>) -> Result<Data> {
        let sign = if op.kind() == "Sub" { -1.0 } else { 1.0 };
        let (x, constant, factor, of_constant) = match (op.value(0)?, op.value(1)?) {
            (Value::Data(a), Value::Data(b)) if sign > 0.0 => return self.sum_of_data(op, a, b),
            (Value::Data(x), Value::Constant(constant)) => (x, constant, 1.0, sign),
            (Value::Constant(constant), Value::Data(x)) => (x, constant, sign, 1.0),
            _ => return Err(op.refuse("of two maps is not supported")),
        };
        if let Form::Planes {
            maps,
            prior: None,
            softmax: false,
        } = x.form
            && sign > 0.0
        {
            return with_prior(op, maps, x, constant);
        }
        let values = self.per_channel(op, x, constant)?;
        let summands = values.iter().map(|v| v * of_constant).collect();
        self.affine(op, x, vec![factor; values.len()], summands)
    }

    fn sum_of_data(&mut self, op: &Operation<'_>, a: &Data, b: &Data) -> Result<Data> {
        if a.dims != b.dims {
            return Err(op.refuse(format!("of {:?} and {:?} is not supported", a.dims, b.dims)));
        }
        let (what, inputs) = match (&a.form, &b.form) {
            (&Form::Resized { small, .. }, &Form::Map(large))
            | (&Form::Map(large), &Form::Resized { small, .. }) => {
                (Op::UpsampleAdd, [small, large])
            }
            (&Form::Map(a), &Form::Map(b)) => (Op::Add(Act::None), [a, b]),
            (Form::Vector(_), Form::Vector(_)) => {
                let inputs = [self.need(op, a)?, self.need(op, b)?];
                let id = self.push(op, Op::Add(Act::None), &inputs, self.shape(inputs[0]))?;
                return Ok(Data {
                    form: Form::Vector(vec![id]),
                    dims: a.dims.clone(),
                });
            }
            _ => return Err(op.refuse("is supported for maps and vectors only")),
        };
        let id = self.push(op, what, &inputs, self.shape(inputs[1]))?;
        Ok(Data::map(&self.graph, id))
    }

    /// Mul and Div.
    pub fn product(&mut self, op: &Operation<'_>) -> Result<Data> {
        let (x, constant) = match (op.value(0)?, op.value(1)?) {
            (Value::Data(a), Value::Data(b)) if op.kind() == "Mul" => {
                return self.product_of_data(op, a, b);
            }
            (Value::Data(x), Value::Constant(constant)) => (x, constant),
            (Value::Constant(constant), Value::Data(x)) if op.kind() == "Mul" => (x, constant),
            _ => return Err(op.refuse("division by a map is not supported")),
        };
        let mut factors = self.per_channel(op, x, constant)?;
        if op.kind() == "Div" {
            factors
                .iter_mut()
                .for_each(|factor| *factor = 1.0 / *factor);
        }
        let summands = vec![0.0; factors.len()];
        self.affine(op, x, factors, summands)
    }

    /// A map and a factor for each of its channels; or `x * HardSigmoid(x)`.
    fn product_of_data(&mut self, op: &Operation<'_>, a: &Data, b: &Data) -> Result<Data> {
        let (&Form::Map(a), &Form::Map(b)) = (&a.form, &b.form) else {
            return Err(op.refuse("is supported for maps only"));
        };
        for (x, factor) in [(a, b), (b, a)] {
            let node = self.graph.node(factor);
            let (hard, of_x) = (node.op == Op::Act(Act::HardSigmoid), node.inputs == [x]);
            if hard && of_x {
                let id = self.push_act(op, x, Act::HardSwish)?;
                return Ok(Data::map(&self.graph, id));
            }
            if is_vector(node.shape) && node.shape[0] == self.shape(x)[0] {
                let id = self.push(op, Op::ScaleChannels, &[x, factor], self.shape(x))?;
                return Ok(Data::map(&self.graph, id));
            }
        }
        Err(op.refuse("of two maps is supported for a factor for each channel only"))
    }

    /// Numbers along the axis that factors and summands may differ along.
    fn channels(&self, op: &Operation<'_>, x: &Data) -> Result<usize> {
        match &x.form {
            &(Form::Map(id) | Form::Last(id) | Form::Resized { small: id, .. }) => {
                Ok(self.shape(id)[0])
            }
            Form::Rows { k, .. } => Ok(*k),
            Form::Vector(_) => Ok(x.dims.iter().product()),
            Form::Table(_) | Form::Planes { .. } => Err(op.refuse("is not supported here")),
        }
    }

    /// One number of a constant for each channel.
    pub fn per_channel(
        &mut self,
        op: &Operation<'_>,
        x: &Data,
        constant: &Constant,
    ) -> Result<Vec<f32>> {
        let channels = self.channels(op, x)?;
        self.spend(op, channels.checked_mul(3))?;
        if let Some(one) = constant.scalar() {
            return Ok(vec![one; channels]);
        }
        let last = x.dims.len().saturating_sub(1);
        let axis = match x.form {
            Form::Last(_) | Form::Rows { .. } => last,
            _ => 1,
        };
        // Axes are counted from the last one, as broadcasting does; all others must be 1.
        let behind = last.saturating_sub(axis);
        let own = constant.dims.len().checked_sub(behind + 1);
        match (own.map(|own| constant.dims[own]), constant.floats()) {
            (Some(size), Some(values)) if size == channels && values.len() == channels => {
                Ok(values.to_vec())
            }
            _ => Err(op.refuse(format!(
                "a constant {:?} for {:?} is not one number for each channel",
                constant.dims, x.dims
            ))),
        }
    }

    /// `factor x + summand` for each channel, as a convolution within channels.
    pub fn affine(
        &mut self,
        op: &Operation<'_>,
        x: &Data,
        factors: Vec<f32>,
        summands: Vec<f32>,
    ) -> Result<Data> {
        let first = factors.first().copied().unwrap_or(1.0);
        let uniform = factors.iter().all(|&f| f == first) && summands.iter().all(|&s| s == 0.0);
        let whole = match x.form {
            Form::Vector(_) if !uniform => {
                let id = self.need(op, x)?;
                Data {
                    form: Form::Vector(vec![id]),
                    dims: x.dims.clone(),
                }
            }
            _ => x.clone(),
        };
        self.each(op, &whole, |reader, id| {
            let node = reader.graph.node(id);
            if let (Op::Act(Act::Sigmoid { scale }), true, &[x]) =
                (node.op, uniform, &node.inputs[..])
            {
                let scale = scale * first;
                return reader.push_act(op, x, Act::Sigmoid { scale });
            }
            let [channels, ..] = reader.shape(id);
            reader.spend(op, channels.checked_mul(2))?;
            let tile = |values: &[f32]| -> std::sync::Arc<[f32]> {
                values.iter().copied().cycle().take(channels).collect()
            };
            let numbers = [tile(&factors), tile(&summands)];
            let conv = Conv::head(channels).depthwise();
            reader.push_conv(op, op.label(), conv, id, numbers)
        })
    }
}

/// Planes with something added to each pixel.
fn with_prior(op: &Operation<'_>, maps: NodeId, x: &Data, constant: &Constant) -> Result<Data> {
    let name = op.proto.input.iter().zip(&op.inputs);
    let mut name = name.filter(|(_, value)| matches!(value, Some(Value::Constant(_))));
    let numbers: usize = x.dims.iter().product();
    match name.next() {
        Some((name, _)) if constant.len() == numbers && constant.floats().is_some() => Ok(Data {
            form: Form::Planes {
                maps,
                prior: Some((name.clone(), constant.clone())),
                softmax: false,
            },
            dims: x.dims.clone(),
        }),
        _ => Err(op.refuse(format!("of {:?} and {:?}", x.dims, constant.dims))),
    }
}

fn clip(op: &Operation<'_>) -> Result<Act> {
    let bound = |attribute: &str, index: usize, default: f32| {
        let given = op.known(index)?.and_then(Constant::scalar);
        Result::Ok(given.unwrap_or_else(|| op.float(attribute, default)))
    };
    let (low, high) = (
        bound("min", 1, f32::NEG_INFINITY)?,
        bound("max", 2, f32::INFINITY)?,
    );
    match (low, high) {
        _ if low.is_nan() || high.is_nan() => Err(op.refuse("its bounds are no numbers")),
        (0.0, f32::INFINITY) => Ok(Act::Leaky(0.0)),
        _ => Ok(Act::Clip { low, high }),
    }
}
