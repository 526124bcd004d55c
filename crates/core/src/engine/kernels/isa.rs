//! Instruction sets, and loops that are compiled for each.

use super::dot::{self, Dot};
use super::simd::{self, Simd};

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa {
    kind: Kind,
    /// With instructions for products of bytes.
    dot: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Isa {
    /// All of this processor, the best first; at least the portable one.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |kind, known: bool, dot: bool| {
            all.extend((known && dot).then_some(Self { kind, dot: true }));
            all.extend(known.then_some(Self { kind, dot: false }));
        };
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            let dot = is_x86_feature_detected!("avx512vnni");
            add(Kind::Avx512, fma && wide, dot);
            add(Kind::Avx2, fma, is_x86_feature_detected!("avxvnni"));
        }
        #[cfg(target_arch = "aarch64")]
        {
            let dot = std::arch::is_aarch64_feature_detected!("dotprod");
            add(Kind::Neon, true, dot);
        }
        add(Kind::Portable, true, false);
        all
    }

    /// The best one.
    pub fn best() -> Self {
        Self::all()[0]
    }

    /// `avx512`, `avx2`, `neon`, each perhaps with `-dot`, or `portable`.
    pub const fn name(self) -> &'static str {
        match (self.kind, self.dot) {
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512, true) => "avx512-dot",
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512, false) => "avx512",
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2, true) => "avx2-dot",
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2, false) => "avx2",
            #[cfg(target_arch = "aarch64")]
            (Kind::Neon, true) => "neon-dot",
            #[cfg(target_arch = "aarch64")]
            (Kind::Neon, false) => "neon",
            (Kind::Portable, _) => "portable",
        }
    }

    /// Channels in a block.
    pub const fn lanes(self) -> usize {
        match self.kind {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            _ => 8,
        }
    }

    /// Most pixels of a tile of outputs.
    pub const fn tile(self) -> usize {
        match self.kind {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => simd::F32x16::TILE,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => simd::F32x8::TILE,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => simd::F32x4x2::TILE,
            Kind::Portable => simd::Portable::TILE,
        }
    }

    /// The same for sums of products of bytes, and `Dot::OFFSET`.
    pub const fn dot(self) -> (usize, i32) {
        const fn of<D: Dot>() -> (usize, i32) {
            (D::TILE, D::OFFSET)
        }
        match (self.kind, self.dot) {
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512, true) => of::<dot::Avx512Vnni>(),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx512, false) => of::<dot::Avx512>(),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2, true) => of::<dot::Avx2Vnni>(),
            #[cfg(target_arch = "x86_64")]
            (Kind::Avx2, false) => of::<dot::Avx2>(),
            #[cfg(target_arch = "aarch64")]
            (Kind::Neon, true) => of::<dot::NeonDot>(),
            #[cfg(target_arch = "aarch64")]
            (Kind::Neon, false) => of::<dot::Neon>(),
            (Kind::Portable, _) => of::<dot::Portable>(),
        }
    }

    /// Run `kernel` with the vectors of this instruction set.
    ///
    /// # Safety
    /// As the kernel's own.
    #[inline]
    pub unsafe fn run<K: Kernel>(self, kernel: K) {
        // The processor has what a value of this type stands for.
        unsafe {
            match self.kind {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => run_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => run_avx2(kernel),
                #[cfg(target_arch = "aarch64")]
                Kind::Neon => kernel.run::<simd::F32x4x2>(),
                Kind::Portable => kernel.run::<simd::Portable>(),
            }
        }
    }

    /// The same for a kernel that multiplies bytes.
    ///
    /// # Safety
    /// As the kernel's own.
    #[inline]
    pub unsafe fn run_dot<K: DotKernel>(self, kernel: K) {
        // As above.
        unsafe {
            match (self.kind, self.dot) {
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx512, true) => dot_avx512_vnni(kernel),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx512, false) => dot_avx512(kernel),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx2, true) => dot_avx2_vnni(kernel),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx2, false) => dot_avx2(kernel),
                #[cfg(target_arch = "aarch64")]
                (Kind::Neon, true) => dot_neon(kernel),
                #[cfg(target_arch = "aarch64")]
                (Kind::Neon, false) => kernel.run::<dot::Neon>(),
                (Kind::Portable, _) => kernel.run::<dot::Portable>(),
            }
        }
    }
}

/// A loop that is compiled for every instruction set.
pub trait Kernel {
    /// `#[inline(always)]`, like everything that it calls.
    unsafe fn run<S: Simd>(self);
}

/// A loop over bytes that is compiled for every instruction set.
pub trait DotKernel {
    /// As [`Kernel::run`].
    unsafe fn run<D: Dot>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma")]
unsafe fn run_avx512<K: Kernel>(kernel: K) {
    unsafe { kernel.run::<simd::F32x16>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) {
    unsafe { kernel.run::<simd::F32x8>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2,fma")]
unsafe fn dot_avx512_vnni<K: DotKernel>(kernel: K) {
    unsafe { kernel.run::<dot::Avx512Vnni>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma")]
unsafe fn dot_avx512<K: DotKernel>(kernel: K) {
    unsafe { kernel.run::<dot::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avxvnni,avx2,fma")]
unsafe fn dot_avx2_vnni<K: DotKernel>(kernel: K) {
    unsafe { kernel.run::<dot::Avx2Vnni>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn dot_avx2<K: DotKernel>(kernel: K) {
    unsafe { kernel.run::<dot::Avx2>() }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "dotprod")]
unsafe fn dot_neon<K: DotKernel>(kernel: K) {
    unsafe { kernel.run::<dot::NeonDot>() }
}
