//! Numbers as files hold them: widths, byte orders, and views into storages.

use candle_core::{DType, Device, Tensor};

/// What a storage holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

/// Which elements of a storage a tensor is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Elements before the first.
    pub(super) offset: usize,
    /// Extents.
    pub(super) shape: Vec<usize>,
    /// Elements from one index to the next.
    pub(super) stride: Vec<usize>,
}

impl Kind {
    /// Bytes of a number.
    pub(super) fn width(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    fn float(self) -> Option<DType> {
        match self {
            Self::F64 => Some(DType::F64),
            Self::F32 => Some(DType::F32),
            Self::F16 => Some(DType::F16),
            Self::Bf16 => Some(DType::BF16),
            _ => None,
        }
    }

    fn integer(self, bytes: &[u8]) -> i64 {
        match (self, bytes) {
            (Self::I64, &[a, b, c, d, e, f, g, h]) => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            (Self::I32, &[a, b, c, d]) => i64::from(i32::from_le_bytes([a, b, c, d])),
            (Self::I16, &[a, b]) => i64::from(i16::from_le_bytes([a, b])),
            (Self::I8, &[a]) => i64::from(a.cast_signed()),
            (Self::Bool, &[a]) => i64::from(a != 0),
            (_, bytes) => i64::from(bytes.first().copied().unwrap_or_default()),
        }
    }
}

impl View {
    /// All elements of a storage, the last index running fastest.
    pub(super) fn contiguous(shape: Vec<usize>) -> Result<Self, String> {
        let view = Self { offset: 0, stride: Vec::new(), shape };
        view.elements()?;
        Ok(Self { stride: view.dense(), ..view })
    }

    /// All elements of a storage, the first index running fastest.
    pub(super) fn fortran(shape: Vec<usize>) -> Result<Self, String> {
        let turned = Self::contiguous(shape.iter().rev().copied().collect())?;
        Ok(Self { offset: 0, shape, stride: turned.stride.into_iter().rev().collect() })
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> Result<usize, String> {
        let product = self.shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent));
        product.ok_or_else(|| "is too large".to_owned())
    }

    fn dense(&self) -> Vec<usize> {
        let mut stride = vec![1usize; self.shape.len()];
        for at in (1..stride.len()).rev() {
            stride[at - 1] = stride[at].saturating_mul(self.shape[at]);
        }
        stride
    }

    /// One past the last element, or `None` if it cannot be counted. The view is not empty.
    fn end(&self) -> Option<usize> {
        let reach = self.shape.iter().zip(&self.stride).try_fold(0usize, |reach, (extent, stride)| {
            extent.checked_sub(1)?.checked_mul(*stride)?.checked_add(reach)
        });
        self.offset.checked_add(reach?)?.checked_add(1)
    }

    /// Takes the bytes of its elements out of a storage that is long enough.
    fn gather(&self, storage: &[u8], width: usize, elements: usize) -> Vec<u8> {
        if self.stride == self.dense() {
            return storage[self.offset * width..][..elements * width].to_vec();
        }
        let mut gathered = Vec::with_capacity(elements * width);
        let mut index = vec![0; self.shape.len()];
        let mut at = self.offset;
        for _ in 0..elements {
            gathered.extend_from_slice(&storage[at * width..][..width]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at += self.stride[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                at -= self.stride[axis] * index[axis];
                index[axis] = 0;
            }
        }
        gathered
    }
}

/// Makes a tensor of a view of a storage: float32 of floats, 64-bit integers of everything else.
///
/// # Errors
/// Says, as the rest of a sentence about the tensor, what does not fit.
pub(super) fn tensor(kind: Kind, storage: &[u8], view: &View, big_endian: bool) -> Result<Tensor, String> {
    let (width, elements) = (kind.width(), view.elements()?);
    if elements == 0 {
        let dtype = if kind.float().is_some() { DType::F32 } else { DType::I64 };
        return Tensor::zeros(view.shape.as_slice(), dtype, &Device::Cpu).map_err(|error| error.to_string());
    }
    if view.end().is_none_or(|end| end > storage.len() / width) {
        return Err("reaches past the end of its numbers".to_owned());
    }
    let mut bytes = view.gather(storage, width, elements);
    if big_endian {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    let made = if let Some(dtype) = kind.float() {
        Tensor::from_raw_buffer(&bytes, dtype, &view.shape, &Device::Cpu).and_then(|tensor| tensor.to_dtype(DType::F32))
    } else {
        let values: Vec<i64> = bytes.chunks_exact(width).map(|bytes| kind.integer(bytes)).collect();
        Tensor::from_vec(values, view.shape.as_slice(), &Device::Cpu)
    };
    made.map_err(|error| format!("cannot be made: {error}"))
}
