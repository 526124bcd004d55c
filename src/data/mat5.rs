//! Numeric matrices of MATLAB's level 5 files ("MAT-File Format", MathWorks, R2019b).
//!
//! The crates that read these files inflate whatever a file says; labels come from strangers, so here each
//! variable may take [`MAX_INFLATED`] and no more.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::Reason;
use super::list::Fault;

/// Largest variable, bytes; 68 points take about two thousand.
const MAX_INFLATED: usize = 1 << 20;
/// Most variables of a file.
const MAX_VARIABLES: usize = 256;
const HEADER: usize = 128;
/// Types of elements.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// Classes of real, full, numeric matrices.
const NUMERIC: std::ops::RangeInclusive<u32> = 6..=15;
const COMPLEX: u32 = 0x800;

/// A matrix of two dimensions.
#[derive(Debug, PartialEq)]
pub(super) struct Matrix {
    pub name: String,
    pub rows: usize,
    pub columns: usize,
    /// Column by column.
    values: Vec<f64>,
}

impl Matrix {
    /// An element, counted from 0.
    pub(super) fn number(&self, row: usize, column: usize) -> Result<f32, Fault> {
        let value = self.values.get(column * self.rows + row).copied();
        let value = value.map_or(f32::NAN, |v| v as f32);
        if value.is_finite() {
            return Ok(value);
        }
        let [row, column] = [row + 1, column + 1];
        let text = format!("`{}({row}, {column})` is not a finite number", self.name);
        Err(Fault::new(Reason::NotFinite, text))
    }
}

/// The matrices of these names, as far as the file has them.
pub(super) fn read(bytes: &[u8], names: &[&str]) -> Result<Vec<Matrix>, Fault> {
    check_header(bytes)?;
    let mut rest = &bytes[HEADER..];
    let mut found = Vec::new();
    for _ in 0..MAX_VARIABLES {
        if rest.is_empty() {
            return Ok(found);
        }
        let element = element(&mut rest)?;
        let inflated;
        let body = match element.kind {
            MATRIX => element.data,
            COMPRESSED => {
                inflated = inflate(element.data)?;
                let mut rest = inflated.as_slice();
                match tag(&mut rest)? {
                    (MATRIX, _) => rest,
                    _ => continue,
                }
            }
            _ => continue,
        };
        found.extend(matrix(body, names)?);
    }
    Err(malformed(format!("more than {MAX_VARIABLES} variables")))
}

fn check_header(bytes: &[u8]) -> Result<(), Fault> {
    let Some(header) = bytes.get(..HEADER) else {
        return Err(malformed("too short for a MATLAB file"));
    };
    match &header[124..] {
        [0, 1, b'I', b'M'] => Ok(()),
        [0, 2, b'I', b'M'] => Err(malformed(
            "a MATLAB 7.3 file, which is HDF5 inside; save it with `-v7` instead",
        )),
        [1, 0, b'M', b'I'] => Err(malformed(
            "a MATLAB file of a big-endian machine; save it on another one",
        )),
        _ => Err(malformed("not a MATLAB file of level 5")),
    }
}

/// A piece of a file.
struct Element<'a> {
    kind: u32,
    data: &'a [u8],
}

/// Type and length of the element that `rest` begins with, which then begins behind them.
fn tag(rest: &mut &[u8]) -> Result<(u32, usize), Fault> {
    let first = word(rest)?;
    match first >> 16 {
        0 => Ok((first, word(rest)? as usize)),
        length => Ok((first & 0xffff, length as usize)),
    }
}

/// The element that `rest` begins with, which then begins behind it.
fn element<'a>(rest: &mut &'a [u8]) -> Result<Element<'a>, Fault> {
    let before = rest.len();
    let (kind, length) = tag(rest)?;
    let data = take(rest, length)?;
    // A small element shares its eight bytes with its tag; compressed ones are packed.
    let used = before - rest.len();
    if kind != COMPRESSED {
        let padding = used.next_multiple_of(8) - used;
        *rest = &rest[padding.min(rest.len())..];
    }
    Ok(Element { kind, data })
}

/// As much of a compressed element as a variable may take.
fn inflate(data: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut inflated = Vec::new();
    let mut reader = ZlibDecoder::new(data).take(MAX_INFLATED as u64);
    let read = reader.read_to_end(&mut inflated);
    read.map_err(|e| malformed(format!("a variable cannot be inflated: {e}")))?;
    Ok(inflated)
}

/// The matrix, if it has one of these names.
fn matrix(mut body: &[u8], names: &[&str]) -> Result<Option<Matrix>, Fault> {
    let flags = word(&mut element(&mut body)?.data)?;
    let dimensions = numbers(&element(&mut body)?)?;
    let name = element(&mut body)?.data;
    let Some(name) = names.iter().find(|own| own.as_bytes() == name) else {
        return Ok(None);
    };
    if !NUMERIC.contains(&(flags & 0xff)) || flags & COMPLEX != 0 {
        return Err(malformed(format!("`{name}` is no matrix of real numbers")));
    }
    let &[rows, columns] = dimensions.as_slice() else {
        let text = format!("`{name}` has {} dimensions instead of 2", dimensions.len());
        return Err(malformed(text));
    };
    let values = numbers(&element(&mut body)?)?;
    let [rows, columns] = [rows, columns].map(|v| v as usize);
    if rows.checked_mul(columns) != Some(values.len()) {
        let text = format!(
            "`{name}` has {} numbers instead of {rows} x {columns}",
            values.len()
        );
        return Err(malformed(text));
    }
    Ok(Some(Matrix {
        name: (*name).to_owned(),
        rows,
        columns,
        values,
    }))
}

/// The numbers of an element, of whatever type they are stored as.
fn numbers(element: &Element<'_>) -> Result<Vec<f64>, Fault> {
    fn each<const N: usize>(data: &[u8], to: fn([u8; N]) -> f64) -> Vec<f64> {
        data.as_chunks().0.iter().map(|&bytes| to(bytes)).collect()
    }
    let data = element.data;
    Ok(match element.kind {
        1 => each(data, |b| i8::from_le_bytes(b).into()),
        2 => each(data, |b| u8::from_le_bytes(b).into()),
        3 => each(data, |b| i16::from_le_bytes(b).into()),
        4 => each(data, |b| u16::from_le_bytes(b).into()),
        5 => each(data, |b| i32::from_le_bytes(b).into()),
        6 => each(data, |b| u32::from_le_bytes(b).into()),
        7 => each(data, |b| f32::from_le_bytes(b).into()),
        9 => each(data, f64::from_le_bytes),
        12 => each(data, |b| i64::from_le_bytes(b) as f64),
        13 => each(data, |b| u64::from_le_bytes(b) as f64),
        kind => return Err(malformed(format!("numbers of the unknown type {kind}"))),
    })
}

fn word(rest: &mut &[u8]) -> Result<u32, Fault> {
    let bytes = take(rest, 4)?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (data, behind) = (rest.split_at_checked(length))
        .ok_or_else(|| malformed("the file, or a variable, ends too early or is too large"))?;
    *rest = behind;
    Ok(data)
}

fn malformed(text: impl Into<String>) -> Fault {
    Fault::new(Reason::Malformed, text)
}
