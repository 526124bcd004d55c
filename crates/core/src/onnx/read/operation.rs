//! A node of a file with what its inputs stand for.

use std::fmt::Display;

use super::constant::Constant;
use super::value::{Data, Form, Value};
use crate::error::{Error, Result};
use crate::graph::NodeId;
use crate::onnx::proto::{AttributeProto, NodeProto};

/// A node of a file.
pub struct Operation<'a> {
    /// As in the file.
    pub proto: &'a NodeProto,
    /// `None` where an optional one is left out.
    pub inputs: Vec<Option<Value>>,
    /// Version of the operators.
    pub opset: i64,
}

impl Operation<'_> {
    /// What it does.
    pub fn kind(&self) -> &str {
        &self.proto.op_type
    }

    /// What it is called: by its output, where it has no name.
    pub fn label(&self) -> &str {
        match (self.proto.name.as_str(), self.proto.output.first()) {
            ("", Some(output)) => output,
            (name, _) => name,
        }
    }

    /// An error about it.
    pub fn refuse(&self, why: impl Display) -> Error {
        let (label, kind) = (self.label(), self.kind());
        Error::Onnx(format!("node {label} ({kind}): {why}"))
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|own| own.name == name)
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name)
            .and_then(|own| own.i)
            .unwrap_or(default)
    }

    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name)
            .and_then(|own| own.f)
            .unwrap_or(default)
    }

    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|own| own.ints.as_slice())
    }

    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attribute(name).map(|own| own.floats.as_slice())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        let bytes = self.attribute(name)?.s.as_deref()?;
        std::str::from_utf8(bytes).ok()
    }

    /// The tensor of an attribute.
    pub fn tensor(&self, name: &str) -> Result<Option<Constant>> {
        let tensor = self.attribute(name).and_then(|own| own.t.as_ref());
        let constant = tensor.map(Constant::of).transpose();
        constant.map_err(|why| self.refuse(why))
    }

    pub fn optional(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index)?.as_ref()
    }

    pub fn value(&self, index: usize) -> Result<&Value> {
        let value = self.optional(index);
        value.ok_or_else(|| self.refuse(format!("has no input {index}")))
    }

    /// An input that depends on the image.
    pub fn data(&self, index: usize) -> Result<&Data> {
        match self.value(index)? {
            Value::Data(data) => Ok(data),
            Value::Constant(_) => Err(self.refuse(format!("input {index} is constant"))),
        }
    }

    /// An input that is known; `None` where it is left out.
    pub fn known(&self, index: usize) -> Result<Option<&Constant>> {
        match self.optional(index) {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(Value::Data(_)) => Err(self.refuse(format!("input {index} depends on the image"))),
        }
    }

    /// An input that is known.
    pub fn constant(&self, index: usize) -> Result<&Constant> {
        let known = self.known(index)?;
        known.ok_or_else(|| self.refuse(format!("has no input {index}")))
    }

    /// Whole numbers of an attribute (of old versions) or else of an input.
    pub fn list(&self, attribute: &str, index: usize) -> Result<Option<Vec<i64>>> {
        if let Some(ints) = self.ints(attribute) {
            return Ok(Some(ints.to_vec()));
        }
        let Some(constant) = self.known(index)? else {
            return Ok(None);
        };
        let ints = constant.ints();
        let ints = ints.ok_or_else(|| self.refuse(format!("input {index} is not whole numbers")));
        Ok(Some(ints?.to_vec()))
    }

    /// The node behind an input that is a map.
    pub fn map(&self, index: usize) -> Result<NodeId> {
        match self.data(index)?.form {
            Form::Map(id) => Ok(id),
            _ => Err(self.refuse(format!("input {index} is no map [N,C,H,W]"))),
        }
    }

    /// What the tensors of its node in a graph are called: as the initializer of input `index`
    /// without what it ends in, where it ends in `field`; as the node itself otherwise.
    pub fn tensor_name(&self, index: usize, field: &str) -> &str {
        let input = self.proto.input.get(index);
        let stem = input.and_then(|name| name.strip_suffix(field));
        match stem.and_then(|stem| stem.strip_suffix('.')) {
            Some(stem) if !stem.is_empty() => stem,
            _ => self.label(),
        }
    }
}
