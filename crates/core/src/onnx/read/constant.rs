//! Tensors whose numbers are in the file or follow from those and from the size of the image.

use std::sync::Arc;

use crate::onnx::proto::{TensorProto, data_type};

/// Numbers with a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// Sizes of the axes; as many numbers as they say.
    pub dims: Vec<usize>,
    /// Row-major.
    pub numbers: Numbers,
}

/// Numbers of either of the kinds that matter here.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Floats(Arc<[f32]>),
    Ints(Arc<[i64]>),
}

impl Constant {
    /// A list of whole numbers.
    pub fn list(values: Vec<i64>) -> Self {
        Self {
            dims: vec![values.len()],
            numbers: Numbers::Ints(values.into()),
        }
    }

    /// Of a file's tensor; why not, where it can't be.
    pub fn of(proto: &TensorProto) -> Result<Self, String> {
        if proto.data_location != 0 {
            return Err("its numbers are in another file; save the model as one".to_owned());
        }
        let numbers = numbers(proto)?;
        let dims: Option<Vec<usize>> = proto.dims.iter().map(|&d| d.try_into().ok()).collect();
        let dims = dims.ok_or("a size is negative")?;
        let constant = Self { dims, numbers };
        match product(&constant.dims) {
            Some(count) if count == constant.len() => Ok(constant),
            _ => Err(format!(
                "{} numbers for {:?}",
                constant.len(),
                constant.dims
            )),
        }
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Floats(values) => values.len(),
            Numbers::Ints(values) => values.len(),
        }
    }

    /// Where these are whole numbers.
    pub fn ints(&self) -> Option<&[i64]> {
        match &self.numbers {
            Numbers::Ints(values) => Some(values),
            Numbers::Floats(_) => None,
        }
    }

    /// Where these are not.
    pub fn floats(&self) -> Option<&Arc<[f32]>> {
        match &self.numbers {
            Numbers::Floats(values) => Some(values),
            Numbers::Ints(_) => None,
        }
    }

    /// The only number.
    pub fn scalar(&self) -> Option<f32> {
        match &self.numbers {
            Numbers::Floats(values) => (values.len() == 1).then(|| values[0]),
            Numbers::Ints(values) => (values.len() == 1).then(|| values[0] as f32),
        }
    }
}

/// How many numbers a tensor of such sizes has.
pub fn product(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
}

fn numbers(proto: &TensorProto) -> Result<Numbers, String> {
    let raw = &proto.raw_data;
    Ok(match proto.data_type {
        data_type::FLOAT if raw.is_empty() => Numbers::Floats(proto.float_data.clone().into()),
        data_type::FLOAT => Numbers::Floats(chunks(raw, f32::from_le_bytes)?.into()),
        data_type::DOUBLE if raw.is_empty() => {
            Numbers::Floats(proto.double_data.iter().map(|&v| v as f32).collect())
        }
        data_type::DOUBLE => {
            Numbers::Floats(chunks(raw, |bytes| f64::from_le_bytes(bytes) as f32)?.into())
        }
        data_type::INT64 if raw.is_empty() => Numbers::Ints(proto.int64_data.clone().into()),
        data_type::INT64 => Numbers::Ints(chunks(raw, i64::from_le_bytes)?.into()),
        data_type::INT32 if raw.is_empty() => {
            Numbers::Ints(proto.int32_data.iter().map(|&v| v.into()).collect())
        }
        data_type::INT32 => {
            Numbers::Ints(chunks(raw, |bytes| i32::from_le_bytes(bytes).into())?.into())
        }
        other => {
            return Err(format!(
                "elements of type {other}; only floats and whole numbers of 32 and 64 bits are read"
            ));
        }
    })
}

fn chunks<const BYTES: usize, T>(
    raw: &[u8],
    parse: impl Fn([u8; BYTES]) -> T,
) -> Result<Vec<T>, String> {
    let (chunks, rest) = raw.as_chunks::<BYTES>();
    match rest {
        [] => Ok(chunks.iter().map(|&chunk| parse(chunk)).collect()),
        _ => Err(format!("{} bytes for numbers of {BYTES}", raw.len())),
    }
}
