//! Canonical arguments: the form in which a stage's arguments are hashed, stored, shown and sent to a worker.

mod shared;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use shared::{Encoded, Shared};

/// A canonical value. Maps are sorted; floats have one zero and no NaN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Canon {
    /// Absent.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float; `-0.0` is stored as `0.0`.
    Float(f64),
    /// Text; exact ratios are written `"1/5"`.
    Str(String),
    /// A sequence.
    List(Vec<Canon>),
    /// A record.
    Map(BTreeMap<String, Canon>),
    /// A part that many values have in common, with its encoding.
    #[serde(skip_deserializing)]
    Shared(Arc<Encoded>),
}

impl PartialEq for Canon {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Shared(a), Self::Shared(b)) => Arc::ptr_eq(a, b) || a.value == b.value,
            (Self::Shared(a), b) => a.value == *b,
            (a, Self::Shared(b)) => *a == b.value,
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Canon {
    /// Brings any serialisable value into canonical form. `None` if it holds a NaN, an infinity or a map key that is no
    /// text.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        value.serialize(writer::Writer).ok()
    }

    /// Reads a typed value back.
    ///
    /// # Errors
    /// If the form does not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(serde_json::to_value(self)?)
    }

    /// Returns the value itself where it is shared.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Shared(shared) => shared.value.plain(),
            own => own,
        }
    }

    /// Returns the fields of a record.
    pub fn fields(&self) -> Option<&BTreeMap<String, Self>> {
        match self.plain() {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// Feeds the value to a hash, length-prefixed and tagged, so that no two values share an encoding.
    pub fn hash_into(&self, hasher: &mut blake3::Hasher) {
        self.encode(&mut |bytes| {
            hasher.update(bytes);
        });
    }

    fn encode(&self, put: &mut dyn FnMut(&[u8])) {
        fn text(put: &mut dyn FnMut(&[u8]), text: &str) {
            put(&(text.len() as u64).to_le_bytes());
            put(text.as_bytes());
        }
        match self {
            Self::Null => put(b"n"),
            Self::Bool(value) => put(&[b'b', u8::from(*value)]),
            Self::Int(value) => {
                put(b"i");
                put(&value.to_le_bytes());
            }
            Self::Float(value) => {
                put(b"f");
                put(&(value + 0.0).to_bits().to_le_bytes());
            }
            Self::Str(value) => {
                put(b"s");
                text(put, value);
            }
            Self::List(items) => {
                put(b"l");
                put(&(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| item.encode(put));
            }
            Self::Map(fields) => {
                put(b"m");
                put(&(fields.len() as u64).to_le_bytes());
                for (name, value) in fields {
                    text(put, name);
                    value.encode(put);
                }
            }
            Self::Shared(shared) => put(&shared.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::cifar_resnet;

    #[derive(Serialize)]
    struct Whole<A> {
        arch: A,
        rate: f64,
    }

    /// What serde_json makes of a value, which is what keys were made of before there was a writer.
    fn through_json(value: &impl Serialize) -> Canon {
        serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
    }

    fn digest(canon: &Canon) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        canon.hash_into(&mut hasher);
        hasher.finalize()
    }

    #[test]
    fn a_shared_part_is_written_and_hashed_like_any_other() {
        let arch = cifar_resnet(1, 4, 3, 1, 8);
        let plain = Canon::of(&Whole { arch: arch.clone(), rate: -0.0 }).unwrap();
        let shared = Canon::of(&Whole { arch: Shared::new(arch.clone()), rate: 0.0 }).unwrap();
        assert!(matches!(shared.fields().unwrap()["arch"], Canon::Shared(_)));
        assert_eq!(plain, shared);
        assert_eq!(digest(&plain), digest(&shared));
        assert_eq!(plain, through_json(&Whole { arch: arch.clone(), rate: 0.0 }));
        assert_eq!(serde_json::to_string(&plain).unwrap(), serde_json::to_string(&shared).unwrap());
        let read: Shared<crate::domain::arch::Arch> = shared.fields().unwrap()["arch"].parse().unwrap();
        assert_eq!(*read, arch);
    }

    #[test]
    fn forms_are_those_of_json() {
        #[derive(Serialize)]
        enum Kind {
            Unit,
            New(u8),
            Pair(i8, f32),
            Named { a: Option<bool>, b: () },
        }
        let kinds = vec![Kind::Unit, Kind::New(3), Kind::Pair(-1, 0.5), Kind::Named { a: None, b: () }];
        assert_eq!(Canon::of(&kinds).unwrap(), through_json(&kinds));
        let numbers = BTreeMap::from([(1u64, u64::MAX), (2, 7)]);
        assert_eq!(Canon::of(&numbers).unwrap(), through_json(&numbers));
        assert_eq!(Canon::of(&('x', "y", [1.5f64])).unwrap(), through_json(&('x', "y", [1.5f64])));
        assert_eq!(Canon::of(&f64::NAN), None);
        assert_eq!(Canon::of(&vec![f64::INFINITY]), None);
    }
}
