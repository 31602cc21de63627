//! The language server through its protocol: the real binary, asked as an editor asks.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::needless_pass_by_value, reason = "parameters are made where they are given")]

mod client;
mod completion;
mod diagnostics;
mod names;
mod protocol;
mod questions;
