//! Fields, indices, `.at(…)`.

use std::sync::Arc;

use super::call::Given;
use super::choice::field_of_each;
use super::expr::index;
use super::flow::record_at;
use super::interpreter::{Interpreter, Scope, error};
use super::select::rows_at;
use crate::diag::codes::evaluation as codes;
use crate::domain::data::{Split, Task};
use crate::domain::pruning::Score;
use crate::ops;
use crate::ops::lowering::did_you_mean;
use crate::resolve::{Member, Target};
use crate::source::Span;
use crate::syntax::tree::{Exact, Expr, ExprKind, Name};
use crate::value::output::Frame;
use crate::value::{Evaluated, Network, Projection, State, Stop, Value, repr};

impl Interpreter<'_> {
    /// Whether an expression names a module.
    pub(super) fn is_module(&self, scope: &Scope, base: &Expr) -> bool {
        matches!(&*base.kind, ExprKind::Name(name) if scope.env.get(name).is_none()
            && matches!(self.linked.lookup(scope.module, name), Some(Target::Module(_))))
    }

    pub(super) fn field_of(&mut self, scope: &Scope, base: &Expr, name: &Name) -> Evaluated {
        if let ExprKind::Name(module) = &*base.kind
            && self.is_module(scope, base)
            && let Some(Target::Module(module)) = self.linked.lookup(scope.module, module)
        {
            return match self.linked.member(module, &name.text) {
                Member::Public(found) | Member::Private(found) => self.item(module, found.item, &name.text, name.span),
                Member::Missing => Err(Stop::Reported),
            };
        }
        let value = self.eval(scope, base)?;
        field(&value, &name.text, name.span)
    }

    /// Calls `.at(…)` of a state or of rows.
    pub(super) fn at(&mut self, base: &Value, given: &[Given], call: Span) -> Evaluated {
        match (base, given) {
            (Value::State(state), [Given { label: None, value: Value::Step(step), span }]) => {
                self.deeper(call, |vm| ops::stages::train::at(vm, state, step, *span, call)).map(Value::State)
            }
            (Value::State(_), _) => {
                Err(error(&codes::MISMATCH, "`.at` of a state takes one step", call, "in this call")
                    .help("write `.at(1ep)`")
                    .into())
            }
            (Value::Rows(rows), _) => rows_at(rows, given, call, self.linked.sources.slice(call)),
            (Value::Choice(choice), _) => self.at_each(choice, given, call),
            _ => Err(no_field(base, "at", call)),
        }
    }
}

/// Reads a field of a value.
pub(super) fn field(value: &Value, name: &str, span: Span) -> Evaluated {
    let found = match value {
        Value::Record(record) => record.get(name).cloned(),
        Value::Rows(rows) => rows
            .column(name)
            .map(|column| Value::Column(Arc::new(Projection { rows: rows.clone(), name: column.name.clone() }))),
        Value::State(state) => return state_field(state, name, span),
        Value::Choice(choice) => return field_of_each(choice, name, span),
        Value::Seed(seed) => {
            let mut stream = (**seed).clone();
            stream.stream.push(name.to_owned());
            Some(Value::Seed(Arc::new(stream)))
        }
        Value::Task(task) => task_field(task, name),
        Value::Arch(network) => arch_field(network, name),
        Value::Parameter => match name {
            "weight" => Some(Value::Score(Arc::new(Score::Weight))),
            "initial" => Some(Value::Score(Arc::new(Score::Initial))),
            "grad" => Some(Value::Score(Arc::new(Score::Gradient))),
            "hessian_grad" => Some(Value::Score(Arc::new(Score::HessianGradient))),
            "flow" => Some(Value::Score(Arc::new(Score::Flow))),
            "concept" => Some(Value::Score(Arc::new(Score::Concept))),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| no_field(value, name, span))
}

fn state_field(state: &State, name: &str, span: Span) -> Evaluated {
    let facts = &state.facts;
    let known = |sparsity: Option<Exact>| {
        sparsity.ok_or_else(|| {
            Stop::from(
                error(
                    &codes::UNKNOWN_COUNT,
                    "the sparsity of this state is known only after the run",
                    span,
                    "not known yet",
                )
                .help("prune by layers from the start, or globally throughout"),
            )
        })
    };
    match name {
        "sparsity" => Ok(Value::Ratio(known(facts.sparsity())?)),
        "density" => Ok(Value::Ratio(Exact::from_integer(1) - known(facts.sparsity())?)),
        "steps" => Ok(Value::iterations(facts.step)),
        "round" => Ok(Value::Int(i64::from(facts.round))),
        "seed" => facts
            .seed
            .clone()
            .map(Value::Seed)
            .ok_or_else(|| error(&codes::BAD_ARGUMENT, "weights from a file have no seed", span, "no seed").into()),
        "arch" => Ok(Value::Arch(facts.network.clone())),
        "at" => Err(error(&codes::MISMATCH, "`.at` needs a step", span, "no step").help("write `.at(1ep)`").into()),
        _ => Err(no_field(&Value::State(state.clone()), name, span)),
    }
}

/// Reads an element.
pub(super) fn element(value: &Value, at: &Value, span: Span) -> Evaluated {
    let Some(wanted) = index(at) else {
        let message = format!("an index is an integer, not {}", repr::kind(at));
        return Err(error(&codes::MISMATCH, message, span, "not an integer").into());
    };
    let (length, element): (usize, Box<dyn Fn(usize) -> Value>) = match value {
        Value::List(items) => (items.len(), Box::new(|at| items[at].clone())),
        Value::Range(range) if let (Value::Int(start), Value::Int(end)) = (&range.start, &range.end) => {
            let length = i128::from(*end) - i128::from(*start) + i128::from(range.inclusive);
            (usize::try_from(length).unwrap_or(0), Box::new(|at| Value::Int(start.saturating_add_unsigned(at as u64))))
        }
        Value::Rows(rows) => (rows.height(), Box::new(|at| record_at(rows, at))),
        Value::Column(column) => (column.cells().len(), Box::new(|at| column.cells()[at].clone())),
        other => {
            let message = format!("{} has no elements to count", repr::kind(other));
            return Err(error(&codes::MISMATCH, message, span, "an index").into());
        }
    };
    match usize::try_from(wanted) {
        Ok(at) if at < length => Ok(element(at)),
        _ => Err(error(
            &codes::NO_ELEMENT,
            format!("there is no element {wanted} in a list of {length}"),
            span,
            "not there",
        )
        .help(if wanted < 0 {
            "count from the end with `last(xs)` or `xs[len(xs) - 1]`"
        } else {
            "elements count from 0"
        })
        .into()),
    }
}

/// Picks rows in an order.
pub(super) fn arrange(rows: &Frame<Value>, order: &[usize]) -> Frame<Value> {
    let presence = if rows.presence.is_empty() {
        Vec::new()
    } else {
        order.iter().map(|&row| rows.presence[row].clone()).collect()
    };
    Frame { presence, ..rows.pick(order, Value::clone) }
}

/// Reports a column that rows do not have.
pub(super) fn no_column(rows: &Frame<Value>, name: &str, span: Span) -> Stop {
    let diagnostic = error(&codes::UNKNOWN_COLUMN, format!("the rows have no column `{name}`"), span, "no such column");
    did_you_mean(diagnostic, name, rows.columns.iter().map(|column| &*column.name)).into()
}

fn no_field(value: &Value, name: &str, span: Span) -> Stop {
    if let Value::Rows(rows) = value {
        return no_column(rows, name, span);
    }
    let message = format!("{} has no field `{name}`", repr::kind(value));
    let diagnostic = error(&codes::UNKNOWN_COLUMN, message, span, "no such field");
    let known: Vec<&str> = match value {
        Value::Record(record) => record.names().collect(),
        Value::State(_) => vec!["sparsity", "density", "steps", "round", "seed", "arch"],
        Value::Task(_) => {
            vec!["train", "val", "test", "classes", "channels", "size", "train_images", "val_images", "test_images"]
        }
        Value::Arch(_) => vec!["parameters", "prunable", "macs"],
        Value::Parameter => vec!["weight", "initial", "grad", "hessian_grad", "flow", "concept"],
        _ => Vec::new(),
    };
    did_you_mean(diagnostic, name, known.iter().copied()).into()
}

fn int(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn arch_field(network: &Network, name: &str) -> Option<Value> {
    let survey = &network.survey;
    Some(int(match name {
        "parameters" => survey.parameter_count(),
        "prunable" => survey.prunable_count(),
        "macs" => survey.macs(),
        _ => return None,
    }))
}

fn task_field(task: &Arc<Task>, name: &str) -> Option<Value> {
    Some(match name {
        "train" => Value::Split(task.clone(), Split::Train),
        "val" => Value::Split(task.clone(), Split::Val),
        "test" => Value::Split(task.clone(), Split::Test),
        "classes" => int(task.classes as u64),
        "channels" => int(task.input.channels as u64),
        "size" => int(task.input.height as u64),
        "train_images" => int(task.train),
        "val_images" => int(task.val),
        "test_images" => int(task.test),
        _ => return None,
    })
}
