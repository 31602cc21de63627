//! Batch normalisation by cuDNN.

use std::ffi::c_void;
use std::ptr;

use cudarc::cudnn::sys;

use crate::domain::device::Policy;
use crate::nn::device::DeviceError;
use crate::nn::kernels::norm::{EPSILON, MOMENTUM};

use super::device::{Gpu, Memory, View};
use super::dnn::{Dnn, Tensor, check, kept, one};
use super::kernels::Normal;
use super::launch::Format;

const PLAIN: sys::cudnnBatchNormOps_t = sys::cudnnBatchNormOps_t::CUDNN_BATCHNORM_OPS_BN;

/// A normalisation of some number of images.
pub(super) struct Normalisation {
    mode: sys::cudnnBatchNormMode_t,
    x: Tensor,
    channels: Tensor,
    forward_workspace: usize,
    backward_workspace: usize,
    /// What the forward pass hands on to the backward pass.
    reserve: Memory,
}

impl Normalisation {
    /// Plans a normalisation of `n` images of `[channels, height, width]`.
    pub(super) fn new(
        gpu: &Gpu,
        dnn: &Dnn,
        shape: [usize; 4],
        format: Format,
        policy: Policy,
    ) -> Result<Self, DeviceError> {
        // The persistent kernels are faster, but may answer differently from run to run.
        let mode = if policy.fast {
            sys::cudnnBatchNormMode_t::CUDNN_BATCHNORM_SPATIAL_PERSISTENT
        } else {
            sys::cudnnBatchNormMode_t::CUDNN_BATCHNORM_SPATIAL
        };
        let x = Tensor::new(format, shape)?;
        let channels = Tensor::new(Format::Float32, [1, shape[1], 1, 1])?;
        let none: *mut c_void = ptr::null_mut();
        let (mut forward, mut backward, mut reserve) = (0, 0, 0);
        // SAFETY: handle and descriptors live; there is neither a summand nor an activation.
        unsafe {
            check(
                "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize",
                sys::cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
                    dnn.handle,
                    mode,
                    PLAIN,
                    x.0,
                    none.cast(),
                    x.0,
                    channels.0,
                    none.cast(),
                    &raw mut forward,
                ),
            )?;
            check(
                "cudnnGetBatchNormalizationBackwardExWorkspaceSize",
                sys::cudnnGetBatchNormalizationBackwardExWorkspaceSize(
                    dnn.handle,
                    mode,
                    PLAIN,
                    x.0,
                    none.cast(),
                    x.0,
                    none.cast(),
                    x.0,
                    channels.0,
                    none.cast(),
                    &raw mut backward,
                ),
            )?;
            check(
                "cudnnGetBatchNormalizationTrainingExReserveSpaceSize",
                sys::cudnnGetBatchNormalizationTrainingExReserveSpaceSize(
                    dnn.handle,
                    mode,
                    PLAIN,
                    none.cast(),
                    x.0,
                    &raw mut reserve,
                ),
            )?;
        }
        let reserve = gpu.allocate(reserve)?;
        Ok(Self { mode, x, channels, forward_workspace: forward, backward_workspace: backward, reserve })
    }

    /// Returns the bytes that the passes use beside their operands.
    pub(super) fn workspace(&self) -> usize {
        self.forward_workspace.max(self.backward_workspace)
    }

    /// y = x normalised by the batch. Writes the mean and the inverse deviation of `normal`, and moves the running
    /// mean and (unbiased) variance, if they are given.
    pub(super) fn forward(
        &self,
        dnn: &Dnn,
        [x, y]: [View; 2],
        normal: Normal,
        running: Option<[View; 2]>,
        workspace: View,
    ) -> Result<(), DeviceError> {
        let none: *mut c_void = ptr::null_mut();
        let [mean, variance] = running.map_or([none; 2], |running| running.map(|view| view.pointer as *mut _));
        // SAFETY: descriptors and operands belong together, as the step that calls has them from the same shape; the
        // workspace is as large as cuDNN asked for.
        let status = unsafe {
            sys::cudnnBatchNormalizationForwardTrainingEx(
                dnn.handle,
                self.mode,
                PLAIN,
                one(),
                kept(false),
                self.x.0,
                x.pointer as *const _,
                none.cast(),
                none.cast(),
                self.x.0,
                y.pointer as *mut _,
                self.channels.0,
                normal.scale.pointer as *const _,
                normal.shift.pointer as *const _,
                f64::from(MOMENTUM),
                mean,
                variance,
                EPSILON,
                normal.mean.pointer as *mut _,
                normal.inverse.pointer as *mut _,
                none.cast(),
                workspace.pointer as *mut _,
                self.forward_workspace,
                self.reserve.view().pointer as *mut _,
                self.reserve.view().bytes,
            )
        };
        check("cudnnBatchNormalizationForwardTrainingEx", status)
    }

    /// Gradients of scale and shift, and dx (+)= that of x.
    pub(super) fn backward(
        &self,
        dnn: &Dnn,
        [x, dy, dx]: [View; 3],
        normal: Normal,
        [of_scale, of_shift]: [View; 2],
        add: bool,
        workspace: View,
    ) -> Result<(), DeviceError> {
        let none: *mut c_void = ptr::null_mut();
        // SAFETY: as in `forward`.
        let status = unsafe {
            sys::cudnnBatchNormalizationBackwardEx(
                dnn.handle,
                self.mode,
                PLAIN,
                one(),
                kept(add),
                one(),
                kept(false),
                self.x.0,
                x.pointer as *const _,
                none.cast(),
                none,
                self.x.0,
                dy.pointer as *const _,
                none.cast(),
                none,
                self.x.0,
                dx.pointer as *mut _,
                self.channels.0,
                normal.scale.pointer as *const _,
                normal.shift.pointer as *const _,
                of_scale.pointer as *mut _,
                of_shift.pointer as *mut _,
                EPSILON,
                normal.mean.pointer as *const _,
                normal.inverse.pointer as *const _,
                none.cast(),
                workspace.pointer as *mut _,
                self.backward_workspace,
                self.reserve.view().pointer as *mut _,
                self.reserve.view().bytes,
            )
        };
        check("cudnnBatchNormalizationBackwardEx", status)
    }
}
