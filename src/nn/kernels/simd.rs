//! Vectors of 8 or 16 floats on whatever the processor offers.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]

use std::sync::OnceLock;

/// Instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// What every processor of the target has.
    Portable,
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Returns the best instruction set of this processor.
pub(super) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    #[cfg(test)]
    if let Some(level) = forced::level() {
        return level;
    }
    *LEVEL.get_or_init(|| levels().last().copied().unwrap_or(Level::Portable))
}

/// Returns all instruction sets of this processor, the best one last.
pub(super) fn levels() -> Vec<Level> {
    #[allow(unused_mut, reason = "nothing is added on other processors")]
    let mut levels = vec![Level::Portable];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        levels.push(Level::Avx2);
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            levels.push(Level::Avx512);
        }
    }
    levels
}

/// Lets a test run kernels below the best level.
#[cfg(test)]
pub(super) mod forced {
    use std::cell::Cell;

    use super::{Level, levels};

    thread_local! {
        static FORCED: Cell<Option<Level>> = const { Cell::new(None) };
    }

    pub(super) fn level() -> Option<Level> {
        FORCED.get()
    }

    /// Does some work at every level of this processor, on this thread: kernels must not be given others. Lists what
    /// comes out, the best level last.
    pub(in crate::nn::kernels) fn at_each<R>(work: impl Fn() -> R) -> Vec<(Level, R)> {
        let at = |level| {
            FORCED.set(Some(level));
            let found = work();
            FORCED.set(None);
            (level, found)
        };
        levels().into_iter().map(at).collect()
    }
}

/// A vector of floats.
///
/// # Safety
/// Methods of hardware vectors run only where [`level`] found their instructions; pointers cover `LANES` floats.
pub(super) unsafe trait Vector: Copy {
    /// Number of floats.
    const LANES: usize;
    /// All lanes equal.
    unsafe fn splat(value: f32) -> Self;
    /// Reads `LANES` floats.
    unsafe fn load(from: *const f32) -> Self;
    /// Writes `LANES` floats.
    unsafe fn store(self, to: *mut f32);
    /// self + a · b, rounded once
    unsafe fn multiply_add(self, a: Self, b: Self) -> Self;
    /// self + other
    unsafe fn plus(self, other: Self) -> Self;
    /// self − other
    unsafe fn minus(self, other: Self) -> Self;
}

/// Vectors as arrays, for processors without wide vectors. Multiplication and addition are rounded once, as in hardware
/// vectors, so that all levels give the same bits; a processor without such an instruction (x86 before 2013) is slow.
#[derive(Clone, Copy)]
pub(super) struct Lanes<const N: usize>([f32; N]);

// SAFETY: nothing but the pointers is unsafe.
unsafe impl<const N: usize> Vector for Lanes<N> {
    const LANES: usize = N;
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's pointer covers the lanes.
        Self(unsafe { from.cast::<[f32; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's pointer covers the lanes.
        unsafe { to.cast::<[f32; N]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn multiply_add(mut self, a: Self, b: Self) -> Self {
        for (sum, (a, b)) in self.0.iter_mut().zip(a.0.iter().zip(&b.0)) {
            *sum = a.mul_add(*b, *sum);
        }
        self
    }
    #[inline(always)]
    unsafe fn plus(mut self, other: Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a += b;
        }
        self
    }
    #[inline(always)]
    unsafe fn minus(mut self, other: Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a -= b;
        }
        self
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
        _mm256_sub_ps, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
        _mm512_sub_ps,
    };

    use super::Vector;

    macro_rules! vector {
        (
            $type:ident, $register:ty, $lanes:literal, $set:ident, $load:ident, $store:ident, $fma:ident, $add:ident,
            $sub:ident
        ) => {
            #[derive(Clone, Copy)]
            pub(in crate::nn::kernels) struct $type($register);

            // SAFETY: used only below the matching `Level`.
            unsafe impl Vector for $type {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: f32) -> Self {
                    // SAFETY: the caller checked the level.
                    Self(unsafe { $set(value) })
                }
                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self {
                    // SAFETY: the caller checked the level and the pointer.
                    Self(unsafe { $load(from) })
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut f32) {
                    // SAFETY: the caller checked the level and the pointer.
                    unsafe { $store(to, self.0) }
                }
                #[inline(always)]
                unsafe fn multiply_add(self, a: Self, b: Self) -> Self {
                    // SAFETY: the caller checked the level.
                    Self(unsafe { $fma(a.0, b.0, self.0) })
                }
                #[inline(always)]
                unsafe fn plus(self, other: Self) -> Self {
                    // SAFETY: the caller checked the level.
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn minus(self, other: Self) -> Self {
                    // SAFETY: the caller checked the level.
                    Self(unsafe { $sub(self.0, other.0) })
                }
            }
        };
    }

    vector!(
        Eight,
        __m256,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_sub_ps
    );
    vector!(
        Sixteen,
        __m512,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_sub_ps
    );
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Eight, Sixteen};

/// Compiles a function for every instruction set and calls the best one. The body must be safe code that the compiler
/// can vectorise; it never fuses multiplications with additions, so all versions give the same bits.
macro_rules! vectorised {
    ($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$meta])*
        pub(super) fn $name($($arg: $type),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $result)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
                fn avx512($($arg: $type),*) $(-> $result)? { portable($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $result)? { portable($($arg),*) }
                match $crate::nn::kernels::simd::level() {
                    // SAFETY: the processor has these instructions.
                    $crate::nn::kernels::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the processor has these instructions.
                    $crate::nn::kernels::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::nn::kernels::simd::Level::Portable => {}
                }
            }
            portable($($arg),*)
        }
    };
}
pub(super) use vectorised;
