//! One GPU: its context, its stream and its memory.

use std::sync::Arc;

use cudarc::driver::sys::{CUdeviceptr, CUresult, CUstream};
use cudarc::driver::{CudaContext, CudaStream, DriverError, result};

use crate::nn::device::DeviceError;

/// Compute capability that the kernels are compiled for.
const OLDEST: (i32, i32) = (8, 0);

/// A GPU with a queue of its own, in which everything happens in order.
pub(super) struct Gpu {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
}

/// Memory on a GPU, given back when dropped.
pub(super) struct Memory {
    pointer: CUdeviceptr,
    bytes: usize,
    context: Arc<CudaContext>,
}

/// A stretch of a GPU's memory. Whoever makes one keeps the memory until the GPU has done what it was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub pointer: CUdeviceptr,
    pub bytes: usize,
}

/// Counts the GPUs.
pub(in crate::nn) fn devices() -> Result<usize, DeviceError> {
    present()?;
    result::init().map_err(|error| match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => DeviceError::NoDevice { index: 0, found: 0 },
        _ => failed("cuInit", error),
    })?;
    let found = result::device::get_count().map_err(|error| failed("cuDeviceGetCount", error))?;
    if found > 0 { Ok(found as usize) } else { Err(DeviceError::NoDevice { index: 0, found: 0 }) }
}

#[cfg(not(feature = "cuda-linked"))]
fn present() -> Result<(), DeviceError> {
    // SAFETY: opening NVIDIA's libraries runs their initialisers, which expect nothing of the caller.
    let (driver, cudnn) = unsafe { (cudarc::driver::sys::is_culib_present(), cudarc::cudnn::sys::is_culib_present()) };
    match (driver, cudnn) {
        (false, _) => Err(DeviceError::Library { name: "libcuda.so.1 (NVIDIA's driver)" }),
        (_, false) => Err(DeviceError::Library { name: "libcudnn.so.9 (cuDNN)" }),
        _ => Ok(()),
    }
}

#[cfg(feature = "cuda-linked")]
#[expect(clippy::unnecessary_wraps, reason = "linked libraries are there, others may not be")]
fn present() -> Result<(), DeviceError> {
    Ok(())
}

/// Turns what the driver says into an error.
pub(super) fn failed(call: &'static str, error: DriverError) -> DeviceError {
    DeviceError::Failed { call, status: format!("{:?}", error.0) }
}

impl Gpu {
    /// Opens device `index`.
    pub(super) fn open(index: usize) -> Result<Self, DeviceError> {
        let found = devices()?;
        if index >= found {
            return Err(DeviceError::NoDevice { index, found });
        }
        let context = CudaContext::new(index).map_err(|error| failed("cuDevicePrimaryCtxRetain", error))?;
        let capability = context.compute_capability().map_err(|error| failed("cuDeviceGetAttribute", error))?;
        if capability < OLDEST {
            let name = context.name().unwrap_or_else(|_| format!("cuda:{index}"));
            return Err(DeviceError::TooOld { name, capability });
        }
        let stream = context.new_stream().map_err(|error| failed("cuStreamCreate", error))?;
        Ok(Self { context, stream })
    }

    pub(super) fn queue(&self) -> CUstream {
        self.stream.cu_stream()
    }

    /// Makes this GPU the one that the calling thread talks to.
    pub(super) fn bind(&self) -> Result<(), DeviceError> {
        self.context.bind_to_thread().map_err(|error| failed("cuCtxSetCurrent", error))
    }

    /// Returns the bytes that are free.
    pub(super) fn free_bytes(&self) -> Result<u64, DeviceError> {
        self.bind()?;
        let (free, _) = self.context.mem_get_info().map_err(|error| failed("cuMemGetInfo", error))?;
        Ok(free as u64)
    }

    /// Allocates memory, filled with zeros.
    pub(super) fn allocate(&self, bytes: usize) -> Result<Memory, DeviceError> {
        self.bind()?;
        // Nothing is asked for when there is nothing to hold, as the driver refuses that.
        // SAFETY: the memory is owned by what is returned, and zeroed before anyone can read it.
        let pointer = unsafe { result::malloc_sync(bytes.max(1)) };
        let pointer = pointer.map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
                let free = self.free_bytes().unwrap_or(0);
                DeviceError::OutOfMemory { needed: bytes as u64, free, batch: 0, fits: None }
            }
            _ => failed("cuMemAlloc", error),
        })?;
        let memory = Memory { pointer, bytes, context: self.context.clone() };
        self.clear(memory.view())?;
        Ok(memory)
    }

    /// Fills memory with zeros.
    pub(super) fn clear(&self, view: View) -> Result<(), DeviceError> {
        if view.bytes == 0 {
            return Ok(());
        }
        self.bind()?;
        // SAFETY: a view lies inside memory that its maker keeps.
        unsafe { result::memset_d8_async(view.pointer, 0, view.bytes, self.queue()) }
            .map_err(|error| failed("cuMemsetD8Async", error))
    }

    /// Copies memory of this GPU.
    pub(super) fn copy(&self, from: View, to: View) -> Result<(), DeviceError> {
        assert!(from.bytes <= to.bytes, "what is copied fits");
        self.bind()?;
        // SAFETY: both views lie inside memory that their makers keep.
        unsafe { result::memcpy_dtod_async(to.pointer, from.pointer, from.bytes, self.queue()) }
            .map_err(|error| failed("cuMemcpyDtoDAsync", error))
    }

    /// Copies from the host, and waits until it is done.
    pub(super) fn write<T: Copy>(&self, view: View, values: &[T]) -> Result<(), DeviceError> {
        assert!(size_of_val(values) <= view.bytes, "what is written fits");
        self.bind()?;
        // SAFETY: the view is large enough, and the host's memory stays until the copy is done.
        unsafe { result::memcpy_htod_async(view.pointer, values, self.queue()) }
            .map_err(|error| failed("cuMemcpyHtoDAsync", error))?;
        self.wait()
    }

    /// Copies to the host, and waits until it is done.
    pub(super) fn read<T: Copy + Default>(&self, view: View, count: usize) -> Result<Vec<T>, DeviceError> {
        assert!(count * size_of::<T>() <= view.bytes, "what is read is there");
        self.bind()?;
        let mut values = vec![T::default(); count];
        // SAFETY: the view is large enough, and the host's memory stays until the copy is done.
        unsafe { result::memcpy_dtoh_async(&mut values, view.pointer, self.queue()) }
            .map_err(|error| failed("cuMemcpyDtoHAsync", error))?;
        self.wait()?;
        Ok(values)
    }

    fn wait(&self) -> Result<(), DeviceError> {
        self.stream.synchronize().map_err(|error| failed("cuStreamSynchronize", error))
    }
}

impl Memory {
    pub(super) fn view(&self) -> View {
        View { pointer: self.pointer, bytes: self.bytes }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // The driver takes memory back at the end of the process if it does not now.
        let _ = self.context.bind_to_thread();
        // SAFETY: the memory is this value's alone, and `cuMemFree` waits for what still runs on it.
        let _ = unsafe { result::free_sync(self.pointer) };
    }
}

impl View {
    /// Returns `bytes` bytes from byte `first` on.
    pub(super) fn part(self, first: usize, bytes: usize) -> Self {
        assert!(first + bytes <= self.bytes, "a part lies inside");
        Self { pointer: self.pointer + first as u64, bytes }
    }
}
