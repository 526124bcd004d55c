//! Every JPEG that libjpeg reads, with libjpeg's pixels and its patience: it warns where data are
//! damaged and reads on.

use std::any::Any;
use std::ffi::{c_int, c_ulong};
use std::mem::{size_of, zeroed};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::{Result, anyhow, ensure};
use image::RgbImage;
use mozjpeg_sys as ffi;
use mozjpeg_sys::J_COLOR_SPACE::{JCS_CMYK, JCS_RGB};

use crate::imaging::pixels::inverted_cmyk;

/// A decoded picture.
pub struct Decoded {
    /// The pixels.
    pub rgb: RgbImage,
    /// The data ended before the picture did: the rest is made up.
    pub cut_off: bool,
}

/// Decode `bytes`, a JPEG file of `size` = `[width, height]` and one, three or four components.
///
/// # Errors
/// What libjpeg cannot read on from.
pub fn decode(bytes: &[u8], size: [u32; 2], components: usize) -> Result<Decoded> {
    let work = || decode_or_unwind(bytes, size, components);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        match payload.downcast::<Fatal>() {
            Ok(fatal) => Err(anyhow!(fatal.0)),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// An error that libjpeg cannot go on from; it must not return from its handler.
struct Fatal(String);

fn decode_or_unwind(bytes: &[u8], size: [u32; 2], components: usize) -> Result<Decoded> {
    let mut session = Session::new(bytes)?;
    let cmyk = components == 4;
    let found = session.start(if cmyk { JCS_CMYK } else { JCS_RGB });
    ensure!(
        found == size,
        "the picture is {found:?} pixels, not {size:?}"
    );
    let mut rgb = RgbImage::new(size[0], size[1]);
    let width = size[0] as usize;
    let mut inks = vec![0; if cmyk { 4 * width } else { 0 }];
    for row in rgb.chunks_exact_mut(3 * width) {
        if cmyk {
            session.read_row(&mut inks)?;
            for (pixel, inks) in row.as_chunks_mut().0.iter_mut().zip(inks.as_chunks().0) {
                *pixel = inverted_cmyk(*inks);
            }
        } else {
            session.read_row(row)?;
        }
    }
    let cut_off = session.errors.num_warnings > 0;
    Ok(Decoded { rgb, cut_off })
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
        let length = c_ulong::try_from(bytes.len())?;
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

    /// Begin to decode to pixels of the kind `colors`; width and height.
    fn start(&mut self, colors: ffi::J_COLOR_SPACE) -> [u32; 2] {
        self.info.out_color_space = colors;
        // SAFETY: the headers have been read.
        unsafe { ffi::jpeg_start_decompress(&mut self.info) };
        [self.info.output_width, self.info.output_height]
    }

    /// The next row.
    fn read_row(&mut self, row: &mut [u8]) -> Result<()> {
        let bytes = self.info.output_width as usize * usize::try_from(self.info.output_components)?;
        ensure!(row.len() == bytes, "rows of {bytes} bytes");
        let mut start = row.as_mut_ptr();
        // SAFETY: decoding has been started, and a row is as long as libjpeg says.
        let count = unsafe { ffi::jpeg_read_scanlines(&mut self.info, &raw mut start, 1) };
        ensure!(count == 1, "rows are missing");
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
