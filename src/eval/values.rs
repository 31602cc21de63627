//! Values that outlive their evaluation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::deep;
use crate::value::Value;

/// Values by name. A value may be nested as deeply as evaluation can make it, so taking it apart needs as large a stack:
/// values end on a thread of their own.
#[derive(Debug, Default)]
pub struct Values(BTreeMap<Arc<str>, Value>);

impl Values {
    /// Finds the value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl From<BTreeMap<Arc<str>, Value>> for Values {
    fn from(values: BTreeMap<Arc<str>, Value>) -> Self {
        Self(values)
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let values = Mutex::new(std::mem::take(&mut self.0));
        deep(&|| {
            if let Ok(mut values) = values.lock() {
                drop(std::mem::take(&mut *values));
            }
        });
    }
}
