//! Where in the program a change was made: from the call that asks for a stage to the argument that says so.

use std::collections::BTreeMap;

use super::figures;
use crate::eval::Program;
use crate::plan::compare::{Aspect, Difference};
use crate::source::{Sources, Span};
use crate::syntax::tree::{Arg, Binding, Block, Entry, Expr, ExprKind, File, ItemKind, Pattern};
use crate::types::Typed;
use crate::value::number;

/// How many names are followed to their definitions.
const FOLLOWED: usize = 6;

/// A place in a text, and what to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) span: Span,
    pub(super) note: String,
}

/// Finds the expression under `call` that a difference comes from: an argument with its name or its value, also behind
/// the names of definitions; the call itself where none can be told.
pub(super) fn locate(typed: &Typed, program: &Program, call: Span, difference: &Difference) -> Site {
    let module = typed.linked.modules.iter().find(|module| module.file.id == call.file);
    let found = module.and_then(|module| {
        let definitions = Definitions::of(&module.file);
        let start = definitions.find(call)?;
        let mut search = Search { program, definitions: &definitions, difference, best: None, followed: Vec::new() };
        search.look(start, false);
        search.best
    });
    found.map_or_else(|| Site { span: call, note: "asked for here".to_owned() }, |(_, site)| site)
}

/// Shows a place as a line of its text with a mark under it.
pub(super) fn excerpt(sources: &Sources, site: &Site) -> String {
    let file = sources.get(site.span.file);
    let (line, column) = file.line_column(site.span.start);
    let text = file.text.lines().nth(line - 1).unwrap_or_default();
    let marked = sources.slice(site.span).lines().next().unwrap_or_default().chars().count().max(1);
    let number = line.to_string();
    let blank = " ".repeat(number.len());
    let before: String = text.chars().take(column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let mark = "^".repeat(marked);
    format!("{}:{line}:{column}\n{number} | {text}\n{blank} | {before}{mark} {}\n", file.name, site.note)
}

/// The expressions of a file that have names.
struct Definitions<'a> {
    values: BTreeMap<&'a str, Vec<&'a Expr>>,
    roots: Vec<&'a Expr>,
}

impl<'a> Definitions<'a> {
    fn of(file: &'a File) -> Self {
        let mut roots = Vec::new();
        let mut values: BTreeMap<&str, Vec<&Expr>> = BTreeMap::new();
        for item in &file.items {
            match &item.kind {
                ItemKind::Binding(binding) => {
                    name(&mut values, binding);
                    roots.push(&binding.value);
                }
                ItemKind::Param(param) => roots.extend(&param.default),
                ItemKind::Function(function) => roots.extend(&function.body),
                ItemKind::Table(output) | ItemKind::Plot(output) => roots.push(&output.value),
                ItemKind::Claim(claim) => roots.push(&claim.value),
                ItemKind::Expect(condition) => roots.push(condition),
                ItemKind::Import(_) | ItemKind::Test(_) => {}
            }
        }
        let mut open = roots.clone();
        while let Some(expr) = open.pop() {
            if let ExprKind::Block(Block { bindings, .. }) = &*expr.kind {
                bindings.iter().for_each(|binding| name(&mut values, binding));
            }
            open.extend(parts(expr));
        }
        Self { values, roots }
    }

    /// Finds the outermost expression with exactly this span; the call after a pipe has one of its own.
    fn find(&self, span: Span) -> Option<&'a Expr> {
        let mut open = self.roots.clone();
        while let Some(expr) = open.pop() {
            if expr.span == span {
                return Some(expr);
            }
            open.extend(
                parts(expr).into_iter().filter(|part| part.span.start <= span.start && span.end <= part.span.end),
            );
        }
        None
    }

    /// The value of a name at a place: the last definition before it.
    fn value(&self, name: &str, at: Span) -> Option<&'a Expr> {
        let values = self.values.get(name)?;
        let before = values.iter().filter(|value| value.span.end <= at.start).max_by_key(|value| value.span.start);
        before.or_else(|| values.first()).copied()
    }
}

fn name<'a>(values: &mut BTreeMap<&'a str, Vec<&'a Expr>>, binding: &'a Binding) {
    if let Pattern::Name(name) = &binding.pattern {
        values.entry(&name.text).or_default().push(&binding.value);
    }
}

struct Search<'a> {
    program: &'a Program,
    definitions: &'a Definitions<'a>,
    difference: &'a Difference,
    best: Option<(u32, Site)>,
    followed: Vec<&'a str>,
}

impl<'a> Search<'a> {
    /// Looks at an expression and everything in it. `labelled`: it is an argument with one of the names looked for.
    fn look(&mut self, expr: &'a Expr, labelled: bool) {
        self.judge(expr, labelled);
        match &*expr.kind {
            ExprKind::Call(callee, args) => {
                self.look(callee, false);
                args.iter().for_each(|arg| self.argument(arg));
            }
            ExprKind::Record(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Field(name, value) => self.look(value, self.is_wanted(&name.text)),
                        Entry::Spread(value) => self.look(value, false),
                    }
                }
            }
            ExprKind::Name(name) => self.follow(name, expr.span, labelled),
            _ => parts(expr).into_iter().for_each(|part| self.look(part, labelled)),
        }
    }

    fn argument(&mut self, arg: &'a Arg) {
        let labelled = arg.label.as_ref().is_some_and(|label| self.is_wanted(&label.text));
        self.look(&arg.value, labelled);
    }

    fn is_wanted(&self, label: &str) -> bool {
        self.difference.path.iter().any(|step| step == label)
    }

    fn judge(&mut self, expr: &'a Expr, labelled: bool) {
        let param = match &*expr.kind {
            ExprKind::Name(name) => self.program.params.iter().find(|param| param.name == **name),
            _ => None,
        };
        let shown = param.map_or_else(|| literal(expr), |param| Some(param.value.clone()));
        let equal = shown.as_ref().is_some_and(|shown| *shown == self.difference.after);
        let score = 2 * u32::from(equal) + u32::from(labelled);
        if score == 0 || self.best.as_ref().is_some_and(|(best, _)| *best >= score) {
            return;
        }
        let note = match param {
            Some(param) if param.overridden => format!("`{}` is set to {} from outside", param.name, param.value),
            Some(param) if equal => format!("`{}` is {}", param.name, param.value),
            _ => format!("now {}", self.difference.after),
        };
        self.best = Some((score, Site { span: expr.span, note }));
    }

    fn follow(&mut self, name: &'a str, at: Span, labelled: bool) {
        if self.followed.len() >= FOLLOWED || self.followed.contains(&name) {
            return;
        }
        if let Some(value) = self.definitions.value(name, at) {
            self.followed.push(name);
            self.look(value, labelled);
            self.followed.pop();
        }
    }
}

/// Writes a literal as differences are written.
fn literal(expr: &Expr) -> Option<String> {
    match &*expr.kind {
        ExprKind::Bool(value) => Some(value.to_string()),
        ExprKind::Int(value) => Some(value.to_string()),
        ExprKind::Float(value) => Some(number::shown(*value)),
        ExprKind::Quantity(value, unit) => Some(format!("{}{}", number::shown(*value), unit.suffix())),
        ExprKind::Str(text) => Some(text.to_string()),
        ExprKind::Paren(inner) => literal(inner),
        _ => None,
    }
}

/// Returns the expressions directly inside another, in order.
fn parts(expr: &Expr) -> Vec<&Expr> {
    match &*expr.kind {
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().collect(),
        ExprKind::Record(entries) => entries
            .iter()
            .map(|entry| match entry {
                Entry::Field(_, value) | Entry::Spread(value) => value,
            })
            .collect(),
        ExprKind::Block(block) => {
            block.bindings.iter().map(|binding| &binding.value).chain(std::iter::once(&block.value)).collect()
        }
        ExprKind::Paren(inner) | ExprKind::Field(inner, _) | ExprKind::Unary(_, inner) => vec![inner],
        ExprKind::Index(a, b) | ExprKind::Pipe(a, b) => vec![a, b],
        ExprKind::Call(callee, args) => std::iter::once(callee).chain(args.iter().map(|arg| &arg.value)).collect(),
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::Range { start, end, .. } => vec![start, end],
        ExprKind::Lambda(lambda) => vec![&lambda.body],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
        ExprKind::For { over, condition, body, .. } => {
            std::iter::once(over).chain(condition).chain(std::iter::once(body)).collect()
        }
        ExprKind::Sweep { axes, condition, body } => {
            axes.iter().map(|axis| &axis.over).chain(condition).chain(std::iter::once(body)).collect()
        }
        _ => Vec::new(),
    }
}

/// Says what differs in one line: `rate 20% -> 30%`, `lr from 24ep on 0.1 -> 0.01`.
pub(super) fn sentence(difference: &Difference) -> String {
    let Difference { aspect, before, after, from, .. } = difference;
    let name = difference.name();
    let name = match aspect {
        Aspect::Data => format!("data `{name}`"),
        Aspect::Inputs => format!("input {name}"),
        _ => name,
    };
    let place = from.as_ref().map(|from| format!(" from {from} on")).unwrap_or_default();
    format!("{name}{place} {before} -> {after}")
}

/// Joins what differs; more than a few differences are counted.
pub(super) fn sentences(differences: &[Difference]) -> String {
    const SHOWN: usize = 4;
    let mut shown: Vec<String> = differences.iter().take(SHOWN).map(sentence).collect();
    if differences.len() > SHOWN {
        shown.push(figures::counted(differences.len() - SHOWN, "further difference"));
    }
    shown.join(", ")
}
