//! Kernels of the CPU core: plain slices in, plain slices out.
//!
//! Activations lie as `[image][row][column][channel]`, so that every tap of a filter reads a contiguous run and vectors
//! run over channels at any image size. Sums are split over outputs or over blocks of a fixed size that are added in
//! order: the number of threads changes no bit. Vector instructions are chosen when the program runs.

pub(super) mod conv;
pub(super) mod double;
pub(super) mod elementwise;
mod finish;
mod gather;
pub(super) mod layout;
#[cfg(test)]
mod levels;
pub(super) mod loss;
mod micro;
pub(super) mod norm;
pub(super) mod pool;
mod simd;
mod sparse;
mod transpose;
pub(super) mod update;
mod winograd;

use std::cell::RefCell;

use rayon::prelude::*;

/// The threads that kernels may use. One thread is the caller's own.
pub(super) struct Threads(Option<rayon::ThreadPool>);

impl Threads {
    /// Starts threads; falls back to the caller's if the system refuses.
    pub(super) fn new(count: usize) -> Self {
        if count <= 1 {
            return Self(None);
        }
        Self(rayon::ThreadPoolBuilder::new().num_threads(count).build().ok())
    }

    /// Calls `work` with every index below `count`.
    pub(super) fn each(&self, count: usize, work: impl Fn(usize) + Send + Sync) {
        match &self.0 {
            Some(pool) if count > 1 => pool.install(|| (0..count).into_par_iter().for_each(work)),
            _ => (0..count).for_each(work),
        }
    }

    /// Cuts a slice into pieces of `size` elements and calls `work` with each.
    pub(super) fn pieces<T: Send>(&self, slice: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Send + Sync) {
        let size = size.max(1);
        match &self.0 {
            Some(pool) if slice.len() > size => {
                pool.install(|| slice.par_chunks_mut(size).enumerate().for_each(|(i, piece)| work(i, piece)));
            }
            _ => slice.chunks_mut(size).enumerate().for_each(|(i, piece)| work(i, piece)),
        }
    }
}

/// Inputs that are worked on between two visits of an output.
const DEPTH: usize = 256;
/// Panels of outputs of one task.
const PANELS: usize = 8;
/// Tasks that a pass is cut into at least, if it is large enough: a fixed number, as sums depend on it.
const TASKS: usize = 16;

/// A pointer into a buffer of which every task writes its own part.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

// SAFETY: whoever makes one hands out disjoint parts.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Returns the part that starts at `start`.
    ///
    /// # Safety
    /// The part lies inside the buffer and no other task touches it.
    unsafe fn part<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }

    /// Returns the buffer from `start` on.
    fn at(self, start: usize) -> Self {
        Self(self.0.wrapping_add(start))
    }
}

/// Makes a buffer at least `len` long, and no longer than it has to be.
fn grow(buffer: &mut Vec<f32>, len: usize) {
    buffer.reserve_exact(len.saturating_sub(buffer.len()));
    buffer.resize(buffer.len().max(len), 0.0);
}

/// Makes a buffer `len` zeros.
fn clear(buffer: &mut Vec<f32>, len: usize) {
    buffer.clear();
    buffer.reserve_exact(len);
    buffer.resize(len, 0.0);
}

/// Lends `len` values that this thread reuses; what they are is undefined.
fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    SCRATCH.with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        work(&mut scratch[..len])
    })
}
