//! Memory that vectors like.

/// One line of the cache.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Numbers that begin at a line of the cache.
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
}

impl Buffer {
    /// `len` zeros, rounded up to whole lines.
    pub fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line([0.0; 16]); len.div_ceil(16)],
        }
    }

    /// At least `len` numbers from now on; what it held stays, or not.
    pub fn reserve(&mut self, len: usize) {
        let lines = len.div_ceil(16);
        if lines > self.lines.len() {
            // Not by growing, which would copy what nobody reads.
            self.lines = Vec::new();
            self.lines = vec![Line([0.0; 16]); lines];
        }
    }

    /// These numbers, then zeros up to a whole line.
    pub fn of(values: &[f32]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.as_mut_slice()[..values.len()].copy_from_slice(values);
        buffer
    }

    /// These bytes, in place of a quarter as many numbers.
    pub fn of_bytes(bytes: &[i8]) -> Self {
        let mut buffer = Self::zeros(bytes.len().div_ceil(4));
        for (to, &byte) in as_bytes(buffer.as_mut_slice()).iter_mut().zip(bytes) {
            *to = byte.cast_unsigned();
        }
        buffer
    }

    /// All of them.
    pub fn as_slice(&self) -> &[f32] {
        // A line is sixteen numbers and nothing else.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * 16) }
    }

    /// All of them.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        // As above.
        unsafe {
            std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * 16)
        }
    }
}

/// Memory of numbers for four times as many bytes.
pub fn as_bytes(numbers: &mut [f32]) -> &mut [u8] {
    // A number is four bytes, whatever they are.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len() * 4) }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} numbers)", self.lines.len() * 16)
    }
}
