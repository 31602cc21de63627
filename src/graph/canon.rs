//! Canonical arguments: the form in which a stage's arguments are hashed, stored, shown and sent to a worker.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A canonical value. Maps are sorted; floats have one zero and no NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Canon {
    /// Brings any serialisable value into canonical form. `None` if it holds a NaN, an infinity or a non-text map key.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        serde_json::to_value(value).ok().and_then(Self::from_json)
    }

    /// Reads a typed value back.
    ///
    /// # Errors
    /// If the form does not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(serde_json::to_value(self)?)
    }

    fn from_json(value: serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Float(number.as_f64().filter(|value| value.is_finite())? + 0.0),
            },
            Value::String(text) => Self::Str(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect::<Option<_>>()?),
            Value::Object(fields) => Self::Map(
                fields.into_iter().map(|(name, value)| Some((name, Self::from_json(value)?))).collect::<Option<_>>()?,
            ),
        })
    }

    /// Feeds the value to a hash, length-prefixed and tagged, so that no two values share an encoding.
    pub fn hash_into(&self, hasher: &mut blake3::Hasher) {
        fn text(hasher: &mut blake3::Hasher, text: &str) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        match self {
            Self::Null => {
                hasher.update(b"n");
            }
            Self::Bool(value) => {
                hasher.update(&[b'b', u8::from(*value)]);
            }
            Self::Int(value) => {
                hasher.update(b"i").update(&value.to_le_bytes());
            }
            Self::Float(value) => {
                hasher.update(b"f").update(&(value + 0.0).to_bits().to_le_bytes());
            }
            Self::Str(value) => {
                hasher.update(b"s");
                text(hasher, value);
            }
            Self::List(items) => {
                hasher.update(b"l").update(&(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| item.hash_into(hasher));
            }
            Self::Map(fields) => {
                hasher.update(b"m").update(&(fields.len() as u64).to_le_bytes());
                for (name, value) in fields {
                    text(hasher, name);
                    value.hash_into(hasher);
                }
            }
        }
    }
}
