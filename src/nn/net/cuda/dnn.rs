//! cuDNN: its handle and descriptors, given back when dropped.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use cudarc::cudnn::result::CudnnError;
use cudarc::cudnn::{result, sys};

use crate::nn::device::DeviceError;

use super::device::Gpu;
use super::launch::Format;

/// cuDNN at work on the queue of one GPU. The handle stays with its thread, as cuDNN asks for.
pub(super) struct Dnn {
    pub handle: sys::cudnnHandle_t,
}

/// The shape and format of activations, channels-last; or of numbers per channel.
pub(super) struct Tensor(pub sys::cudnnTensorDescriptor_t);

/// The shape and format of filters, `[output][row][column][input]`.
pub(super) struct Filter(pub sys::cudnnFilterDescriptor_t);

/// Border, stride, dilation, groups and arithmetic of a convolution.
pub(super) struct Window(pub sys::cudnnConvolutionDescriptor_t);

/// Scale factors are floats for the formats that are used here.
pub(super) const ONE: f32 = 1.0;
pub(super) const ZERO: f32 = 0.0;

/// Points to the factor of what was there before.
pub(super) fn kept(add: bool) -> *const c_void {
    ptr::from_ref(if add { &ONE } else { &ZERO }).cast()
}

/// Points to 1.
pub(super) fn one() -> *const c_void {
    ptr::from_ref(&ONE).cast()
}

/// Turns what cuDNN says into a result.
pub(super) fn check(call: &'static str, status: sys::cudnnStatus_t) -> Result<(), DeviceError> {
    status.result().map_err(|error| failed(call, error))
}

/// Turns what cuDNN says into an error.
pub(super) fn failed(call: &'static str, error: CudnnError) -> DeviceError {
    DeviceError::Failed { call, status: format!("{:?}", error.0) }
}

/// Converts sizes to what cuDNN takes.
pub(super) fn sizes<const N: usize>(sizes: [usize; N]) -> Result<[c_int; N], DeviceError> {
    let too_large = |_| DeviceError::Failed { call: "cuDNN", status: "a size exceeds 2³¹".to_owned() };
    let mut found = [0; N];
    for (found, size) in found.iter_mut().zip(sizes) {
        *found = c_int::try_from(size).map_err(too_large)?;
    }
    Ok(found)
}

impl Format {
    pub(super) fn cudnn(self) -> sys::cudnnDataType_t {
        match self {
            Self::Float32 => sys::cudnnDataType_t::CUDNN_DATA_FLOAT,
            Self::Bfloat16 => sys::cudnnDataType_t::CUDNN_DATA_BFLOAT16,
        }
    }
}

impl Dnn {
    pub(super) fn open(gpu: &Gpu) -> Result<Self, DeviceError> {
        gpu.bind()?;
        let handle = result::create_handle().map_err(|error| failed("cudnnCreate", error))?;
        let dnn = Self { handle };
        // SAFETY: the handle and the queue were made above and live as long as the GPU is open.
        unsafe { result::set_stream(dnn.handle, gpu.queue().cast()) }
            .map_err(|error| failed("cudnnSetStream", error))?;
        Ok(dnn)
    }
}

impl Drop for Dnn {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's alone.
        let _ = unsafe { result::destroy_handle(self.handle) };
    }
}

impl Tensor {
    /// Describes activations of `[n, channels, height, width]`, channels-last.
    pub(super) fn new(format: Format, shape: [usize; 4]) -> Result<Self, DeviceError> {
        let descriptor = result::create_tensor_descriptor();
        let tensor = Self(descriptor.map_err(|error| failed("cudnnCreateTensorDescriptor", error))?);
        let layout = sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        // SAFETY: the descriptor was just made.
        unsafe { result::set_tensor4d_descriptor(tensor.0, layout, format.cudnn(), sizes(shape)?) }
            .map_err(|error| failed("cudnnSetTensor4dDescriptor", error))?;
        Ok(tensor)
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's alone.
        let _ = unsafe { result::destroy_tensor_descriptor(self.0) };
    }
}

impl Filter {
    /// Describes filters of `[outputs, inputs of a group, height, width]`.
    pub(super) fn new(format: Format, shape: [usize; 4]) -> Result<Self, DeviceError> {
        let descriptor = result::create_filter_descriptor();
        let filter = Self(descriptor.map_err(|error| failed("cudnnCreateFilterDescriptor", error))?);
        let layout = sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC;
        // SAFETY: the descriptor was just made.
        unsafe { result::set_filter4d_descriptor(filter.0, format.cudnn(), layout, sizes(shape)?) }
            .map_err(|error| failed("cudnnSetFilter4dDescriptor", error))?;
        Ok(filter)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's alone.
        let _ = unsafe { result::destroy_filter_descriptor(self.0) };
    }
}

impl Window {
    /// Describes how filters slide; the arithmetic is that of floats.
    pub(super) fn new(pad: usize, stride: usize, dilation: usize, groups: usize) -> Result<Self, DeviceError> {
        let descriptor = result::create_convolution_descriptor();
        let window = Self(descriptor.map_err(|error| failed("cudnnCreateConvolutionDescriptor", error))?);
        let [pad, stride, dilation, groups] = sizes([pad, stride, dilation, groups])?;
        let mode = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
        let float = sys::cudnnDataType_t::CUDNN_DATA_FLOAT;
        // SAFETY: the descriptor was just made.
        unsafe {
            result::set_convolution2d_descriptor(window.0, pad, pad, stride, stride, dilation, dilation, mode, float)
                .map_err(|error| failed("cudnnSetConvolution2dDescriptor", error))?;
            result::set_convolution_group_count(window.0, groups)
                .map_err(|error| failed("cudnnSetConvolutionGroupCount", error))?;
        }
        Ok(window)
    }

    /// Says which arithmetic units may be used.
    pub(super) fn set_arithmetic(&self, arithmetic: sys::cudnnMathType_t) -> Result<(), DeviceError> {
        // SAFETY: the descriptor lives.
        unsafe { result::set_convolution_math_type(self.0, arithmetic) }
            .map_err(|error| failed("cudnnSetConvolutionMathType", error))
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this value's alone.
        let _ = unsafe { result::destroy_convolution_descriptor(self.0) };
    }
}

/// Lets cuDNN fill a list of `N` answers, and returns those it gave.
pub(super) fn answers<T: Copy, const N: usize>(
    call: &'static str,
    ask: impl FnOnce(c_int, *mut c_int, *mut T) -> sys::cudnnStatus_t,
) -> Result<Vec<T>, DeviceError> {
    let mut answers = [const { MaybeUninit::<T>::uninit() }; N];
    let mut count = 0;
    check(call, ask(N as c_int, &raw mut count, answers.as_mut_ptr().cast()))?;
    let given = usize::try_from(count).unwrap_or(0).min(N);
    // SAFETY: cuDNN has written as many answers as it says.
    Ok(answers[..given].iter().map(|answer| unsafe { answer.assume_init() }).collect())
}
