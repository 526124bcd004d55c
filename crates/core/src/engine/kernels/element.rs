//! What convolutions multiply: numbers, or bytes.

use super::dot::{Dot, GROUP};
use super::simd::Simd;
use super::{DotKernel, Isa, Kernel};

/// One of the two.
pub trait Element: Copy + std::fmt::Debug + 'static {
    /// Of a map.
    type Input: Copy;

    /// Of packed weights.
    type Weight: Copy;

    /// Inputs that meet one vector of weights.
    const GROUP: usize;

    /// Vectors of numbers that a block of outputs needs beside the weights.
    const OF_OUTPUTS: usize;

    /// Most pixels of a tile of outputs.
    fn tile(isa: Isa) -> usize;

    /// Run `kernel` with the vectors of an instruction set.
    ///
    /// # Safety
    /// As the kernel's own.
    unsafe fn run(isa: Isa, kernel: impl ElementKernel<Self>);
}

/// A loop that is compiled for every instruction set's sums of one element.
pub trait ElementKernel<E: Element> {
    /// `#[inline(always)]`, like everything that it calls.
    ///
    /// # Safety
    /// As each kernel says.
    unsafe fn run<A: Arithmetic<E>>(self);
}

/// Sums of products for a block of outputs.
pub trait Arithmetic<E: Element>: Copy {
    /// What they become.
    type Floats: Simd;

    /// Inputs of a pixel, for all outputs.
    type Pixel: Copy;

    /// Weights of as many inputs, for each output.
    type Weights: Copy;

    /// Pixels of a tile whose sums fit in the registers, with two blocks of outputs each.
    const TILE: usize;

    /// Before the first product; `outputs` are [`Element::OF_OUTPUTS`] vectors.
    unsafe fn start(outputs: *const f32) -> Self;

    /// [`Element::GROUP`] inputs.
    unsafe fn pixel(from: *const E::Input) -> Self::Pixel;

    /// For each output as many.
    unsafe fn weights(from: *const E::Weight) -> Self::Weights;

    /// With their products.
    unsafe fn plus(self, pixel: Self::Pixel, weights: Self::Weights) -> Self;

    /// What the convolution gives.
    unsafe fn finish(self, outputs: *const f32) -> Self::Floats;
}

/// Numbers times numbers. Outputs need their bias.
#[derive(Clone, Copy, Debug)]
pub struct Numbers;

impl Element for Numbers {
    type Input = f32;
    type Weight = f32;

    const GROUP: usize = 1;
    const OF_OUTPUTS: usize = 1;

    fn tile(isa: Isa) -> usize {
        isa.tile()
    }

    #[inline(always)]
    unsafe fn run(isa: Isa, kernel: impl ElementKernel<Self>) {
        unsafe { isa.run(OnNumbers(kernel)) }
    }
}

struct OnNumbers<K>(K);

impl<K: ElementKernel<Numbers>> Kernel for OnNumbers<K> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        unsafe { self.0.run::<S>() }
    }
}

impl<S: Simd> Arithmetic<Numbers> for S {
    type Floats = S;
    type Pixel = S;
    type Weights = S;

    const TILE: usize = S::TILE;

    #[inline(always)]
    unsafe fn start(outputs: *const f32) -> Self {
        unsafe { S::load(outputs) }
    }

    #[inline(always)]
    unsafe fn pixel(from: *const f32) -> S {
        unsafe { S::splat(*from) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const f32) -> S {
        unsafe { S::load(from) }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: S, weights: S) -> Self {
        unsafe { pixel.mul_add(weights, self) }
    }

    #[inline(always)]
    unsafe fn finish(self, _: *const f32) -> S {
        self
    }
}

/// Unsigned bytes times signed ones. Outputs need what their sums start from (the bits of whole
/// numbers), their scale and their bias.
#[derive(Clone, Copy, Debug)]
pub struct Bytes;

impl Element for Bytes {
    type Input = u8;
    type Weight = i8;

    const GROUP: usize = GROUP;
    const OF_OUTPUTS: usize = 3;

    fn tile(isa: Isa) -> usize {
        isa.dot().0
    }

    #[inline(always)]
    unsafe fn run(isa: Isa, kernel: impl ElementKernel<Self>) {
        unsafe { isa.run_dot(OnBytes(kernel)) }
    }
}

struct OnBytes<K>(K);

impl<K: ElementKernel<Bytes>> DotKernel for OnBytes<K> {
    #[inline(always)]
    unsafe fn run<D: Dot>(self) {
        unsafe { self.0.run::<D>() }
    }
}

impl<D: Dot> Arithmetic<Bytes> for D {
    type Floats = D::Floats;
    type Pixel = D::Pixel;
    type Weights = D::Weights;

    const TILE: usize = D::TILE;

    #[inline(always)]
    unsafe fn start(outputs: *const f32) -> Self {
        unsafe { D::load(outputs.cast()) }
    }

    #[inline(always)]
    unsafe fn pixel(from: *const u8) -> D::Pixel {
        unsafe { D::pixel(from) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const i8) -> D::Weights {
        unsafe { D::weights(from) }
    }

    #[inline(always)]
    unsafe fn plus(self, pixel: D::Pixel, weights: D::Weights) -> Self {
        unsafe { D::plus(self, pixel, weights) }
    }

    // Multiplied, then added: rounded twice, but the same everywhere.
    #[inline(always)]
    unsafe fn finish(self, outputs: *const f32) -> D::Floats {
        unsafe {
            let lanes = D::Floats::LANES;
            let [scale, bias] = [1, 2].map(|row| D::Floats::load(outputs.add(row * lanes)));
            self.floats().mul(scale).add(bias)
        }
    }
}
