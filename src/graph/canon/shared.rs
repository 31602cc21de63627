//! Parts that many canonical values have in common.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Canon;

/// A canonical value with its encoding.
#[derive(Debug)]
pub struct Encoded {
    pub(super) value: Canon,
    pub(super) bytes: Vec<u8>,
}

impl Encoded {
    fn of(value: &impl Serialize) -> Option<Arc<Self>> {
        let value = Canon::of(value)?;
        let mut bytes = Vec::new();
        value.encode(&mut |part| bytes.extend_from_slice(part));
        Some(Arc::new(Self { value, bytes }))
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// A value whose canonical form is made once, however many stages mention it.
pub struct Shared<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    encoded: OnceLock<Option<Arc<Encoded>>>,
}

/// Marks a shared part for the canonical writer; other formats write its value.
pub(super) const MARK: &str = "pdsl::Shared";

thread_local! {
    /// The shared part that the writer is about to be given.
    static HANDED: RefCell<Option<Arc<Encoded>>> = const { RefCell::new(None) };
}

/// Takes the shared part that is being written.
pub(super) fn handed() -> Option<Arc<Encoded>> {
    HANDED.with(|handed| handed.borrow_mut().take())
}

impl<T> Shared<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Inner { value, encoded: OnceLock::new() }))
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let encoded = self.0.encoded.get_or_init(|| Encoded::of(&self.0.value));
        HANDED.with(|handed| handed.replace(encoded.clone()));
        let written = serializer.serialize_newtype_struct(MARK, &self.0.value);
        handed();
        written
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}
