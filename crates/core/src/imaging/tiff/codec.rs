//! Compressed strips and tiles to bytes.

use std::borrow::Cow;
use std::io::Read;

use fax::Color;
use fax::decoder::{decode_g3, decode_g4, pels};
use flate2::read::ZlibDecoder;
use weezl::BitOrder;
use weezl::decode::Decoder;

use crate::error::{Error, Result, bail};

/// Unpack `data`, `length` bytes of rows of `width` bits (fax) or anything (others); what follows
/// them is ignored.
///
/// # Errors
/// When the data are damaged or end before, or the compression is not supported.
pub fn unpack<'a>(
    data: Cow<'a, [u8]>,
    compression: u64,
    length: usize,
    rows: [usize; 2],
) -> Result<Cow<'a, [u8]>> {
    let bytes = match compression {
        1 => data,
        2 | 3 => Cow::Owned(fax3(&data, rows)?),
        4 => Cow::Owned(fax4(&data, rows)?),
        5 => Cow::Owned(lzw(&data, length)?),
        8 | 32946 => Cow::Owned(deflate(&data, length)?),
        32773 => Cow::Owned(pack_bits(&data, length)),
        other => bail!(
            Unsupported,
            "TIFF with the compression {other} is not supported"
        ),
    };
    if bytes.len() < length {
        bail!(Photo, "the file is cut off");
    }
    Ok(bytes)
}

fn lzw(data: &[u8], length: usize) -> Result<Vec<u8>> {
    // Old files begin with the lowest bit of a clear code, and change the width of codes later.
    let mut decoder = if matches!(data, [0, second, ..] if second & 1 == 1) {
        Decoder::new(BitOrder::Lsb, 8)
    } else {
        Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
    };
    let mut bytes = vec![0; length];
    let (mut read, mut written) = (0, 0);
    while written < length {
        let result = decoder.decode_bytes(&data[read..], &mut bytes[written..]);
        read += result.consumed_in;
        written += result.consumed_out;
        match result.status {
            Ok(weezl::LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Ok(_) => break,
            Err(error) => return Err(Error::photo(error)),
        }
    }
    bytes.truncate(written);
    Ok(bytes)
}

fn deflate(data: &[u8], length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = ZlibDecoder::new(data).take(length as u64);
    reader
        .read_to_end(&mut bytes)
        .map_err(|e| Error::photo_because(&e))?;
    Ok(bytes)
}

fn pack_bits(data: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = data;
    while bytes.len() < length
        && let Some((&head, after)) = rest.split_first()
    {
        rest = after;
        let head = head.cast_signed();
        if head >= 0 {
            let (literal, after) = rest.split_at(rest.len().min(head as usize + 1));
            bytes.extend(literal);
            rest = after;
        } else if head != -128
            && let Some((&value, after)) = rest.split_first()
        {
            bytes.resize(bytes.len() + 1 + usize::from(head.unsigned_abs()), value);
            rest = after;
        }
    }
    bytes
}

fn fax3(data: &[u8], [width, height]: [usize; 2]) -> Result<Vec<u8>> {
    let width = u16::try_from(width).map_err(Error::photo)?;
    let mut page = Page::new(width, height);
    let bytes = data.iter().copied();
    // A missing end is for the number of rows to show.
    let _ = decode_g3(bytes, |line| page.push(line));
    Ok(page.bits)
}

fn fax4(data: &[u8], [width, height]: [usize; 2]) -> Result<Vec<u8>> {
    let width = u16::try_from(width).map_err(Error::photo)?;
    let mut page = Page::new(width, height);
    let bytes = data.iter().copied();
    let height = u16::try_from(height).map_err(Error::photo)?;
    decode_g4(bytes, width, Some(height), |line| page.push(line))
        .ok_or_else(|| Error::photo("damaged fax data"))?;
    Ok(page.bits)
}

/// Rows of black (1) and white (0) pixels.
struct Page {
    width: u16,
    bits: Vec<u8>,
    most: usize,
}

impl Page {
    fn new(width: u16, height: usize) -> Self {
        let most = usize::from(width).div_ceil(8) * height;
        Self {
            width,
            bits: Vec::new(),
            most,
        }
    }

    fn push(&mut self, line: &[u16]) {
        if self.bits.len() >= self.most {
            return;
        }
        let mut row = vec![0u8; usize::from(self.width).div_ceil(8)];
        for (x, colour) in pels(line, self.width).enumerate() {
            if colour == Color::Black {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
        self.bits.extend(row);
    }
}
