//! How values print: in messages, in the echo of `--set`, on axes.

use num_traits::Zero;

use super::Value;
use super::function::Function;
use super::number;
use super::output::Statistic;
use crate::domain::data::{DataSet, Probe, Split};
use crate::domain::pruning::{Counting, Scope};
use crate::domain::seed::Seed;
use crate::syntax::tree::Exact;

/// Elements of a list that are printed before the rest is left out.
const SHOWN: usize = 8;
/// Nesting that is printed before the rest is left out.
const DEPTH: usize = 4;

/// Writes a value as the language would.
pub fn repr(value: &Value) -> String {
    write(value, DEPTH)
}

/// Writes a value short enough for an axis: a record by its `name`, a seed by its number.
pub fn label(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Record(record) => match record.get("name") {
            Some(name) => label(name),
            None => repr(value),
        },
        Value::Seed(seed) => seed_label(seed),
        other => repr(other),
    }
}

fn seed_label(seed: &Seed) -> String {
    let mut text = seed.root.to_string();
    for name in &seed.stream {
        text.push('.');
        text.push_str(name);
    }
    text
}

/// Names the type of a value as messages call it, with an article.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nothing => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Ratio(_) => "a ratio",
        Value::Points(_) => "a number of percentage points",
        Value::Step(_) => "a step",
        Value::Time(_) => "a time",
        Value::Bytes(_) => "a number of bytes",
        Value::Str(_) => "a text",
        Value::List(_) => "a list",
        Value::Tuple(_) => "a tuple",
        Value::Record(_) => "a record",
        Value::Function(_) => "a function",
        Value::Range(_) => "a range",
        Value::Seed(_) => "a seed",
        Value::Layer(_) => "a layer",
        Value::Arch(_) => "an architecture",
        Value::Task(_) => "a task",
        Value::Split(..) => "a part of a task",
        Value::Probe(_) => "a probe",
        Value::Tallies(_) => "counts of a dissection",
        Value::Augment(_) => "a change to images",
        Value::Recipe(_) => "a recipe",
        Value::Parameter => "a parameter of a network",
        Value::Score(_) => "a score",
        Value::Criterion(_) => "a criterion",
        Value::Pruner(_) => "a pruner",
        Value::Scope(_) => "a scope",
        Value::Counting(_) => "a rule of counting",
        Value::State(_) => "a state",
        Value::Measured(_) => "a number that exists after the run",
        Value::Choice(_) => "a value that measurements choose",
        Value::Rows(_) => "rows",
        Value::Column(_) => "a column",
        Value::Band(..) => "a band",
        Value::Statistic(_) => "a statistic",
        Value::AxisScale(_) => "the scale of an axis",
        Value::Table(_) => "a table",
        Value::Plot(_) => "a plot",
        Value::Verdict(_) => "a verdict",
    }
}

fn write(value: &Value, depth: usize) -> String {
    match value {
        Value::Nothing => "none".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::Ratio(value) => hundredths(*value, "%"),
        Value::Points(value) => hundredths(*value, "pp"),
        Value::Step(step) => step.to_string(),
        Value::Time(seconds) => time(*seconds),
        Value::Bytes(count) => bytes(*count),
        Value::Str(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", sequence(items, depth)),
        Value::Tuple(items) => format!("({})", sequence(items, depth)),
        Value::Record(_) if depth == 0 => "{ … }".to_owned(),
        Value::Record(record) => {
            let fields: Vec<_> =
                record.iter().map(|(name, value)| format!("{name}: {}", write(value, depth - 1))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        Value::Function(function) => match function {
            Function::Closure(_) => "a function".to_owned(),
            Function::Declared(declared, _) => declared.name.text.to_string(),
            Function::Native(native) => native.declaration.name.text.to_string(),
            Function::Accessor(name) => format!(".{name}"),
        },
        Value::Range(range) => {
            let dots = if range.inclusive { "..=" } else { ".." };
            format!("{}{dots}{}", write(&range.start, depth), write(&range.end, depth))
        }
        Value::Seed(seed) => format!("seed {}", seed_label(seed)),
        Value::Task(task) => task_name(&task.data),
        Value::Split(task, split) => format!("{}.{}", task_name(&task.data), split_name(*split)),
        Value::Tallies(tallied) => format!("tallies of {}", tallied.layer),
        Value::Probe(probe) => match &**probe {
            Probe::Shapes(_) => "shapes_probe".to_owned(),
            Probe::Broden { name, .. } => name.clone(),
        },
        Value::Scope(Scope::Global) => "global".to_owned(),
        Value::Scope(Scope::PerLayer) => "per_layer".to_owned(),
        Value::Scope(Scope::Erk) => "erk".to_owned(),
        Value::Counting(Counting::OpenLth) => "open_lth".to_owned(),
        Value::Counting(Counting::Torch) => "torch".to_owned(),
        Value::State(state) => state_text(&state.facts),
        Value::Statistic(statistic) => statistic_name(*statistic).to_owned(),
        other => kind(other).to_owned(),
    }
}

fn sequence(items: &[Value], depth: usize) -> String {
    if depth == 0 {
        return "…".to_owned();
    }
    let mut shown: Vec<_> = items.iter().take(SHOWN).map(|item| write(item, depth - 1)).collect();
    if items.len() > SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// Writes a float so that it reads back as a float.
fn float(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_finite() && magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        format!("{value:e}")
    } else {
        format!("{value:?}")
    }
}

fn hundredths(value: Exact, unit: &str) -> String {
    let hundred = Exact::from_integer(100);
    number::multiply(value, hundred).map_or_else(|| "?".to_owned(), |value| format!("{}{unit}", number::shown(value)))
}

fn time(seconds: Exact) -> String {
    let units = [(3600, "h"), (60, "min")];
    let fitting = units.iter().find(|(size, _)| !seconds.is_zero() && (seconds / *size).is_integer());
    fitting.map_or_else(
        || format!("{}s", number::shown(seconds)),
        |(size, unit)| format!("{}{unit}", number::shown(seconds / *size)),
    )
}

fn bytes(count: Exact) -> String {
    let units = [(1i128 << 30, "GiB"), (1_000_000_000, "GB"), (1 << 20, "MiB"), (1_000_000, "MB")];
    let fitting = units.iter().find(|(size, _)| !count.is_zero() && (count / *size).is_integer());
    let (size, unit) = fitting.copied().unwrap_or((1_000_000, "MB"));
    format!("{}{unit}", number::shown(count / size))
}

fn task_name(data: &DataSet) -> String {
    match data {
        DataSet::Digits => "digits".to_owned(),
        DataSet::Shapes(_) => "shapes".to_owned(),
        DataSet::Stored { name } | DataSet::StandIn { name } => name.clone(),
        DataSet::Excerpt { of, .. } => task_name(of),
    }
}

/// Returns the word for a part of a task.
pub fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    }
}

fn statistic_name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Mean => "mean",
        Statistic::Sd => "sd",
        Statistic::Ci95 => "ci95",
        Statistic::Median => "median",
        Statistic::Min => "min",
        Statistic::Max => "max",
        Statistic::Count => "count",
    }
}

fn state_text(facts: &super::StateFacts) -> String {
    let left = match facts.sparsity() {
        Some(sparsity) => format!("{} left", hundredths(Exact::from_integer(1) - sparsity, "%")),
        None => "pruned".to_owned(),
    };
    let seed = facts.seed.as_deref().map(|seed| format!(", seed {}", seed_label(seed))).unwrap_or_default();
    format!("State({left}, {}it{seed})", facts.step)
}
