//! Every JPEG that libjpeg reads, with libjpeg's pixels and its patience: it warns where data are
//! damaged and reads on.

use std::any::Any;
use std::ffi::{c_int, c_ulong};
use std::mem::{size_of, zeroed};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg_sys as ffi;
use mozjpeg_sys::J_COLOR_SPACE::{JCS_CMYK, JCS_GRAYSCALE, JCS_RGB, JCS_YCbCr};

use crate::error::{Error, Result, ensure};

/// A decoded picture.
pub struct Samples {
    /// Width and height.
    pub size: [u32; 2],
    /// Samples of a pixel.
    pub count: usize,
    /// The samples, row by row.
    pub samples: Vec<u8>,
    /// The data ended before the picture did: the rest is made up.
    pub cut_off: bool,
}

/// What the components of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As its markers say; to RGB or, of four components, to inks as they are.
    AsMarked,
    /// Grey.
    Grey,
    /// Red, green and blue.
    Rgb,
    /// Luma and two chromas; to RGB.
    Ycbcr,
    /// Inks, as they are.
    Cmyk,
}

/// Decode `bytes`, a JPEG file of no more than `most` = `[width, height]`.
///
/// # Errors
/// What libjpeg cannot read on from.
pub fn decode(bytes: &[u8], most: [u32; 2], stored: Stored) -> Result<Samples> {
    let work = || decode_or_unwind(bytes, most, stored);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        match payload.downcast::<Fatal>() {
            Ok(fatal) => Err(Error::photo(fatal.0)),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// An error that libjpeg cannot go on from; it must not return from its handler.
struct Fatal(String);

fn decode_or_unwind(bytes: &[u8], most: [u32; 2], stored: Stored) -> Result<Samples> {
    let mut session = Session::new(bytes)?;
    let [w, h] = [session.info.image_width, session.info.image_height];
    ensure!(
        w <= most[0] && h <= most[1],
        Photo,
        "the picture is {w} x {h} pixels, not {} x {}",
        most[0],
        most[1]
    );
    let count = session.start(stored);
    let stride = w as usize * count;
    let mut samples = vec![0; stride * h as usize];
    for row in samples.chunks_exact_mut(stride) {
        session.read_row(row)?;
    }
    Ok(Samples {
        size: [w, h],
        count,
        samples,
        cut_off: session.errors.num_warnings > 0,
    })
}

/// libjpeg's state, which ends with the value. `bytes` must outlive it.
struct Session<'a> {
    info: Box<ffi::jpeg_decompress_struct>,
    errors: Box<ffi::jpeg_error_mgr>,
    bytes: &'a [u8],
}

impl<'a> Session<'a> {
    /// Read the headers.
    fn new(bytes: &'a [u8]) -> Result<Self> {
        let length = c_ulong::try_from(bytes.len()).map_err(Error::photo)?;
        // SAFETY: both are plain C structures, for which zeros are the state before they are set up.
        let (info, errors) = unsafe { (zeroed(), zeroed()) };
        let mut new = Self {
            info: Box::new(info),
            errors: Box::new(errors),
            bytes,
        };
        // SAFETY: `errors` and `bytes` live as long as `info`, and do not move.
        unsafe {
            ffi::jpeg_std_error(&mut new.errors);
            new.errors.error_exit = Some(unwind);
            new.errors.emit_message = Some(note_missing_data);
            new.info.common.err = &raw mut *new.errors;
            let version = ffi::JPEG_LIB_VERSION as c_int;
            ffi::jpeg_CreateDecompress(
                &mut *new.info,
                version,
                size_of::<ffi::jpeg_decompress_struct>(),
            );
            ffi::jpeg_mem_src(&mut new.info, new.bytes.as_ptr(), length);
            ffi::jpeg_read_header(&mut new.info, 1);
        }
        Ok(new)
    }

    /// Begin to decode; the samples of a pixel that come out.
    fn start(&mut self, stored: Stored) -> usize {
        let marked = self.info.jpeg_color_space;
        let all_inks = self.info.num_components == 4;
        (self.info.jpeg_color_space, self.info.out_color_space) = match stored {
            Stored::AsMarked if all_inks => (marked, JCS_CMYK),
            Stored::AsMarked => (marked, JCS_RGB),
            Stored::Grey => (JCS_GRAYSCALE, JCS_GRAYSCALE),
            Stored::Rgb => (JCS_RGB, JCS_RGB),
            Stored::Ycbcr => (JCS_YCbCr, JCS_RGB),
            Stored::Cmyk => (JCS_CMYK, JCS_CMYK),
        };
        // SAFETY: the headers have been read.
        unsafe { ffi::jpeg_start_decompress(&mut self.info) };
        usize::try_from(self.info.output_components).unwrap_or(0)
    }

    /// The next row.
    fn read_row(&mut self, row: &mut [u8]) -> Result<()> {
        let bytes = self.info.output_width as usize
            * usize::try_from(self.info.output_components).map_err(Error::photo)?;
        ensure!(row.len() == bytes, Photo, "rows of {bytes} bytes");
        let mut start = row.as_mut_ptr();
        // SAFETY: decoding has been started, and a row is as long as libjpeg says.
        let count = unsafe { ffi::jpeg_read_scanlines(&mut self.info, &raw mut start, 1) };
        ensure!(count == 1, Photo, "rows are missing");
        Ok(())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // SAFETY: set up in `new`, or all zero, which is allowed.
        unsafe { ffi::jpeg_destroy_decompress(&mut self.info) };
    }
}

/// libjpeg's handler of errors.
extern "C-unwind" fn unwind(info: &mut ffi::jpeg_common_struct) {
    // SAFETY: the handler was set together with `err`, which lives as long as `info`; the function
    // writes to the buffer, whatever its declaration says, and ends the text with a zero.
    let text = unsafe {
        let mut text = [0u8; 80];
        if let Some(format) = (*info.err).format_message {
            let format: unsafe extern "C-unwind" fn(&mut ffi::jpeg_common_struct, &mut [u8; 80]) =
                std::mem::transmute(format);
            format(info, &mut text);
        }
        text
    };
    let text = text.split(|&c| c == 0).next().unwrap_or_default();
    let fatal: Box<dyn Any + Send> = Box::new(Fatal(String::from_utf8_lossy(text).into_owned()));
    resume_unwind(fatal);
}

/// libjpeg's handler of messages and warnings (below zero): counts how often data were missing.
extern "C-unwind" fn note_missing_data(info: &mut ffi::jpeg_common_struct, level: c_int) {
    // SAFETY: as in `unwind`.
    let errors = unsafe { &mut *info.err };
    if level < 0 && errors.msg_code == ffi::JWRN_HIT_MARKER as c_int {
        errors.num_warnings += 1;
    }
}
