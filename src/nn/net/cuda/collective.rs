//! Sums over several GPUs by NCCL.

use cudarc::nccl::result::NcclError;
use cudarc::nccl::{result, sys};

use crate::nn::device::DeviceError;

use super::device::View;
use super::replica::Replica;

/// The GPUs of an engine, as NCCL knows them.
pub(super) struct Collective {
    members: Vec<sys::ncclComm_t>,
}

impl Collective {
    /// Introduces GPUs to each other.
    pub(super) fn new(indices: &[usize]) -> Result<Self, DeviceError> {
        present()?;
        let devices: Vec<i32> = indices.iter().map(|index| *index as i32).collect();
        let mut members = vec![std::ptr::null_mut(); devices.len()];
        // SAFETY: both lists have one entry per GPU.
        unsafe { result::comm_init_all(members.as_mut_ptr(), devices.len() as i32, devices.as_ptr()) }
            .map_err(|error| failed("ncclCommInitAll", error))?;
        Ok(Self { members })
    }

    /// Replaces the gradients of all GPUs by their sum, the same bits on each.
    pub(super) fn sum(&self, replicas: &[Replica]) -> Result<(), DeviceError> {
        result::group_start().map_err(|error| failed("ncclGroupStart", error))?;
        for (member, replica) in self.members.iter().zip(replicas) {
            let View { pointer, bytes } = replica.gradients()?;
            let (count, float) = (bytes / 4, sys::ncclDataType_t::ncclFloat);
            let queue = replica.gpu.queue().cast();
            // SAFETY: the gradients are as long on every GPU, as all have the same plan.
            unsafe {
                result::all_reduce(
                    pointer as *const _,
                    pointer as *mut _,
                    count,
                    float,
                    sys::ncclRedOp_t::ncclSum,
                    *member,
                    queue,
                )
            }
            .map_err(|error| failed("ncclAllReduce", error))?;
        }
        result::group_end().map_err(|error| failed("ncclGroupEnd", error))?;
        Ok(())
    }
}

impl Drop for Collective {
    fn drop(&mut self) {
        for member in &self.members {
            // SAFETY: the members are this value's alone.
            let _ = unsafe { result::comm_destroy(*member) };
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with `map_err`")]
fn failed(call: &'static str, error: NcclError) -> DeviceError {
    DeviceError::Failed { call, status: format!("{:?}", error.0) }
}

#[cfg(not(feature = "cuda-linked"))]
fn present() -> Result<(), DeviceError> {
    // SAFETY: opening the library runs its initialisers, which expect nothing of the caller.
    if unsafe { sys::is_culib_present() } { Ok(()) } else { Err(DeviceError::Library { name: "libnccl.so.2 (NCCL)" }) }
}

#[cfg(feature = "cuda-linked")]
#[expect(clippy::unnecessary_wraps, reason = "a linked library is there, others may not be")]
fn present() -> Result<(), DeviceError> {
    Ok(())
}
