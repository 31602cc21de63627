//! Tables, plots, verdicts and one self-contained page, made from resolved outputs and the facts of a run.
//!
//! The input is [`Contents`], plain data; the output is files. Numbers in CSV and JSON are as stored: ratios and
//! differences of ratios are fractions. Text, plots and the page show them in per cent and percentage points.
//! Equal contents give equal bytes.

pub mod axis;
pub mod browse;
pub mod claims;
pub mod concepts;
pub mod contents;
pub mod drawing;
pub mod figure;
pub mod forest;
pub mod gallery;
pub mod html;
pub mod number;
mod stages;
pub mod svg;
pub mod table;
pub mod vega;
pub mod warnings;
pub mod write;

pub use claims::{Judgement, Verdict, judge};
pub use contents::{
    Claim, Contents, Entry, Expectation, Gate, Parameter, Place, RunFacts, Stage, StageStatus, Warning,
};
pub use write::{WriteError, Written, judgements, write};
