//! Each operation of a graph in ONNX.

use super::Size;
use super::builder::{Attribute, Builder, Form, Written};
use super::layers::Tensors;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Op, Weights};
use crate::net::{Act, Pool};

impl Builder {
    /// Node `index` of the graph.
    pub fn node(
        &mut self,
        graph: &Graph,
        index: usize,
        inputs: &[&Written],
        weights: &Weights,
    ) -> Result<Written> {
        let node = &graph.nodes()[index];
        let within = within(node, index);
        let tensors = Tensors::of(graph, node, weights)?;
        let varies = match node.op {
            Op::Input => self.size == Size::Dynamic,
            Op::Mean => false,
            _ => inputs.iter().any(|input| input.varies),
        };
        let needs_size = matches!(
            node.op,
            Op::Linear(_) | Op::Flatten | Op::ExpectedPlaces { .. }
        );
        if varies && needs_size {
            return Err(Error::Onnx(format!(
                "{within} needs images of the size that the network was made for; write a file of \
                 fixed size"
            )));
        }
        let (name, form) = self.op(node, &within, inputs, &tensors)?;
        Ok(Written {
            name,
            form,
            shape: node.shape,
            varies,
        })
    }

    fn op(
        &mut self,
        node: &Node,
        within: &str,
        inputs: &[&Written],
        tensors: &Tensors<'_>,
    ) -> Result<(String, Form)> {
        let map = |name: String| Ok((name, Form::Map));
        let vector = |name: String| Ok((name, Form::Vector));
        match (node.op, inputs) {
            (Op::Input, []) => map(super::IMAGE.to_owned()),
            (Op::Conv(conv), [x, added @ ..]) => map(self.conv(within, &conv, x, added, tensors)?),
            (Op::Linear(linear), [x]) => vector(self.linear(within, &linear, x, tensors)),
            (Op::Act(act), [x]) => Ok((self.act(within, &x.name, act), x.form)),
            (Op::Add(act), [a, b]) => Ok(self.add(within, a, b, act)),
            (Op::UpsampleAdd, [small, large]) => map(self.upsample_add(within, small, large)?),
            (Op::ScaleChannels, [x, factor]) => {
                let [x, factor] = [x, factor].map(|value| self.as_map(value));
                map(self.emit(within, "Mul", &[&x, &factor], &[]))
            }
            (Op::Mean, [x]) => {
                let x = self.as_map(x);
                map(self.emit(within, "GlobalAveragePool", &[&x], &[]))
            }
            (Op::MaxPool(pool), [x]) => map(self.max_pool(within, &pool, x)),
            (Op::Concat, parts) => {
                let rows = parts.first().is_some_and(|part| part.form == Form::Rows);
                let names = parts.iter().map(|part| match rows {
                    true => part.name.clone(),
                    false => self.as_map(part),
                });
                let names: Vec<String> = names.collect();
                let form = if rows { Form::Rows } else { Form::Map };
                Ok((self.concat(within, &names), form))
            }
            (Op::Flatten, parts) => {
                let names: Vec<String> = parts.iter().map(|part| self.as_vector(part)).collect();
                vector(self.concat(within, &names))
            }
            (Op::Rows { k }, maps) => Ok((self.rows(within, maps, k), Form::Rows)),
            (Op::ExpectedPlaces { reach }, [maps]) => {
                vector(self.expected_places(within, maps, reach, tensors))
            }
            (Op::PRelu, [x]) => Ok((self.prelu(within, x, tensors), x.form)),
            (Op::Softmax, [x]) if x.form == Form::Rows => Ok((
                self.emit(within, "Softmax", &[&x.name], &[Attribute::Int("axis", 2)]),
                Form::Rows,
            )),
            (Op::Mask { .. }, _) => Err(Error::Onnx(format!(
                "{within} is of windows; ONNX files are written of whole images"
            ))),
            (op, _) => Err(Error::Onnx(format!(
                "inputs of {within} ({op:?}) do not fit"
            ))),
        }
    }

    /// The value as `[B,C,H,W]`.
    pub fn as_map(&mut self, value: &Written) -> String {
        match value.form {
            Form::Vector => {
                let shape = self.ints(&[0, -1, 1, 1]);
                self.emit(&value.name, "Reshape", &[&value.name, &shape], &[])
            }
            Form::Rows => {
                let axes = self.ints(&[3]);
                self.emit(&value.name, "Unsqueeze", &[&value.name, &axes], &[])
            }
            Form::Map | Form::Points => value.name.clone(),
        }
    }

    /// The value as `[B,n]`.
    pub fn as_vector(&mut self, value: &Written) -> String {
        match value.form {
            Form::Vector => value.name.clone(),
            _ => {
                let axis = [Attribute::Int("axis", 1)];
                self.emit(&value.name, "Flatten", &[&value.name], &axis)
            }
        }
    }

    fn add(&mut self, within: &str, a: &Written, b: &Written, act: Act) -> (String, Form) {
        let ([left, right], form) = match a.form == b.form {
            true => ([a.name.clone(), b.name.clone()], a.form),
            false => ([a, b].map(|value| self.as_map(value)), Form::Map),
        };
        let sum = self.emit(within, "Add", &[&left, &right], &[]);
        (self.act(within, &sum, act), form)
    }

    fn max_pool(&mut self, within: &str, pool: &Pool, x: &Written) -> String {
        let x = self.as_map(x);
        let [kernel, stride, pad] = [pool.kernel, pool.stride, pool.pad].map(|n| n as i64);
        let attributes = [
            Attribute::Ints("kernel_shape", &[kernel; 2]),
            Attribute::Ints("pads", &[pad; 4]),
            Attribute::Ints("strides", &[stride; 2]),
        ];
        self.emit(within, "MaxPool", &[&x], &attributes)
    }

    /// Along the axis behind the batch.
    fn concat(&mut self, within: &str, names: &[String]) -> String {
        match names {
            [only] => only.clone(),
            _ => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.emit(within, "Concat", &names, &[Attribute::Int("axis", 1)])
            }
        }
    }

    fn rows(&mut self, within: &str, maps: &[&Written], k: usize) -> String {
        let shape = self.ints(&[0, -1, k as i64]);
        let parts = maps.iter().map(|map| {
            let map = self.as_map(map);
            let order = [Attribute::Ints("perm", &[0, 2, 3, 1])];
            let last = self.emit(within, "Transpose", &[&map], &order);
            self.emit(within, "Reshape", &[&last, &shape], &[])
        });
        let parts: Vec<String> = parts.collect();
        self.concat(within, &parts)
    }

    fn expected_places(
        &mut self,
        within: &str,
        maps: &Written,
        reach: f32,
        tensors: &Tensors<'_>,
    ) -> String {
        let [points, height, width] = maps.shape;
        let map = self.as_map(maps);
        let shape = self.ints(&[0, points as i64, -1]);
        let mut x = self.emit(within, "Reshape", &[&map, &shape], &[]);
        for prior in self.all_given(tensors) {
            x = self.emit(within, "Add", &[&x, &prior], &[]);
        }
        let shares = self.emit(within, "Softmax", &[&x], &[Attribute::Int("axis", 2)]);
        let places = crate::onnx::places(height, width, reach);
        let places = self.floats("places", &[height * width, 2], &places);
        let x = self.emit(within, "MatMul", &[&shares, &places], &[]);
        self.emit(within, "Flatten", &[&x], &[Attribute::Int("axis", 1)])
    }
}

/// What a node is called in the file.
fn within(node: &Node, index: usize) -> String {
    if !node.name.is_empty() {
        return node.name.clone();
    }
    let name = format!("{:?}", node.op);
    let name = name.split(['(', ' ']).next().unwrap_or_default();
    format!("{index}.{name}")
}
