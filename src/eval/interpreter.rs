//! The evaluator's state: budget, open calls, definitions evaluated so far, the graph that grows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::flow::destructure;
use super::schedule::{Milestones, Samples};
use super::settings::Overrides;
use super::{Fingerprints, builtins};
use crate::diag::codes::evaluation as codes;
use crate::diag::{Code, Diagnostic};
use crate::graph::Graph;
use crate::ops;
use crate::ops::lowering::Argument;
use crate::resolve::{Linked, ModuleId, Target};
use crate::source::{FileId, Span};
use crate::syntax::tree::{self, Expr, ItemKind};
use crate::types::{Plain, Typed};
use crate::value::{Course, Env, Evaluated, Function, Native, NativeKind, Step, Stop, Value, number};

/// Steps of one evaluation.
pub(super) const BUDGET: u64 = 10_000_000;
/// Open calls.
pub(super) const MAX_DEPTH: usize = 1000;
/// A function that has called itself so often was probably not meant to.
const RECURSION: usize = 16;
/// Calls around a stage that its origin remembers.
const TRAIL: usize = 16;

/// Where an expression is evaluated: its module and its local names.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) module: ModuleId,
    pub(super) env: Env,
}

impl Scope {
    pub(super) fn top(module: ModuleId) -> Self {
        Self { module, env: Env::default() }
    }

    pub(super) fn bind(&self, name: Arc<str>, value: Value) -> Self {
        Self { module: self.module, env: self.env.bind(name, value) }
    }
}

/// A definition at top level.
enum Slot {
    Busy,
    Known(Vec<(Arc<str>, Value)>),
    Failed,
}

/// The evaluator.
pub(super) struct Interpreter<'a> {
    pub(super) linked: &'a Linked,
    floats: &'a BTreeSet<Span>,
    sums: &'a BTreeMap<Span, Plain>,
    pub(super) overrides: &'a Overrides,
    pub(super) data: &'a dyn Fingerprints,
    pub(super) graph: Graph,
    /// First words of each stage's name, by its id.
    pub(super) titles: Vec<String>,
    /// Files of weights by digest.
    pub(super) files: BTreeMap<String, PathBuf>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What is no mistake, but hardly what is meant.
    pub(super) warnings: Vec<Diagnostic>,
    slots: HashMap<(ModuleId, usize), Slot>,
    /// Values of global names by their place in the tree.
    known: HashMap<(usize, ModuleId), Value>,
    pub(super) steps: u64,
    pub(super) depth: usize,
    /// Calls that are open, outermost first.
    pub(super) trail: Vec<Span>,
    /// Functions of the language that are open, outermost first.
    pub(super) calling: Vec<*const tree::Function>,
    /// Axes of the sweeps that are open.
    pub(super) axes: Vec<(Arc<str>, Value)>,
    /// What an epoch is, while a schedule is sampled.
    pub(super) course: Option<Course>,
    pub(super) samples: Samples,
    /// What the schedule that is being sampled compares its step with.
    pub(super) milestones: Option<Milestones>,
}

/// Adds a message, unless it is there: a function that is called twice is wrong once.
fn add(messages: &mut Vec<Diagnostic>, new: Diagnostic) {
    let same = |known: &Diagnostic| known.message == new.message && known.labels == new.labels;
    if !messages.iter().any(same) {
        messages.push(new);
    }
}

impl<'a> Interpreter<'a> {
    pub(super) fn new(typed: &'a Typed, overrides: &'a Overrides, data: &'a dyn Fingerprints) -> Self {
        Self {
            linked: &typed.linked,
            floats: &typed.floats,
            sums: &typed.sums,
            overrides,
            data,
            graph: Graph::default(),
            titles: Vec::new(),
            files: BTreeMap::new(),
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            slots: HashMap::new(),
            known: HashMap::new(),
            steps: BUDGET,
            depth: 0,
            trail: Vec::new(),
            calling: Vec::new(),
            axes: Vec::new(),
            course: None,
            samples: Samples::default(),
            milestones: None,
        }
    }

    /// Takes one step from the budget.
    pub(super) fn tick(&mut self, span: Span) -> Evaluated<()> {
        self.spend(1, span)
    }

    /// Takes steps from the budget.
    pub(super) fn spend(&mut self, steps: u64, span: Span) -> Evaluated<()> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(error(
                &codes::TOO_MANY_STEPS,
                "the program takes more than ten million steps to evaluate",
                span,
                "still busy here",
            )
            .help("make the lists shorter, or check that the recursion ends")
            .into()),
        }
    }

    /// Evaluates something one call deeper.
    pub(super) fn deeper<T>(&mut self, call: Span, work: impl FnOnce(&mut Self) -> Evaluated<T>) -> Evaluated<T> {
        if self.depth >= MAX_DEPTH {
            return Err(error(
                &codes::TOO_DEEP,
                "calls are nested more than a thousand deep",
                call,
                "one call too many",
            )
            .help("check that the recursion ends; `fold` and `iterate` need no recursion")
            .into());
        }
        self.depth += 1;
        self.trail.push(call);
        let done = work(self);
        self.trail.pop();
        self.depth -= 1;
        done.map_err(|stop| self.called_from(stop, call))
    }

    /// Adds the innermost call in one of the user's files to a mistake that lies in the standard library.
    fn called_from(&self, stop: Stop, call: Span) -> Stop {
        let Stop::Error(mut diagnostic) = stop else { return stop };
        let theirs = diagnostic.labels.first().is_none_or(|label| !self.is_users(label.span.file));
        if theirs && self.is_users(call.file) {
            let here = crate::diag::Label { span: call, text: "in this call".to_owned() };
            if diagnostic.labels.iter().any(|label| self.is_users(label.span.file)) {
                diagnostic.labels[0].span = call;
            } else {
                diagnostic.labels.truncate(1);
                diagnostic.labels.insert(0, here);
            }
        } else if self.is_users(call.file) {
            // The second place may lie in the library, too.
            for label in diagnostic.labels.iter_mut().filter(|label| !self.is_users(label.span.file)) {
                label.span = call;
            }
        }
        Stop::Error(diagnostic)
    }

    /// Moves the labels of a mistake from the parameters of a library function to what its caller gave for them, and
    /// says so if the function had called itself over and over.
    pub(super) fn traced(
        &self,
        stop: Stop,
        function: &Arc<tree::Function>,
        arguments: &[Argument],
        call: Span,
    ) -> Stop {
        let Stop::Error(mut diagnostic) = stop else { return stop };
        for label in &mut diagnostic.labels {
            if self.is_users(label.span.file) || label.span.file != function.name.span.file {
                continue;
            }
            let text = self.linked.sources.slice(label.span);
            let place = function.formals.iter().position(|formal| &*formal.name.text == text);
            match place.and_then(|at| arguments.get(at)) {
                Some(argument) if argument.given => label.span = argument.span,
                Some(_) => label.span = call,
                None => {}
            }
        }
        let open = self.calling.iter().filter(|open| **open == Arc::as_ptr(function)).count();
        if open >= RECURSION && diagnostic.code.id != codes::TOO_DEEP.id {
            let name = &function.name.text;
            diagnostic.help = Some(format!(
                "`{name}` had called itself {open} times: check that it ends, as with `if times <= 0 {{ s }} else {{ … }}`"
            ));
        }
        Stop::Error(diagnostic)
    }

    pub(super) fn is_users(&self, file: FileId) -> bool {
        self.linked.sources.get(file).path.is_some() || self.linked.module(self.linked.root).file.id == file
    }

    /// Returns the innermost call in one of the user's files, and the calls around it, innermost first.
    pub(super) fn callers(&self) -> (Option<Span>, Vec<Span>) {
        let theirs = self.trail.iter().rposition(|call| self.is_users(call.file));
        let at = theirs.or(self.trail.len().checked_sub(1)).unwrap_or(0);
        (self.trail.get(at).copied(), self.trail[..at].iter().rev().take(TRAIL).copied().collect())
    }

    /// Finds the expression that stands at a place.
    pub(super) fn expression_at(&self, span: Span) -> Option<&Expr> {
        let holds = |outer: Span| outer.file == span.file && outer.start <= span.start && span.end <= outer.end;
        let module = self.linked.modules.iter().find(|module| module.file.id == span.file)?;
        let item = module.file.items.iter().find(|item| holds(item.span))?;
        let mut next = item.expressions().into_iter().find(|expr| holds(expr.span));
        while let Some(expr) = next.filter(|expr| expr.span != span) {
            next = expr.children().into_iter().find(|child| holds(child.span));
        }
        next
    }

    /// Reports a mistake.
    pub(super) fn report(&mut self, stop: Stop) {
        if let Stop::Error(diagnostic) = stop {
            // A function that is called twice is wrong once.
            add(&mut self.diagnostics, *diagnostic);
        }
    }

    /// Says what is no mistake, but hardly what is meant.
    pub(super) fn warn(&mut self, warning: Diagnostic) {
        add(&mut self.warnings, warning);
    }

    /// Returns the sum of an empty list, which is in the unit of its elements.
    pub(super) fn nothing(&self, list: Span) -> Value {
        let zero = number::whole(0);
        match self.sums.get(&list) {
            Some(Plain::Float) => Value::Float(0.0),
            Some(Plain::Points) => Value::Points(zero),
            Some(Plain::Step) => Value::Step(Arc::new(Step::zero())),
            Some(Plain::Time) => Value::Time(zero),
            Some(Plain::Bytes) => Value::Bytes(zero),
            _ => Value::Int(0),
        }
    }

    pub(super) fn is_float(&self, literal: Span) -> bool {
        self.floats.contains(&literal)
    }

    /// Finds a name that is not local.
    pub(super) fn global(&mut self, module: ModuleId, name: &Arc<str>, span: Span) -> Evaluated {
        let place = (Arc::as_ptr(name).cast::<u8>() as usize, module);
        if let Some(value) = self.known.get(&place) {
            return Ok(value.clone());
        }
        let value = match self.linked.lookup(module, name) {
            Some(Target::Item { module, item }) => self.item(module, item, name, span)?,
            Some(Target::Module(_)) => {
                return Err(
                    error(&codes::MISMATCH, format!("`{name}` is a module, not a value"), span, "a module").into()
                );
            }
            Some(Target::Unknown) => return Err(Stop::Reported),
            None => return Err(error(&codes::MISMATCH, format!("`{name}` is not defined"), span, "unknown").into()),
        };
        self.known.insert(place, value.clone());
        Ok(value)
    }

    /// Returns the value of a name that an item defines.
    pub(super) fn item(&mut self, module: ModuleId, item: usize, name: &str, span: Span) -> Evaluated {
        let node = self.linked.item(module, item);
        if let ItemKind::Function(function) = &node.kind {
            return function_value(function, module, span);
        }
        let at = (module, item);
        match self.slots.get(&at) {
            None => self.force(module, item),
            Some(Slot::Busy) => {
                return Err(error(
                    &codes::TOO_DEEP,
                    format!("the value of `{name}` needs itself"),
                    span,
                    "needed here",
                )
                .help("break the circle")
                .into());
            }
            Some(_) => {}
        }
        match self.slots.get(&at) {
            Some(Slot::Known(values)) => {
                values.iter().find(|(known, _)| &**known == name).map(|(_, value)| value.clone()).ok_or(Stop::Reported)
            }
            _ => Err(Stop::Reported),
        }
    }

    /// Returns the values that a module's definitions have come to.
    pub(super) fn values_of(&self, module: ModuleId) -> BTreeMap<Arc<str>, Value> {
        let mut values = BTreeMap::new();
        for item in 0..self.linked.module(module).file.items.len() {
            if let Some(Slot::Known(known)) = self.slots.get(&(module, item)) {
                values.extend(known.iter().cloned());
            }
        }
        values
    }

    /// Evaluates a definition at top level, outside of any open call or sweep.
    pub(super) fn force(&mut self, module: ModuleId, item: usize) {
        if self.slots.contains_key(&(module, item)) {
            return;
        }
        self.slots.insert((module, item), Slot::Busy);
        let axes = std::mem::take(&mut self.axes);
        let trail = std::mem::take(&mut self.trail);
        let course = self.course.take();
        let found = self.definition(module, item);
        (self.axes, self.trail, self.course) = (axes, trail, course);
        let slot = match found {
            Ok(values) => Slot::Known(values),
            Err(stop) => {
                self.report(stop);
                Slot::Failed
            }
        };
        self.slots.insert((module, item), slot);
    }

    fn definition(&mut self, module: ModuleId, item: usize) -> Evaluated<Vec<(Arc<str>, Value)>> {
        let linked = self.linked;
        match &linked.item(module, item).kind {
            ItemKind::Binding(binding) if binding.builtin => binding
                .pattern
                .names()
                .iter()
                .map(|name| {
                    let value = builtins::constant(&name.text).ok_or_else(|| not_built(&name.text, name.span))?;
                    Ok((name.text.clone(), value))
                })
                .collect(),
            ItemKind::Binding(binding) => {
                let scope = Scope::top(module);
                let value = self.eval(&scope, &binding.value)?;
                destructure(&binding.pattern, value)
            }
            ItemKind::Param(param) => Ok(vec![(param.name.text.clone(), self.param(module, param)?)]),
            _ => Ok(Vec::new()),
        }
    }
}

/// Makes the value of a declared or built-in function.
fn function_value(function: &Arc<tree::Function>, module: ModuleId, span: Span) -> Evaluated {
    if function.body.is_some() {
        return Ok(Value::Function(Function::Declared(function.clone(), module)));
    }
    let name = &*function.name.text;
    let stage = || ops::stages::ALL.iter().position(|op| op.name == name).map(NativeKind::Stage);
    let kind = builtins::find(name).map(NativeKind::Builtin).or_else(stage).ok_or_else(|| not_built(name, span))?;
    Ok(Value::Function(Function::Native(Arc::new(Native { kind, declaration: function.clone(), module }))))
}

fn not_built(name: &str, span: Span) -> Diagnostic {
    error(&codes::MISMATCH, format!("this pdsl has no `{name}`"), span, "declared, but not built in")
}

/// Makes an error with one place.
pub(super) fn error(
    code: &'static Code,
    message: impl Into<String>,
    span: Span,
    label: impl Into<String>,
) -> Diagnostic {
    Diagnostic::error(code, message).label(span, label)
}
