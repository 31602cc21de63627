//! Items: definitions are typed when first needed, outputs when their turn comes.

use std::sync::Arc;

use super::super::signature::{Formal, Reader, Signature};
use super::super::ty::{Plain, Ty};
use super::advice::axis_of;
use super::origin::Local;
use super::{Checker, Entry};
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::{ModuleId, Target};
use crate::source::Span;
use crate::syntax::tree::{self, BinaryOp, Binding, Expr, ExprKind, Function, ItemKind, Param, Pattern, TestItem};

impl Checker<'_> {
    /// Checks an item completely.
    pub(in super::super) fn item(&mut self, module: ModuleId, index: usize) {
        let linked = self.linked;
        match &linked.item(module, index).kind {
            ItemKind::Import(_) => {}
            ItemKind::Param(_) | ItemKind::Binding(_) => {
                self.entry(module, index);
            }
            ItemKind::Function(function) => {
                self.entry(module, index);
                self.function_body(module, index, function);
            }
            kind => self.at_top_of(module, |checker| checker.output(kind)),
        }
    }

    /// Checks an expression at top level of a module.
    pub(in super::super) fn value(&mut self, module: ModuleId, expr: &Expr, ty: &Ty, what: &str) {
        self.at_top_of(module, |checker| checker.check(expr, ty, what));
    }

    fn output(&mut self, kind: &ItemKind) {
        match kind {
            ItemKind::Table(output) => self.table(output),
            ItemKind::Plot(output) => {
                let what = format!("the value of plot `{}`", output.name.text);
                self.check(&output.value, &Plain::Plot.into(), &what);
            }
            ItemKind::Claim(claim) => {
                let what = format!("the value of claim `{}`", claim.name.text);
                if !self.compared(&claim.value, &what) {
                    self.check(&claim.value, &Plain::Verdict.into(), &what);
                }
            }
            ItemKind::Expect(condition) => self.expectation(condition),
            ItemKind::Test(test) => self.test(test),
            _ => {}
        }
    }

    /// Reports a claim that compares columns by an operator; says whether it does.
    fn compared(&mut self, value: &Expr, what: &str) -> bool {
        let ExprKind::Binary { op, left, right, .. } = &*value.kind else { return false };
        let (better, worse) = match op {
            BinaryOp::GreaterEqual | BinaryOp::Greater | BinaryOp::Equal | BinaryOp::NotEqual => (left, right),
            BinaryOp::LessEqual | BinaryOp::Less => (right, left),
            _ => return false,
        };
        // What is subtracted from the one or added to the other is the margin.
        let parted = |side: &'_ Expr| match &*side.kind {
            ExprKind::Binary { op: BinaryOp::Add | BinaryOp::Subtract, left, right, .. } => {
                (left.clone(), Some(right.clone()))
            }
            _ => (side.clone(), None),
        };
        let ((better, a), (worse, b)) = (parted(better), parted(worse));
        let (Ty::Column(column), Ty::Column(_)) = (self.silent(&better), self.silent(&worse)) else { return false };
        let axis = axis_of(column.as_ref().and_then(|column| column.row.as_deref()));
        let (x, y) = (self.source(better.span), self.source(worse.span));
        let margin = a.as_ref().or(b.as_ref()).map_or("2pp", |margin| self.source(margin.span));
        let (test, call) = match op {
            BinaryOp::Equal => ("equivalent", format!("equivalent({x}, to: {y}, margin: {margin}, over: .{axis})")),
            BinaryOp::NotEqual => ("differs", format!("differs({x}, from: {y}, over: .{axis})")),
            BinaryOp::Greater | BinaryOp::Less if a.is_none() && b.is_none() => {
                ("differs", format!("differs({x}, from: {y}, over: .{axis})"))
            }
            _ => ("not_worse", format!("not_worse({x}, than: {y}, margin: {margin}, over: .{axis})")),
        };
        let known = self.linked.lookup(self.module, test).is_some();
        let import = if known { String::new() } else { format!(", and add `import std.stats.{{{test}}}`") };
        let message = format!("{what} must be a test over replicates, but this compares columns");
        let diagnostic = Diagnostic::error(&codes::MISMATCH, message)
            .label(value.span, "not a test")
            .help(format!("write `{call}`{import}"));
        self.report(if known { diagnostic.in_place_of(value.span) } else { diagnostic });
        true
    }

    fn table(&mut self, output: &tree::Output) {
        let found = self.infer(&output.value);
        match self.solver.shallow(&found) {
            Ty::Rows(_) | Ty::Plain(Plain::Table) | Ty::Error => {}
            other => {
                let what = format!("the value of table `{}`", output.name.text);
                self.mismatch(&output.value, &other, &Plain::Table.into(), &what);
            }
        }
    }

    /// An `expect` at top level may wait for a measurement.
    fn expectation(&mut self, condition: &Expr) {
        let found = self.infer(condition);
        let found = self.solver.shallow(&found);
        let (inner, _) = found.unmeasured();
        if !self.solver.unify(inner, &Plain::Bool.into()) {
            self.mismatch(condition, &found, &Plain::Bool.into(), "what is expected");
        }
    }

    fn test(&mut self, test: &tree::Test) {
        self.within([] as [Local; 0], |checker| {
            for item in &test.body {
                match item {
                    TestItem::Binding(binding) => checker.local_binding(binding),
                    TestItem::Expect(condition) => {
                        checker.check(condition, &Plain::Bool.into(), "what a test expects");
                    }
                }
            }
        });
    }

    /// Returns the type of a name that is not local.
    pub(super) fn target(&mut self, target: Target, name: &str, span: Span) -> Ty {
        let Target::Item { module, item } = target else { return Ty::Error };
        match self.entry(module, item) {
            Entry::Busy => self.recursion(module, item, span),
            Entry::Values(values) => {
                values.into_iter().find(|(bound, _)| &**bound == name).map_or(Ty::Error, |(_, ty)| ty)
            }
            Entry::Function(signature) => self.as_value(&signature),
        }
    }

    /// Returns a function's signature if the name stands for one.
    pub(super) fn signature(&mut self, target: Target) -> Option<Arc<Signature>> {
        let Target::Item { module, item } = target else { return None };
        match &self.linked.item(module, item).kind {
            ItemKind::Function(_) => match self.entry(module, item) {
                Entry::Function(signature) => Some(signature),
                _ => None,
            },
            _ => None,
        }
    }

    fn recursion(&mut self, module: ModuleId, item: usize, span: Span) -> Ty {
        // A circle of values is reported with the names.
        if let ItemKind::Function(function) = &self.linked.item(module, item).kind {
            let message = format!("`{}` calls itself, so its result type must be written", function.name.text);
            self.report(
                Diagnostic::error(&codes::RESULT_TYPE, message)
                    .label(span, "needs its own result type here")
                    .label(function.name.span, "defined here without one")
                    .help("write `-> …` after the parameters"),
            );
        }
        Ty::Error
    }

    fn as_value(&mut self, signature: &Signature) -> Ty {
        let open: Vec<Ty> = signature.generics.iter().map(|_| self.solver.fresh()).collect();
        self.solver.instantiate(&signature.as_type(), &open)
    }

    /// Types a definition if that has not been done yet.
    pub(super) fn entry(&mut self, module: ModuleId, index: usize) -> Entry {
        if let Some(known) = self.items.get(&(module, index)) {
            return known.clone();
        }
        if let Some(known) = self.known.and_then(|items| items.get(&(module, index))) {
            return known.clone();
        }
        self.items.insert((module, index), Entry::Busy);
        let linked = self.linked;
        let entry = self.at_top_of(module, |checker| match &linked.item(module, index).kind {
            ItemKind::Param(param) => Entry::Values(vec![checker.param(param)]),
            ItemKind::Binding(binding) => Entry::Values(checker.top_binding(binding)),
            ItemKind::Function(function) => Entry::Function(Arc::new(checker.function(module, index, function))),
            _ => Entry::Values(Vec::new()),
        });
        let is_open = |ty: &Ty| self.solver.is_open(&self.settled(ty));
        let open = match &entry {
            Entry::Values(names) => names.iter().any(|(_, ty)| is_open(ty)),
            Entry::Function(signature) => is_open(&signature.result),
            Entry::Busy => false,
        };
        if open {
            self.open.insert((module, index));
        }
        self.items.insert((module, index), entry.clone());
        entry
    }

    /// Checks an item that may be another than the module has at its place.
    pub(in super::super) fn detached(&mut self, module: ModuleId, item: &tree::Item) {
        self.at_top_of(module, |checker| match &item.kind {
            ItemKind::Import(_) => {}
            ItemKind::Param(param) => {
                let (_, ty) = checker.param(param);
                checker.note(param.name.span, &ty);
            }
            ItemKind::Binding(binding) => drop(checker.top_binding(binding)),
            ItemKind::Function(function) => {
                // No item has this place.
                let signature = checker.function(module, usize::MAX, function);
                if let (Some(_), Some(body)) = (&function.result, &function.body) {
                    checker.defaults(function, &signature);
                    checker.within(locals(&signature), |checker| checker.check(body, &signature.result, "the result"));
                }
            }
            kind => checker.output(kind),
        });
    }

    fn param(&mut self, param: &Param) -> (Arc<str>, Ty) {
        let ty = self.annotation(&param.ty);
        if let Some(default) = &param.default {
            self.check(default, &ty, &format!("the default of `{}`", param.name.text));
        }
        if let Some(condition) = &param.condition {
            self.within([(param.name.text.clone(), ty.clone())], |checker| {
                checker.check(condition, &Plain::Bool.into(), "the condition after `where`");
            });
        }
        (param.name.text.clone(), ty)
    }

    fn top_binding(&mut self, binding: &Binding) -> Vec<(Arc<str>, Ty)> {
        let builtin = matches!(*binding.value.kind, ExprKind::Error);
        match (&binding.ty, builtin) {
            (Some(ty), true) => {
                let ty = self.annotation(ty);
                binding.pattern.names().iter().map(|name| (name.text.clone(), ty.clone())).collect()
            }
            _ => self.bind(binding),
        }
    }

    /// Types a binding's value and takes it apart.
    pub(super) fn bind(&mut self, binding: &Binding) -> Vec<(Arc<str>, Ty)> {
        let ty = match &binding.ty {
            Some(annotation) => {
                let ty = self.annotation(annotation);
                let names: Vec<_> = binding.pattern.names().iter().map(|name| format!("`{}`", name.text)).collect();
                let found = self.check(&binding.value, &ty, &format!("the value of {}", names.join(", ")));
                // `Rows` without columns keeps the columns of its value.
                if matches!(ty, Ty::Rows(None) | Ty::Column(None)) { found } else { ty }
            }
            None => self.infer(&binding.value),
        };
        self.pattern(&binding.pattern, &ty)
    }

    /// Adds a local binding to the current scope.
    pub(super) fn local_binding(&mut self, binding: &Binding) {
        let names = self.bind(binding);
        let origin =
            if let (Pattern::Name(_), None) = (&binding.pattern, &binding.ty) { Some(&binding.value) } else { None };
        self.locals.extend(names.into_iter().map(|name| Local::from(name).made_from(origin)));
    }

    fn annotation(&mut self, ty: &tree::Type) -> Ty {
        Reader { generics: &[], diagnostics: &mut self.diagnostics }.read(ty)
    }

    fn function(&mut self, module: ModuleId, index: usize, function: &Function) -> Signature {
        let library = self.linked.module(module).library;
        if let (Some(generic), false) = (function.generics.first(), library) {
            self.report(
                Diagnostic::error(&codes::GENERIC_FUNCTION, format!("`{}` has a type variable", function.name.text))
                    .label(generic.span, "only built-in functions have type variables")
                    .help("write the types that it is used with"),
            );
        }
        let formals: Vec<Formal> = function.formals.iter().map(|formal| self.formal(function, formal)).collect();
        function.formals.iter().zip(&formals).for_each(|(formal, typed)| self.note(formal.name.span, &typed.ty));
        let mut signature = Signature {
            name: function.name.text.clone(),
            module,
            generics: function.generics.iter().map(|generic| generic.text.clone()).collect(),
            formals,
            result: Ty::Error,
            builtin: function.body.is_none(),
        };
        signature.result = match (&function.result, &function.body) {
            (Some(result), _) => {
                Reader { generics: &function.generics, diagnostics: &mut self.diagnostics }.read(result)
            }
            (None, Some(body)) => {
                self.checked.insert((module, index));
                self.defaults(function, &signature);
                let result = self.within(locals(&signature), |checker| checker.infer(body));
                self.solver.resolve(&result)
            }
            (None, None) => Ty::Error,
        };
        signature
    }

    fn formal(&mut self, function: &Function, formal: &tree::Formal) -> Formal {
        let ty = if let Some(ty) = &formal.ty {
            Reader { generics: &function.generics, diagnostics: &mut self.diagnostics }.read(ty)
        } else {
            if matches!(&*formal.name.text, "self" | "this" | "cls") {
                let message = format!("functions belong to no value: there is no `{}`", formal.name.text);
                self.report(
                    Diagnostic::error(&codes::MISSING_TYPE, message)
                        .label(formal.name.span, "a habit of another language")
                        .help("remove it, or take a value with its type: `s: State`"),
                );
                return Formal { name: formal.name.text.clone(), ty: Ty::Error, optional: true };
            }
            let message = format!("the parameter `{}` of `{}` has no type", formal.name.text, function.name.text);
            let guess = match formal.default.as_ref().map(|default| self.infer(default)) {
                Some(ty) if ty != Ty::Error => self.settled(&ty).to_string(),
                _ => usual(&formal.name.text).to_owned(),
            };
            self.report(
                Diagnostic::error(&codes::MISSING_TYPE, message)
                    .label(formal.name.span, "needs a type")
                    .help(format!("write `{}: {guess}`", formal.name.text))
                    .in_place_of(formal.name.span),
            );
            Ty::Error
        };
        Formal { name: formal.name.text.clone(), ty, optional: formal.default.is_some() }
    }

    fn function_body(&mut self, module: ModuleId, index: usize, function: &Function) {
        let Some(Entry::Function(signature)) = self.items.get(&(module, index)).cloned() else { return };
        let Some(body) = &function.body else { return };
        if !self.checked.insert((module, index)) {
            return;
        }
        self.at_top_of(module, |checker| {
            checker.defaults(function, &signature);
            let what = format!("the result of `{}`", signature.name);
            checker.returning = function.result.as_ref().map(|ty| (what.clone(), ty.span));
            checker.within(locals(&signature), |checker| checker.check(body, &signature.result, &what));
        });
    }

    fn defaults(&mut self, function: &Function, signature: &Signature) {
        for (formal, declared) in function.formals.iter().zip(&signature.formals) {
            if let Some(default) = &formal.default {
                self.check(default, &declared.ty, &format!("the default of `{}`", declared.name));
            }
        }
    }
}

/// The type that a parameter of this name usually has.
fn usual(name: &str) -> &'static str {
    match name {
        "seed" => "Seed",
        "task" => "Task",
        "recipe" => "Recipe",
        "state" | "s" | "dense" | "network" | "net" | "ticket" => "State",
        "arch" => "Arch",
        "rate" | "sparsity" | "level" | "share" => "Ratio",
        "until" | "rewind" | "step" | "from" => "Step",
        "rounds" | "n" | "times" | "k" | "i" | "classes" | "width" | "batch" => "Int",
        "name" | "layer" | "text" => "Str",
        "lr" | "peak" => "Float",
        _ => "…",
    }
}

fn locals(signature: &Signature) -> Vec<(Arc<str>, Ty)> {
    signature.formals.iter().map(|formal| (formal.name.clone(), formal.ty.clone())).collect()
}
