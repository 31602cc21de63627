//! Masks: which weights are left. One bit per element of every prunable parameter.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::domain::arch::{Parameter, Survey};
use crate::domain::seed::Seed;

use super::rng::Stream;
use super::{Error, Weights};

/// Which elements of each prunable parameter are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    shape: Vec<usize>,
    kept: Arc<[bool]>,
}

/// Why a mask cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The architecture has a prunable parameter that the mask does not name.
    #[error("the mask has no entry for `{0}`")]
    Missing(String),
    /// The mask names something that is no prunable parameter.
    #[error("the mask has an entry `{0}`, which is no prunable parameter")]
    Surplus(String),
    /// An entry has another shape than its parameter.
    #[error("the mask of `{name}` has shape {found:?}, the parameter {expected:?}")]
    Shape {
        /// The parameter.
        name: String,
        /// Its shape.
        expected: Vec<usize>,
        /// The mask's.
        found: Vec<usize>,
    },
    /// An entry holds something else than 0 and 1.
    #[error("the mask of `{0}` holds values other than 0 and 1")]
    NotBinary(String),
    /// An entry has no name.
    #[error("the mask has an entry without a name")]
    Unnamed,
    /// The bytes are no mask.
    #[error("the file is not a mask: {0}")]
    Unreadable(&'static str),
}

impl Mask {
    /// Keeps every prunable weight.
    pub fn ones(survey: &Survey) -> Self {
        let entry = |shape: &Vec<usize>, count| Entry { shape: shape.clone(), kept: vec![true; count].into() };
        Self {
            entries: survey
                .prunable()
                .map(|parameter| (parameter.name.clone(), entry(&parameter.shape, parameter.elements())))
                .collect(),
        }
    }

    /// Reads a mask from tensors of zeros and ones, as open_lth stores it.
    ///
    /// # Errors
    /// If a name is empty or a value is neither 0 nor 1.
    #[expect(clippy::float_cmp, reason = "0 and 1 are exact")]
    pub fn from_tensors(tensors: &Weights) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        for (name, tensor) in tensors {
            if name.is_empty() {
                return Err(MaskError::Unnamed.into());
            }
            let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
            if values.iter().any(|value| *value != 0.0 && *value != 1.0) {
                return Err(MaskError::NotBinary(name.clone()).into());
            }
            let kept = values.into_iter().map(|value| value == 1.0).collect();
            entries.insert(name.clone(), Entry { shape: tensor.dims().to_vec(), kept });
        }
        Ok(Self { entries })
    }

    /// Returns the mask as tensors of zeros and ones.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn to_tensors(&self) -> Result<Weights, Error> {
        let tensor = |entry: &Entry| {
            let values: Vec<f32> = entry.kept.iter().map(|kept| f32::from(u8::from(*kept))).collect();
            Tensor::from_vec(values, entry.shape.clone(), &Device::Cpu)
        };
        self.entries.iter().map(|(name, entry)| Ok((name.clone(), tensor(entry)?))).collect()
    }

    /// Checks that the mask belongs to an architecture.
    ///
    /// # Errors
    /// Names the first parameter that is missing, surplus or of another shape.
    pub fn check(&self, survey: &Survey) -> Result<(), MaskError> {
        for parameter in survey.prunable() {
            let Some(entry) = self.entries.get(&parameter.name) else {
                return Err(MaskError::Missing(parameter.name.clone()));
            };
            if entry.shape != parameter.shape {
                let (expected, found) = (parameter.shape.clone(), entry.shape.clone());
                return Err(MaskError::Shape { name: parameter.name.clone(), expected, found });
            }
        }
        let prunable = |name: &str| survey.parameter(name).is_some_and(Parameter::prunable);
        match self.entries.keys().find(|name| !prunable(name)) {
            Some(name) => Err(MaskError::Surplus(name.clone())),
            None => Ok(()),
        }
    }

    /// Returns which elements of a parameter are kept.
    pub fn bits(&self, name: &str) -> Option<&[bool]> {
        self.entries.get(name).map(|entry| &*entry.kept)
    }

    /// Returns which elements of a parameter are kept, to change them.
    pub fn bits_mut(&mut self, name: &str) -> Option<&mut [bool]> {
        self.entries.get_mut(name).map(|entry| Arc::make_mut(&mut entry.kept))
    }

    /// Returns which elements of a parameter are kept, to be shared.
    pub(super) fn shared(&self, name: &str) -> Option<Arc<[bool]>> {
        self.entries.get(name).map(|entry| entry.kept.clone())
    }

    /// Lists `(name, kept, total)` of every prunable parameter, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.entries.iter().map(|(name, entry)| {
            let kept = entry.kept.iter().filter(|kept| **kept).count();
            (name.as_str(), kept as u64, entry.kept.len() as u64)
        })
    }

    /// Counts the weights that are left.
    pub fn kept(&self) -> u64 {
        self.counts().map(|(_, kept, _)| kept).sum()
    }

    /// Counts the prunable weights.
    pub fn total(&self) -> u64 {
        self.entries.values().map(|entry| entry.kept.len() as u64).sum()
    }

    /// Returns the mask with the elements of every parameter in random order.
    #[must_use]
    pub fn shuffled(&self, seed: &Seed) -> Self {
        let mut shuffled = self.clone();
        for (name, entry) in &mut shuffled.entries {
            let mut numbers = Stream::new(seed, &format!("mask/{name}")).at(0, 0);
            numbers.shuffle(Arc::make_mut(&mut entry.kept));
        }
        shuffled
    }

    /// Sets pruned weights to 0.
    ///
    /// # Errors
    /// If a masked parameter is missing or has another number of elements.
    pub fn apply(&self, weights: &Weights) -> Result<Weights, Error> {
        let mut masked = weights.clone();
        for (name, entry) in &self.entries {
            let tensor = weights.get(name).ok_or_else(|| MaskError::Surplus(name.clone()))?;
            if tensor.dims() != entry.shape {
                let (expected, found) = (tensor.dims().to_vec(), entry.shape.clone());
                return Err(MaskError::Shape { name: name.clone(), expected, found }.into());
            }
            let mut values = tensor.flatten_all()?.to_vec1::<f32>()?;
            for (value, kept) in values.iter_mut().zip(entry.kept.iter()) {
                *value = if *kept { *value } else { 0.0 };
            }
            masked.insert(name.clone(), Tensor::from_vec(values, entry.shape.clone(), &Device::Cpu)?);
        }
        Ok(masked)
    }
}

/// First bytes of a stored mask.
const MAGIC: &[u8; 8] = b"pdslmsk1";

#[derive(Serialize, Deserialize)]
struct Heading {
    name: String,
    shape: Vec<usize>,
}

/// Stores a mask: 8 bytes of magic, the length of a JSON list of names and shapes (64 bits, little-endian), that list,
/// then per parameter its bits in order, lowest bit first, filled up to whole bytes.
pub fn encode(mask: &Mask) -> Vec<u8> {
    let headings: Vec<Heading> =
        mask.entries.iter().map(|(name, entry)| Heading { name: name.clone(), shape: entry.shape.clone() }).collect();
    let header = serde_json::to_vec(&headings).unwrap_or_default();
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    for entry in mask.entries.values() {
        bytes.extend(
            entry
                .kept
                .chunks(8)
                .map(|bits| bits.iter().enumerate().fold(0u8, |byte, (at, kept)| byte | u8::from(*kept) << at)),
        );
    }
    bytes
}

/// Reads a stored mask.
///
/// # Errors
/// If the bytes are no mask or are cut off.
pub fn decode(bytes: &[u8]) -> Result<Mask, MaskError> {
    let cut_off = || MaskError::Unreadable("it is cut off");
    let rest = bytes.strip_prefix(MAGIC).ok_or(MaskError::Unreadable("it does not start like one"))?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut_off())?;
    let (header, mut rest) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    let headings: Vec<Heading> =
        serde_json::from_slice(header).map_err(|_| MaskError::Unreadable("its header is not understood"))?;
    let mut entries = BTreeMap::new();
    for Heading { name, shape } in headings {
        let count =
            shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent)).ok_or_else(cut_off)?;
        let (bits, after) = rest.split_at_checked(count.div_ceil(8)).ok_or_else(cut_off)?;
        rest = after;
        let kept = (0..count).map(|at| bits[at / 8] >> (at % 8) & 1 == 1).collect();
        entries.insert(name, Entry { shape, kept });
    }
    if rest.is_empty() { Ok(Mask { entries }) } else { Err(MaskError::Unreadable("it goes on after its end")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::cifar_resnet;

    fn mask() -> (Survey, Mask) {
        let survey = cifar_resnet(1, 8, 10, 1, 8).survey().unwrap();
        let mut mask = Mask::ones(&survey);
        mask.bits_mut("conv1.weight").unwrap()[5] = false;
        (survey, mask)
    }

    #[test]
    fn masks_survive_storage_bit_by_bit() {
        let (survey, mask) = mask();
        let stored = decode(&encode(&mask)).unwrap();
        assert_eq!(stored, mask);
        assert_eq!(stored.check(&survey), Ok(()));
        assert_eq!((mask.total(), mask.kept()), (survey.prunable_count(), survey.prunable_count() - 1));
        assert_eq!(Mask::from_tensors(&mask.to_tensors().unwrap()).unwrap(), mask);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = encode(&mask().1);
        assert!(decode(b"something else").is_err());
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    /// open_lth `test_mask.py` and `test_pruned_model.py`.
    #[test]
    fn unfit_masks_are_refused_by_name() {
        let (survey, mask) = mask();
        let mut tensors = mask.to_tensors().unwrap();
        let tensor = tensors["fc.weight"].clone();
        let check = |tensors: &Weights| Mask::from_tensors(tensors).unwrap().check(&survey).unwrap_err().to_string();

        tensors.remove("fc.weight");
        assert_eq!(check(&tensors), "the mask has no entry for `fc.weight`");
        tensors.insert("fc.weight".into(), tensor.t().unwrap().contiguous().unwrap());
        assert_eq!(check(&tensors), "the mask of `fc.weight` has shape [32, 10], the parameter [10, 32]");
        tensors.insert("fc.weight".into(), tensor.clone());
        tensors.insert("fc.bias".into(), tensor.clone());
        assert_eq!(check(&tensors), "the mask has an entry `fc.bias`, which is no prunable parameter");
        tensors.insert("fc.bias".into(), (tensor.clone() * 2.0).unwrap());
        assert!(Mask::from_tensors(&tensors).is_err());
        let unnamed = Weights::from([(String::new(), tensor)]);
        assert!(Mask::from_tensors(&unnamed).is_err());
    }
}
