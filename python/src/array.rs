//! NumPy's arrays, made through NumPy's own functions: the module needs none of its headers, and one build serves
//! every version.

use pyo3::prelude::*;
use pyo3::types::PyByteArray;

/// A new `float32` array of this shape with these numbers, row by row.
pub fn floats<'py>(
    py: Python<'py>,
    numbers: impl IntoIterator<Item = f32>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let bytes: Vec<u8> = numbers.into_iter().flat_map(f32::to_ne_bytes).collect();
    array(py, &bytes, "float32", shape)
}

/// A new `uint8` array of this shape.
pub fn bytes<'py>(py: Python<'py>, bytes: &[u8], shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    array(py, bytes, "uint8", shape)
}

/// Over a `bytearray`, so that it can be written to.
fn array<'py>(
    py: Python<'py>,
    bytes: &[u8],
    kind: &str,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let bytes = PyByteArray::new(py, bytes);
    let flat = py
        .import("numpy")?
        .call_method1("frombuffer", (bytes, kind))?;
    flat.call_method1("reshape", (shape.to_vec(),))
}
