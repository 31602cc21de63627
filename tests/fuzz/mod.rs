//! Programs made of bytes, and laws that hold for all of them. The fuzzer (`targets/`) and `tests/fuzzing.rs` share them.

#![allow(dead_code, reason = "each target uses one law")]

pub(crate) mod choices;
pub(crate) mod experiments;
pub(crate) mod laws;
pub(crate) mod programs;
