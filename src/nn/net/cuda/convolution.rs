//! Convolutions by cuDNN: forward, backward-data, backward-filter.
//!
//! Algorithms are picked by cuDNN's heuristics. Unless results may vary from run to run, only those are taken that cuDNN
//! itself calls deterministic.

use cudarc::cudnn::sys;

use crate::domain::device::{Policy, Precision};
use crate::nn::device::DeviceError;
use crate::nn::kernels::conv::Geometry;

use super::device::View;
use super::dnn::{Dnn, Filter, Tensor, Window, answers, check, kept, one};
use super::launch::Format;

/// Bytes that an algorithm may use beside its operands.
pub(super) const MOST_WORKSPACE: usize = 256 << 20;
/// Answers that are asked for: there are no more algorithms.
const ALGORITHMS: usize = 8;

/// How one pass is done.
struct Pass<A> {
    window: Window,
    algorithm: A,
    workspace: usize,
}

/// A convolution of some number of images.
pub(super) struct Convolution {
    x: Tensor,
    y: Tensor,
    filter: Filter,
    forward: Pass<sys::cudnnConvolutionFwdAlgo_t>,
    data: Option<Pass<sys::cudnnConvolutionBwdDataAlgo_t>>,
    weights: Option<Pass<sys::cudnnConvolutionBwdFilterAlgo_t>>,
}

/// Which gradients are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub data: bool,
    pub weights: bool,
}

/// Picks, of the algorithms cuDNN proposes, the first that the policy allows.
macro_rules! pick {
    ($query:ident, $dnn:expr, $first:expr, $second:expr, $third:expr, $geometry:expr, $policy:expr, $pass:literal) => {{
        let (geometry, policy): (&Geometry, Policy) = ($geometry, $policy);
        let window = Window::new(geometry.pad, geometry.stride, geometry.dilation, geometry.groups)?;
        window.set_arithmetic(arithmetic(policy.precision))?;
        let found = answers::<_, ALGORITHMS>(stringify!($query), |most, count, answers| {
            // SAFETY: the handle and the descriptors live, and there is room for as many answers as are asked for.
            unsafe { sys::$query($dnn.handle, $first, $second, window.0, $third, most, count, answers) }
        })?;
        let allowed = found.into_iter().find(|answer| {
            answer.status == sys::cudnnStatus_t::CUDNN_STATUS_SUCCESS
                && answer.memory <= MOST_WORKSPACE
                && (policy.fast || answer.determinism == sys::cudnnDeterminism_t::CUDNN_DETERMINISTIC)
        });
        let answer = allowed.ok_or_else(|| refused($pass, geometry, policy))?;
        if policy.precision != Precision::Float32 {
            window.set_arithmetic(answer.mathType)?;
        }
        Pass { window, algorithm: answer.algo, workspace: answer.memory }
    }};
}

impl Convolution {
    /// Plans a convolution of `n` images.
    pub(super) fn new(
        dnn: &Dnn,
        geometry: &Geometry,
        n: usize,
        format: Format,
        policy: Policy,
        wanted: Wanted,
    ) -> Result<Self, DeviceError> {
        let [height, width] = geometry.size;
        let [rows, columns] = geometry.output();
        let [down, right] = geometry.kernel;
        let x = Tensor::new(format, [n, geometry.inputs, height, width])?;
        let y = Tensor::new(format, [n, geometry.outputs, rows, columns])?;
        let filter = Filter::new(format, [geometry.outputs, geometry.inputs / geometry.groups, down, right])?;
        let forward =
            pick!(cudnnGetConvolutionForwardAlgorithm_v7, dnn, x.0, filter.0, y.0, geometry, policy, "forward pass");
        let data = if wanted.data {
            Some(pick!(
                cudnnGetConvolutionBackwardDataAlgorithm_v7,
                dnn,
                filter.0,
                y.0,
                x.0,
                geometry,
                policy,
                "data gradient"
            ))
        } else {
            None
        };
        let weights = if wanted.weights {
            Some(pick!(
                cudnnGetConvolutionBackwardFilterAlgorithm_v7,
                dnn,
                x.0,
                y.0,
                filter.0,
                geometry,
                policy,
                "weight gradient"
            ))
        } else {
            None
        };
        Ok(Self { x, y, filter, forward, data, weights })
    }

    /// Returns the bytes that the passes use beside their operands.
    pub(super) fn workspace(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |pass| pass.workspace);
        let weights = self.weights.as_ref().map_or(0, |pass| pass.workspace);
        self.forward.workspace.max(data).max(weights)
    }

    /// y = x ∗ w
    pub(super) fn forward(&self, dnn: &Dnn, [x, w, y]: [View; 3], workspace: View) -> Result<(), DeviceError> {
        let pass = &self.forward;
        // SAFETY: descriptors and operands belong together, as the step that calls has them from the same geometry, and
        // the workspace is as large as cuDNN asked for.
        let status = unsafe {
            sys::cudnnConvolutionForward(
                dnn.handle,
                one(),
                self.x.0,
                x.pointer as *const _,
                self.filter.0,
                w.pointer as *const _,
                pass.window.0,
                pass.algorithm,
                workspace.pointer as *mut _,
                pass.workspace,
                kept(false),
                self.y.0,
                y.pointer as *mut _,
            )
        };
        check("cudnnConvolutionForward", status)
    }

    /// dx (+)= the gradient of the input.
    pub(super) fn data_gradient(
        &self,
        dnn: &Dnn,
        [w, dy, dx]: [View; 3],
        add: bool,
        workspace: View,
    ) -> Result<(), DeviceError> {
        let Some(pass) = &self.data else { return Err(unplanned()) };
        // SAFETY: as in `forward`.
        let status = unsafe {
            sys::cudnnConvolutionBackwardData(
                dnn.handle,
                one(),
                self.filter.0,
                w.pointer as *const _,
                self.y.0,
                dy.pointer as *const _,
                pass.window.0,
                pass.algorithm,
                workspace.pointer as *mut _,
                pass.workspace,
                kept(add),
                self.x.0,
                dx.pointer as *mut _,
            )
        };
        check("cudnnConvolutionBackwardData", status)
    }

    /// dw = the gradient of the weights.
    pub(super) fn weight_gradient(
        &self,
        dnn: &Dnn,
        [x, dy, dw]: [View; 3],
        workspace: View,
    ) -> Result<(), DeviceError> {
        let Some(pass) = &self.weights else { return Err(unplanned()) };
        // SAFETY: as in `forward`.
        let status = unsafe {
            sys::cudnnConvolutionBackwardFilter(
                dnn.handle,
                one(),
                self.x.0,
                x.pointer as *const _,
                self.y.0,
                dy.pointer as *const _,
                pass.window.0,
                pass.algorithm,
                workspace.pointer as *mut _,
                pass.workspace,
                kept(false),
                self.filter.0,
                dw.pointer as *mut _,
            )
        };
        check("cudnnConvolutionBackwardFilter", status)
    }
}

/// Plain multiply-adds for strict single precision; tensor cores with operands rounded to TF32, or on bf16, otherwise.
fn arithmetic(precision: Precision) -> sys::cudnnMathType_t {
    match precision {
        Precision::Float32 => sys::cudnnMathType_t::CUDNN_FMA_MATH,
        Precision::Tf32 => sys::cudnnMathType_t::CUDNN_DEFAULT_MATH,
        Precision::Bf16 => sys::cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
    }
}

fn unplanned() -> DeviceError {
    DeviceError::Failed { call: "cuDNN", status: "a gradient was asked for that was not planned".to_owned() }
}

fn refused(pass: &'static str, geometry: &Geometry, policy: Policy) -> DeviceError {
    let Geometry { inputs, size: [height, width], outputs, kernel: [down, right], stride, pad, dilation, groups } =
        *geometry;
    DeviceError::Refused {
        pass,
        layer: format!(
            "a convolution of {inputs}×{height}×{width} to {outputs} channels by {down}×{right} filters (stride \
             {stride}, padding {pad}, dilation {dilation}, {groups} groups)"
        ),
        policy: policy.to_string(),
    }
}
