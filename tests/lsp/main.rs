//! The language server through its protocol: the real binary, asked as an editor asks.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod client;
mod completion;
mod diagnostics;
mod names;
mod protocol;
mod questions;
