//! The nouns of the field as plain data: architectures, data sets, recipes, pruners, dissections, seeds.
//!
//! This is the vocabulary that the language and the numerical core share. It knows neither of them: no spans, no
//! tensors, no files. Stage arguments are these types, serialised into `graph::canon`.

pub mod arch;
pub mod data;
pub mod device;
pub mod dissection;
pub mod portraits;
pub mod pruning;
pub mod recipe;
pub mod seed;
