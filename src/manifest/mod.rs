//! Files that people and programs read and write as YAML: the only place that knows the format.

pub mod profile;
pub mod record;
pub mod run;
