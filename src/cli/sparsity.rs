//! How much of a network is zero: in a stage, or in a file from anywhere.

use std::path::Path;

use super::output::{self, Output};
use super::place::unreadable;
use super::{Ended, Exit, Failure, figures};
use crate::diag::Severity;
use crate::exec;
use crate::nn::weights::sparsity::{self, Count, Sparsity};
use crate::nn::{self, weights};
use crate::ops::run::Problem;

/// Columns that hold numbers.
const NUMBERS: [usize; 4] = [1, 2, 3, 4];

/// Endings of files of weights.
const ENDINGS: [&str; 5] = ["safetensors", "pth", "pt", "npz", "onnx"];

/// Whether a file is meant and not a stage: there is one, or its name ends like one.
pub(super) fn is_meant(path: &Path) -> bool {
    path.is_file() || path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Shows a file of weights.
pub(super) fn show(path: &Path, output: Output, json: bool) -> Ended {
    let bytes = std::fs::read(path).map_err(|error| Failure::outside(unreadable(path, &error), Exit::Invalid))?;
    let file = weights::read(&bytes).map_err(|error| refused(path, error))?;
    let sparsity = sparsity::of(&file.tensors).map_err(|error| refused(path, error))?;
    output::data(&if json {
        let format = file.format.to_string();
        output::json(&serde_json::json!({ "file": path, "format": format, "sparsity": sparsity }))?
    } else {
        let heading = output.bold(&path.display().to_string());
        let size = figures::bytes(bytes.len() as u64);
        let tensors = figures::counted(file.tensors.len(), "tensor");
        format!("{heading}\n{}, {tensors}, {size}\n\n{}", file.format, table(&sparsity))
    })?;
    Ok(Exit::Done)
}

/// A line for each layer, and the sums.
pub(super) fn table(sparsity: &Sparsity) -> String {
    let heading = ["LAYER", "SHAPE", "WEIGHTS", "ZEROS", "SPARSITY"].map(str::to_owned).to_vec();
    let layers = sparsity.layers.iter().map(|layer| row(&layer.name, &shape(&layer.shape), layer.count));
    let sums = [row("prunable weights", "", sparsity.prunable), row("all parameters", "", sparsity.parameters)];
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(layers).chain(sums).collect();
    figures::columns(&rows, &NUMBERS)
}

fn row(name: &str, shape: &str, count: Count) -> Vec<String> {
    let Count { weights, zeros, sparsity } = count;
    let share = format!("{:.2} %", 100.0 * sparsity);
    vec![name.to_owned(), shape.to_owned(), figures::grouped(weights), figures::grouped(zeros), share]
}

fn shape(extents: &[usize]) -> String {
    extents.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
}

fn refused(path: &Path, error: nn::Error) -> Failure {
    let problem = Problem::from(error);
    let problem = Problem { message: format!("`{}`: {}", path.display(), problem.message), ..problem };
    Failure::outside(exec::describe(&problem, Severity::Error), Exit::Invalid)
}
