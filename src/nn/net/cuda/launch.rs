//! Loading the kernels of `kernels.cu` and launching one of them.

use std::collections::BTreeMap;
use std::ffi::{CString, c_void};

use cudarc::driver::result;
use cudarc::driver::sys::{CUfunction, CUmodule, CUstream};

use crate::nn::device::DeviceError;
use crate::nn::kernels::pool::Pool;

use super::device::{Gpu, View, failed};

const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// Kernels that exist for both formats of activations.
const OF_FORMAT: [&str; 18] = [
    "turn",
    "images",
    "finish",
    "sum",
    "pass",
    "maximum",
    "maximum_gradient",
    "mean",
    "mean_gradient",
    "global_mean",
    "global_mean_gradient",
    "column_partials",
    "moments",
    "normalise",
    "normalise_partials",
    "normalise_gradient",
    "fold",
    "cross_entropy",
];
const OTHERS: [&str; 7] = ["narrow", "widen", "column_totals", "join_moments", "inverse_roots", "descend", "adapt"];
/// Threads per block where every thread has its own elements.
const BLOCK: u32 = 256;
/// Threads per block where a block works together; `LANES` in `kernels.cu`.
const LANES: u32 = 128;
/// Blocks beyond which threads take several elements.
const MOST_BLOCKS: usize = 1 << 16;

/// How activations are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Float32,
    Bfloat16,
}

impl Format {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Bfloat16 => 2,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Float32 => "f32",
            Self::Bfloat16 => "bf16",
        }
    }
}

/// The loaded kernels of one GPU, for one format.
pub(super) struct Kernels {
    module: CUmodule,
    functions: BTreeMap<String, CUfunction>,
    queue: CUstream,
    format: Format,
}

/// The arguments of one launch, in order.
pub(super) struct Call<'a> {
    kernels: &'a Kernels,
    name: String,
    slots: Vec<[u64; 5]>,
}

/// Whether a launch was accepted.
pub(super) type Done = Result<(), DeviceError>;

impl Kernels {
    /// Hands the kernels to the driver.
    pub(super) fn load(gpu: &Gpu, format: Format) -> Result<Self, DeviceError> {
        gpu.bind()?;
        let text = CString::new(PTX).map_err(|_| unloaded("the PTX holds a zero"))?;
        // SAFETY: the image is PTX that ends in a zero.
        let module = unsafe { result::module::load_data(text.as_ptr().cast()) }
            .map_err(|error| failed("cuModuleLoadData", error))?;
        let mut kernels = Self { module, functions: BTreeMap::new(), queue: gpu.queue(), format };
        let of_format = OF_FORMAT.iter().map(|name| format!("{name}_{}", format.suffix()));
        for name in of_format.chain(OTHERS.map(str::to_owned)) {
            let symbol = CString::new(name.as_str()).map_err(|_| unloaded("a name holds a zero"))?;
            // SAFETY: the module was loaded above and lives as long as the functions.
            let function = unsafe { result::module::get_function(module, symbol) };
            kernels.functions.insert(name, function.map_err(|error| failed("cuModuleGetFunction", error))?);
        }
        Ok(kernels)
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn call(&self, name: &str) -> Call<'_> {
        Call { kernels: self, name: name.to_owned(), slots: Vec::new() }
    }

    pub(super) fn typed(&self, name: &str) -> Call<'_> {
        self.call(&format!("{name}_{}", self.format.suffix()))
    }

    pub(super) fn fits(&self, view: View, values: usize) -> View {
        assert!(view.bytes >= values * self.format.bytes(), "an operand is as large as the kernel takes it to be");
        view
    }
}

fn unloaded(status: &str) -> DeviceError {
    DeviceError::Failed { call: "cuModuleLoadData", status: status.to_owned() }
}

impl Call<'_> {
    fn slot(mut self, slot: [u64; 5]) -> Self {
        self.slots.push(slot);
        self
    }

    pub(super) fn view(self, view: View) -> Self {
        self.slot([view.pointer, 0, 0, 0, 0])
    }

    pub(super) fn floats(self, view: View, count: usize) -> Self {
        assert!(view.bytes >= 4 * count, "an operand is as large as the kernel takes it to be");
        self.view(view)
    }

    pub(super) fn maybe(self, view: Option<View>, bytes: usize) -> Self {
        assert!(view.is_none_or(|view| view.bytes >= bytes), "an operand is as large as the kernel takes it to be");
        self.slot([view.map_or(0, |view| view.pointer), 0, 0, 0, 0])
    }

    pub(super) fn number(self, number: usize) -> Self {
        self.slot([number as u64, 0, 0, 0, 0])
    }

    pub(super) fn numbers<const N: usize>(self, numbers: [usize; N]) -> Self {
        numbers.into_iter().fold(self, Self::number)
    }

    pub(super) fn flag(self, flag: bool) -> Self {
        self.slot([u64::from(flag), 0, 0, 0, 0])
    }

    pub(super) fn float(self, value: f32) -> Self {
        self.slot([u64::from(value.to_bits()), 0, 0, 0, 0])
    }

    pub(super) fn double(self, value: f64) -> Self {
        self.slot([value.to_bits(), 0, 0, 0, 0])
    }

    /// `struct Pool` of `kernels.cu`: nine 32-bit numbers.
    pub(super) fn pool(self, pool: &Pool) -> Self {
        let [rows, columns] = pool.output();
        let [height, width] = pool.size;
        let fields = [pool.channels, height, width, pool.kernel, pool.stride, pool.pad, rows, columns, 0, 0];
        let word = |at: usize| fields[2 * at] as u64 | (fields[2 * at + 1] as u64) << 32;
        self.slot(std::array::from_fn(word))
    }

    /// Launches a thread per element; `total` is the last argument.
    pub(super) fn each(self, total: usize) -> Done {
        let blocks = total.div_ceil(BLOCK as usize).min(MOST_BLOCKS) as u32;
        if blocks == 0 { Ok(()) } else { self.number(total).launch(blocks, BLOCK) }
    }

    /// Launches `blocks` blocks that work together.
    pub(super) fn blocks(self, blocks: usize) -> Done {
        if blocks == 0 { Ok(()) } else { self.launch(blocks as u32, LANES) }
    }

    fn launch(mut self, blocks: u32, threads: u32) -> Done {
        let Some(function) = self.kernels.functions.get(&self.name) else {
            return Err(DeviceError::Failed { call: "cuLaunchKernel", status: format!("no kernel `{}`", self.name) });
        };
        let mut arguments: Vec<*mut c_void> =
            self.slots.iter_mut().map(|slot| std::ptr::from_mut(slot).cast()).collect();
        // SAFETY: the methods above give the arguments of `kernels.cu` in order, from slots at least as wide, and have
        // checked that every operand is as large as the kernel takes it to be.
        unsafe {
            result::launch_kernel(*function, (blocks, 1, 1), (threads, 1, 1), 0, self.kernels.queue, &mut arguments)
        }
        .map_err(|error| failed("cuLaunchKernel", error))
    }
}

impl Drop for Kernels {
    fn drop(&mut self) {
        // SAFETY: the module is this value's alone.
        let _ = unsafe { result::module::unload(self.module) };
    }
}
