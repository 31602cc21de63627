//! Functions and values that are declared in the standard library and implemented here.

mod concepts;
mod data;
mod layers;
mod lists;
mod numbers;
mod outputs;
mod pruning;
mod recipes;
mod statistics;

use super::interpreter::Interpreter;
use crate::domain::pruning::{Counting, Scope};
use crate::ops::lowering::Arguments;
use crate::value::output::{AxisScale, Statistic};
use crate::value::{Evaluated, Value};

pub(super) use recipes::update as update_recipe;

/// What carries a built-in function out.
pub(super) type Builtin = for<'a, 'b, 'c> fn(&'a mut Interpreter<'b>, &'c Arguments) -> Evaluated;

/// Every built-in function.
pub(super) static FUNCTIONS: &[(&str, Builtin)] = &[
    ("abs", numbers::abs),
    ("min", numbers::min),
    ("max", numbers::max),
    ("sqrt", numbers::sqrt),
    ("floor", numbers::floor),
    ("round", numbers::round),
    ("mod", numbers::modulo),
    ("float", numbers::float),
    ("fraction", numbers::fraction),
    ("ratio", numbers::ratio),
    ("clamp", numbers::clamp),
    ("exp", numbers::exp),
    ("ln", numbers::ln),
    ("cos", numbers::cos),
    ("map", lists::map),
    ("keep", lists::keep),
    ("sum", lists::sum),
    ("len", lists::len),
    ("fold", lists::fold),
    ("scan", lists::scan),
    ("zip", lists::zip),
    ("enumerate", lists::enumerate),
    ("sort_by", lists::sort_by),
    ("reverse", lists::reverse),
    ("first", lists::first),
    ("last", lists::last),
    ("flatten", lists::flatten),
    ("any", lists::any),
    ("all", lists::all),
    ("iterate", lists::iterate),
    ("select", lists::select_value),
    ("seeds", recipes::seeds),
    ("sgd", recipes::sgd),
    ("adamw", recipes::adamw),
    ("conv", layers::conv),
    ("batch_norm", layers::batch_norm),
    ("relu", layers::relu),
    ("max_pool", layers::max_pool),
    ("avg_pool", layers::avg_pool),
    ("global_avg_pool", layers::global_avg_pool),
    ("linear", layers::linear),
    ("identity", layers::identity),
    ("residual", layers::residual),
    ("arch", layers::arch),
    ("criterion", pruning::criterion),
    ("filter_sum", pruning::filter_sum),
    ("filter_mean", pruning::filter_mean),
    ("filter_max", pruning::filter_max),
    ("layer_sum", pruning::layer_sum),
    ("layer_mean", pruning::layer_mean),
    ("layer_max", pruning::layer_max),
    ("layer_upper_sum", pruning::layer_upper_sum),
    ("pruner", pruning::pruner),
    ("filter_pruner", pruning::filter_pruner),
    ("pattern_pruner", pruning::pattern_pruner),
    ("random_pruner", pruning::random_pruner),
    ("sampled", pruning::sampled),
    ("digits", data::digits),
    ("shapes", data::shapes),
    ("shapes_probe", data::shapes_probe),
    ("stored", data::stored),
    ("broden_folder", data::broden_folder),
    ("augmented", data::augmented),
    ("flip", data::flip),
    ("pad_crop", data::pad_crop),
    ("resized_crop", data::resized_crop),
    ("jitter", data::jitter),
    ("normalised", data::normalised),
    ("prepared", data::prepared),
    ("summary", outputs::summary),
    ("line", outputs::line),
    ("curve", outputs::curve),
    ("concept_bars", concepts::concept_bars),
    ("concept_changes", concepts::concept_changes),
    ("ci95", outputs::ci95),
    ("sd", outputs::sd),
    ("span", outputs::span),
    ("mean", statistics::mean),
    ("not_worse", statistics::not_worse),
    ("equivalent", statistics::equivalent),
    ("differs", statistics::differs),
    ("monotone", outputs::monotone),
];

/// Names of every built-in value.
#[cfg(test)]
pub(super) const CONSTANTS: [&str; 11] =
    ["count", "none", "global", "per_layer", "erk", "open_lth", "torch", "median", "linear_scale", "log", "logit"];

/// Finds a built-in function.
pub(super) fn find(name: &str) -> Option<usize> {
    FUNCTIONS.iter().position(|(known, _)| *known == name)
}

/// Finds a built-in value.
pub(super) fn constant(name: &str) -> Option<Value> {
    Some(match name {
        "none" => Value::Nothing,
        "global" => Value::Scope(Scope::Global),
        "per_layer" => Value::Scope(Scope::PerLayer),
        "erk" => Value::Scope(Scope::Erk),
        "open_lth" => Value::Counting(Counting::OpenLth),
        "torch" => Value::Counting(Counting::Torch),
        "median" => Value::Statistic(Statistic::Median),
        "count" => Value::Statistic(Statistic::Count),
        "linear_scale" => Value::AxisScale(AxisScale::Linear),
        "log" => Value::AxisScale(AxisScale::Log),
        "logit" => Value::AxisScale(AxisScale::Logit),
        _ => return None,
    })
}
