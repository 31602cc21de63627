//! Values that measurements choose: stages and fields of each value that may be chosen, and conditions that may choose.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access::field;
use super::call::Given;
use super::interpreter::{Interpreter, error};
use crate::diag::codes::evaluation as codes;
use crate::graph::{Canon, Node, NodeId};
use crate::ops::Op;
use crate::ops::lowering::Arguments;
use crate::source::Span;
use crate::value::{Branch, Choice, Evaluated, Measured, Stop, Value, repr};

/// A call under a condition: which branch each choice among its arguments stands for.
struct Case {
    when: Option<Arc<Measured>>,
    arguments: Arguments,
    taken: Vec<(Arc<Choice>, usize)>,
}

impl Case {
    /// The branch of a choice that goes with what this case has taken already.
    fn admits(&self, choice: &Choice) -> Option<usize> {
        let (_, at) = self.taken.iter().find(|(taken, _)| taken.goes_with(choice))?;
        Some(*at)
    }
}

impl Choice {
    /// Whether the same conditions decide both.
    fn goes_with(&self, other: &Self) -> bool {
        let same = |(a, b): (&Branch, &Branch)| Arc::ptr_eq(&a.when, &b.when) || a.when == b.when;
        self.branches.len() == other.branches.len() && self.branches.iter().zip(&other.branches).all(same)
    }
}

impl Interpreter<'_> {
    /// Calls a stage; where measurements choose an argument, once for each of the values that they may choose.
    pub(super) fn lower_each(&mut self, op: &Op, arguments: &Arguments) -> Evaluated {
        let choices: Vec<(usize, Arc<Choice>)> = arguments
            .values
            .iter()
            .enumerate()
            .filter_map(|(at, argument)| match &argument.value {
                Value::Choice(choice) => Some((at, choice.clone())),
                _ => None,
            })
            .collect();
        if choices.is_empty() {
            return self.lower(op, arguments);
        }
        let mut cases = vec![Case { when: None, arguments: arguments.clone(), taken: Vec::new() }];
        for (at, choice) in choices {
            let count = cases.len() * choice.branches.len();
            self.spend(count as u64, arguments.call)?;
            cases = cases.iter().flat_map(|case| branches(case, at, &choice)).collect();
        }
        let mut results = Vec::with_capacity(cases.len());
        for case in cases {
            let value = self.lower(op, &case.arguments)?;
            let when = case.when.unwrap_or_else(|| Arc::new(Measured::Bool(true)));
            results.push(Branch { when, value });
        }
        choose(results, &format!("the results of `{}`", op.name), arguments.call)
    }

    /// Calls `.at(…)` of each state that may be chosen.
    pub(super) fn at_each(&mut self, choice: &Choice, given: &[Given], call: Span) -> Evaluated {
        let mut results = Vec::new();
        for branch in &choice.branches {
            results.push(Branch { when: branch.when.clone(), value: self.at(&branch.value, given, call)? });
        }
        choose(results, "the states", call)
    }

    /// Checks that a condition does not choose by test data.
    ///
    /// # Errors
    /// If it does, with both places.
    pub(super) fn check_selection(&self, condition: &Measured, span: Span) -> Evaluated<()> {
        let mut stages = BTreeSet::new();
        condition.collect(&mut stages);
        let test = |id: &NodeId| is_on_test(self.graph.node(*id));
        let Some(id) = stages.into_iter().find(test) else { return Ok(()) };
        let diagnostic =
            error(&codes::TEST_SELECTION, "a program cannot choose by its test images", span, "chooses by this");
        let measured = self.graph.node(id).origins.first().map(|origin| origin.span);
        Err(match measured.filter(|place| *place != span) {
            Some(place) => diagnostic.label(place, "measured on the test images"),
            None => diagnostic,
        }
        .help("measure on `task.val`, and keep `task.test` for what is reported")
        .into())
    }
}

/// Whether a stage measures on the test images of a task.
fn is_on_test(node: &Node) -> bool {
    node.args.fields().and_then(|args| args.get("split")) == Some(&Canon::Str("test".to_owned()))
}

/// The cases of a call in which one argument is each of its branches.
fn branches(case: &Case, at: usize, choice: &Arc<Choice>) -> Vec<Case> {
    let place = |nth: usize| {
        let branch = &choice.branches[nth];
        let mut arguments = case.arguments.clone();
        arguments.values[at].value = branch.value.clone();
        let known = case.admits(choice).is_some();
        let when = match &case.when {
            Some(when) if known => when.clone(),
            Some(when) => Measured::both(when, &branch.when),
            None => branch.when.clone(),
        };
        let mut taken = case.taken.clone();
        taken.push((choice.clone(), nth));
        Case { when: Some(when), arguments, taken }
    };
    match case.admits(choice) {
        Some(nth) => vec![place(nth)],
        None => (0..choice.branches.len()).map(place).collect(),
    }
}

/// Makes one value of those under several conditions.
///
/// # Errors
/// If they are of different kinds.
pub(super) fn choose(branches: Vec<Branch>, what: &str, span: Span) -> Evaluated {
    let kinds: Vec<&str> = branches.iter().map(|branch| repr::kind(&branch.value)).collect();
    let message = format!("{what} are not of one kind: {}", kinds.join(", "));
    Value::choose(branches)
        .ok_or_else(|| error(&codes::MISMATCH, message, span, "measurements would choose between these").into())
}

/// Reads a field of whichever value is chosen.
pub(super) fn field_of_each(choice: &Choice, name: &str, span: Span) -> Evaluated {
    let mut results = Vec::new();
    for branch in &choice.branches {
        results.push(Branch { when: branch.when.clone(), value: field(&branch.value, name, span)? });
    }
    choose(results, &format!("the fields `{name}`"), span)
}

/// Takes the condition off a value that exists only under one; elements of a tuple share theirs.
pub(super) fn uncover(value: &Value) -> Option<(Arc<Measured>, Value)> {
    match value {
        Value::Choice(choice) => match choice.branches.as_slice() {
            [only] => Some((only.when.clone(), only.value.clone())),
            _ => None,
        },
        Value::Tuple(items) => {
            let mut condition: Option<Arc<Measured>> = None;
            let mut bare = Vec::with_capacity(items.len());
            for item in items.iter() {
                let Some((when, inner)) = uncover(item) else {
                    bare.push(item.clone());
                    continue;
                };
                condition = Some(match condition {
                    Some(known) if Arc::ptr_eq(&known, &when) || known == when => known,
                    Some(known) => Measured::both(&known, &when),
                    None => when,
                });
                bare.push(inner);
            }
            condition.map(|when| (when, Value::Tuple(Arc::new(bare))))
        }
        _ => None,
    }
}

/// Takes the condition off a value, if it exists only under one.
pub(super) fn bare(value: Value) -> (Option<Arc<Measured>>, Value) {
    match uncover(&value) {
        Some((when, value)) => (Some(when), value),
        None => (None, value),
    }
}

/// Returns the last element of a list that ends where a condition says: the last of those that exist.
pub(super) fn last_existing(items: &[Value]) -> Option<Value> {
    let mut branches = Vec::new();
    let mut later: Option<Arc<Measured>> = None;
    for item in items.iter().rev() {
        let not_later = later.as_ref().map(|later| Arc::new(Measured::Not(later.clone())));
        let Some((when, value)) = uncover(item) else {
            let when = not_later.unwrap_or_else(|| Arc::new(Measured::Bool(true)));
            branches.push(Branch { when, value: item.clone() });
            break;
        };
        let condition = not_later.map_or_else(|| when.clone(), |not_later| Measured::both(&when, &not_later));
        branches.push(Branch { when: condition, value });
        // What exists later exists only if this one does.
        later = Some(when);
    }
    branches.reverse();
    Value::choose(branches)
}

/// Reports a condition that is none.
pub(super) fn no_condition(value: &Value, span: Span) -> Stop {
    let message = format!("a condition is needed here, not {}", repr::kind(value));
    error(&codes::MISMATCH, message, span, "not a truth value").into()
}
