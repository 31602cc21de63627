//! pdsl: a declarative language for experiments on pruned neural networks, and its interpreter.
//!
//! Text becomes a tree, a typed program, a graph, a plan, objects in a store, a report. Each step is a room, and a room
//! knows those before it, not those after it:
//!
//! - [`source`], [`diag`]: texts, places in them, and messages about them
//! - [`syntax`]: text to tree, and back by the formatter
//! - [`resolve`]: imports and names
//! - [`types`]: every expression has a type before anything is evaluated
//! - [`value`], [`eval`]: a checked program to stages and outputs
//! - [`graph`]: stages and their keys
//! - [`plan`]: what the store already has, and what the rest costs
//! - [`exec`]: runs the rest, in processes that may die
//! - [`report`]: tables, plots, verdicts, one page
//!
//! Beside them: [`ops`], one file per kind of stage, is the one door between the language and [`nn`], the numerical core;
//! [`stats`] is mathematics; [`store`] knows bytes and keys; [`manifest`] is the only place that knows YAML; [`domain`]
//! is the plain data that all share; [`world`] is the outside; [`mod@reference`] describes what modules offer. On top are
//! [`cli`] and, for editors, [`lsp`].

#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "the command line reads and writes the files that the user names")
)]
pub mod cli;
pub mod diag;
pub mod domain;
pub mod eval;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a run takes time, and logs it"))]
pub mod exec;
pub mod graph;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "copies of the library are files for editors"))]
pub mod lsp;
pub mod manifest;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "data are files, and nothing here reaches a key"))]
pub mod nn;
pub mod ops;
pub mod plan;
pub mod reference;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "results are files, and pictures reach no key"))]
pub mod report;
pub mod resolve;
pub mod source;
pub mod stats;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the store is files"))]
pub mod store;
pub mod syntax;
pub mod types;
pub mod value;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "this is the outside world"))]
pub mod world;
