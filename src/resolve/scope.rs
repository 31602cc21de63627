//! Names in expressions: each must be a local, an item, an import or part of the prelude.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cycles::Uses;
use super::{Linked, Member, ModuleId, Referent, Target, Use, library, unknown};
use crate::diag::Diagnostic;
use crate::diag::codes::names;
use crate::source::Span;
use crate::syntax::tree::{self, Arg, Entry, Expr, ExprKind, ItemKind, Name, Pattern, TestItem};

/// What a walk over a module found.
pub(super) struct Outcome {
    /// Unknown and doubled names.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What each item refers to.
    pub(super) uses: Uses,
    /// What each name refers to, in order of places.
    pub(super) names: Vec<Use>,
}

/// Resolves the names of every item of a module.
pub(super) fn resolve(linked: &Linked, module: ModuleId) -> Outcome {
    let items = &linked.module(module).file.items;
    let mut walk = Walk::new(linked, module);
    let mut uses = Vec::with_capacity(items.len());
    for item in items {
        walk.item(item);
        uses.push(std::mem::take(&mut walk.used));
    }
    walk.outputs(items);
    walk.names.sort_by_key(|name| name.span);
    Outcome { diagnostics: walk.diagnostics, uses, names: walk.names }
}

/// Resolves the names of an expression from outside the module.
pub(super) fn resolve_expr(linked: &Linked, module: ModuleId, expr: &Expr) -> Vec<Diagnostic> {
    let mut walk = Walk::new(linked, module);
    walk.expr(expr);
    walk.diagnostics
}

/// Resolves the names of an item that may be another than the module has at its place.
pub(super) fn resolve_item(linked: &Linked, module: ModuleId, item: &tree::Item) -> Vec<Use> {
    let mut walk = Walk::new(linked, module);
    walk.item(item);
    walk.names
}

/// Where a name is used, as far as it helps to tell what was meant.
#[derive(Clone, Copy)]
pub(super) enum Place<'e> {
    /// Anywhere.
    Plain,
    /// It is called with these arguments; the place of the whole call.
    Called(&'e [Arg], Span),
    /// It is called with these arguments where a number of things is wanted, or a seed for each.
    Counted(&'e [Arg], Span, bool),
    /// A field of it is read.
    Owner(&'e Name),
    /// A column is wanted.
    Column,
    /// It is the whole value of a field or of an argument.
    Value,
}

pub(super) struct Walk<'a> {
    pub(super) linked: &'a Linked,
    pub(super) module: ModuleId,
    /// Names of enclosing scopes, innermost last.
    pub(super) locals: Vec<Name>,
    used: BTreeSet<usize>,
    names: Vec<Use>,
    /// Unknown names reported so far: each is reported once per file.
    missing: BTreeSet<Arc<str>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn new(linked: &'a Linked, module: ModuleId) -> Self {
        Self {
            linked,
            module,
            locals: Vec::new(),
            used: BTreeSet::new(),
            names: Vec::new(),
            missing: BTreeSet::new(),
            diagnostics: Vec::new(),
        }
    }

    fn item(&mut self, item: &tree::Item) {
        match &item.kind {
            ItemKind::Import(import) => self.import(import),
            ItemKind::Param(param) => {
                self.optional(param.default.as_ref());
                if let Some(condition) = &param.condition {
                    self.within(std::slice::from_ref(&param.name), |walk| walk.expr(condition));
                }
            }
            ItemKind::Binding(binding) => {
                if !binding.is_salvaged() {
                    self.distinct(binding.pattern.names());
                }
                if binding.builtin && !self.linked.module(self.module).library && binding.ty.is_some() {
                    let help = match (binding.ty.as_ref().map(|ty| &ty.kind), binding.pattern.names()) {
                        (Some(tree::TypeKind::Word(word)), [name]) => {
                            format!("write `let {} = {}`", name.text, word.text)
                        }
                        _ => "write `= …` after it".to_owned(),
                    };
                    self.missing_body(item.span, "value", &help);
                }
                self.expr(&binding.value);
            }
            ItemKind::Function(function) => self.function(function),
            ItemKind::Table(output) | ItemKind::Plot(output) => self.expr(&output.value),
            ItemKind::Claim(claim) => self.expr(&claim.value),
            ItemKind::Expect(condition) => self.expr(condition),
            ItemKind::Test(test) => self.test(test),
        }
    }

    /// The names between the braces of an import refer to what they import.
    fn import(&mut self, import: &tree::Import) {
        let tree::ImportNames::Some(names) = &import.names else { return };
        for name in names {
            let target = self.linked.module(self.module).imports.get(&name.text).map(|import| import.target);
            self.refer(name.span, target);
        }
    }

    /// Remembers what a name refers to.
    fn refer(&mut self, span: Span, target: Option<Target>) {
        let referent = target.map_or(Referent::Unknown, Referent::Global);
        self.names.push(Use { span, referent });
    }

    /// Finds a local name, and remembers that it is used.
    fn local(&mut self, name: &str, span: Span) -> bool {
        let Some(found) = self.locals.iter().rev().find(|local| &*local.text == name) else { return false };
        self.names.push(Use { span, referent: Referent::Local(found.span) });
        true
    }

    fn missing_body(&mut self, span: Span, what: &str, help: &str) {
        self.diagnostics.push(
            Diagnostic::error(&names::MISSING_BODY, format!("the definition has no {what}"))
                .label(span, format!("no {what}"))
                .help(help),
        );
    }

    fn function(&mut self, function: &tree::Function) {
        let formals: Vec<Name> = function.formals.iter().map(|formal| formal.name.clone()).collect();
        self.distinct(&formals);
        for formal in &function.formals {
            self.optional(formal.default.as_ref());
        }
        match &function.body {
            Some(body) => self.within(&formals, |walk| walk.expr(body)),
            None if !self.linked.module(self.module).library => {
                self.missing_body(function.name.span, "body", "write its value in braces after the signature");
            }
            None => {}
        }
    }

    fn test(&mut self, test: &tree::Test) {
        let outer = self.locals.len();
        for item in &test.body {
            match item {
                TestItem::Binding(binding) => self.binding(binding, outer),
                TestItem::Expect(condition) => self.expr(condition),
            }
        }
        self.locals.truncate(outer);
    }

    /// A local binding; `scope` is where the names of its block begin.
    fn binding(&mut self, binding: &tree::Binding, scope: usize) {
        self.expr(&binding.value);
        self.distinct(binding.pattern.names());
        for name in binding.pattern.names() {
            if self.locals[scope..].iter().any(|local| local.text == name.text) {
                let message = format!("`{}` is bound twice in the same block", name.text);
                self.diagnostics.push(
                    Diagnostic::error(&names::DUPLICATE_NAME, message)
                        .label(name.span, "the same name again")
                        .help("give the new value a name of its own; nothing is ever overwritten"),
                );
            }
            self.locals.push(name.clone());
        }
    }

    fn optional(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn within(&mut self, names: &[Name], walk: impl FnOnce(&mut Self)) {
        let outer = self.locals.len();
        self.locals.extend_from_slice(names);
        walk(self);
        self.locals.truncate(outer);
    }

    fn expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Quantity(..)
            | ExprKind::Str(_)
            | ExprKind::Accessor(_)
            | ExprKind::Error => {}
            ExprKind::List(elements) => self.elements(expr, elements),
            ExprKind::Tuple(elements) => self.all(elements),
            ExprKind::Record(entries) => self.record(entries),
            ExprKind::Block(block) => {
                let outer = self.locals.len();
                for binding in &block.bindings {
                    self.binding(binding, outer);
                }
                self.expr(&block.value);
                self.locals.truncate(outer);
            }
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => self.expr(inner),
            ExprKind::Name(name) => self.name(name, expr.span, Place::Plain),
            ExprKind::Field(base, field) => self.field(base, field),
            ExprKind::Index(base, index) => self.all([base, index]),
            ExprKind::Call(callee, args) => {
                match &*callee.kind {
                    ExprKind::Name(name) => self.name(name, callee.span, Place::Called(args, expr.span)),
                    _ => self.expr(callee),
                }
                for arg in args {
                    self.argument(arg);
                }
            }
            ExprKind::Pipe(left, right) | ExprKind::Binary { left, right, .. } => self.all([left, right]),
            ExprKind::Range { start, end, .. } => self.all([start, end]),
            ExprKind::Lambda(lambda) => {
                self.distinct(&lambda.params);
                self.within(&lambda.params, |walk| walk.expr(&lambda.body));
            }
            ExprKind::If { condition, then, otherwise } => self.all([condition, then, otherwise]),
            ExprKind::For { pattern, over, condition, body } => {
                self.expr(over);
                if matches!(&*over.kind, ExprKind::Range { .. }) {
                    self.forgotten(body);
                }
                self.loop_body(&[pattern], condition.as_ref(), body);
            }
            ExprKind::Sweep { axes, condition, body } => {
                for axis in axes {
                    let seeds = axis.pattern.names().iter().any(|name| name.text.starts_with("seed"));
                    self.counted(&axis.over, seeds.then_some(true));
                }
                let patterns: Vec<_> = axes.iter().map(|axis| &axis.pattern).collect();
                self.loop_body(&patterns, condition.as_ref(), body);
            }
        }
    }

    /// Warns of a loop that seems to carry a value from turn to turn: `for r in 0..4 { let s = s |> f … }`.
    fn forgotten(&mut self, body: &Expr) {
        let ExprKind::Block(block) = &*body.kind else { return };
        for binding in &block.bindings {
            for name in binding.pattern.names() {
                let outside = self.locals.iter().rev().find(|local| local.text == name.text).map(|local| local.span);
                let here = self.linked.module(self.module);
                let outside = outside.or_else(|| here.definitions.get(&name.text).map(|known| known.span));
                let mut parts = vec![&binding.value];
                let mut reads = false;
                // What binds the name again, `xs |> map(s => …)`, reads its own.
                while let Some(expr) = parts.pop() {
                    reads |= matches!(&*expr.kind, ExprKind::Name(read) if *read == name.text);
                    if !expr.bound().iter().any(|bound| bound.text == name.text) {
                        parts.extend(expr.children());
                    }
                }
                if let Some(outside) = outside.filter(|_| reads) {
                    let text = &name.text;
                    let message = format!("each turn begins with the `{text}` outside: nothing is carried over");
                    self.diagnostics.push(
                        Diagnostic::warning(&names::FORGOTTEN_VALUE, message)
                            .label(name.span, "a new name, known in this turn only")
                            .label(outside, "what each turn reads")
                            .help(format!(
                                "for each from the one before, write `iterate({text}, times: …, ({text}, r) => …)`; \
                                 otherwise give the new value a name of its own"
                            )),
                    );
                }
            }
        }
    }

    fn loop_body(&mut self, patterns: &[&Pattern], condition: Option<&Expr>, body: &Expr) {
        let names: Vec<Name> = patterns.iter().flat_map(|pattern| pattern.names()).cloned().collect();
        self.distinct(&names);
        self.within(&names, |walk| {
            walk.optional(condition);
            walk.expr(body);
        });
    }

    fn record(&mut self, entries: &[Entry]) {
        let mut fields = Vec::new();
        for entry in entries {
            match entry {
                Entry::Field(name, value) => {
                    fields.push(name.clone());
                    self.placed(value, Place::Value);
                }
                Entry::Spread(base) => self.expr(base),
            }
        }
        self.distinct(&fields);
    }

    fn argument(&mut self, arg: &Arg) {
        let label = arg.label.as_ref().map(|label| &*label.text);
        let place = match label {
            Some("over" | "by" | "x" | "y" | "color") => Place::Column,
            _ => Place::Value,
        };
        match &*arg.value.kind {
            ExprKind::List(elements) => {
                for element in elements {
                    self.placed(element, place);
                }
            }
            ExprKind::Call(..) if matches!(label, Some("times" | "rounds" | "n")) => {
                self.counted(&arg.value, Some(false));
            }
            _ => self.placed(&arg.value, place),
        }
    }

    /// A call where a number is wanted, or `seeds`: what `range(5)` means depends on that.
    fn counted(&mut self, expr: &Expr, seeds: Option<bool>) {
        let (ExprKind::Call(callee, args), Some(seeds)) = (&*expr.kind, seeds) else { return self.expr(expr) };
        match &*callee.kind {
            ExprKind::Name(name) => self.name(name, callee.span, Place::Counted(args, expr.span, seeds)),
            _ => self.expr(callee),
        }
        for arg in args {
            self.argument(arg);
        }
    }

    /// The elements of a list. If none of several names means anything, they are texts without quotes.
    fn elements(&mut self, list: &Expr, elements: &[Expr]) {
        let reported = self.diagnostics.len();
        for element in elements {
            self.placed(element, Place::Value);
        }
        let names: Vec<&str> = elements
            .iter()
            .filter_map(|element| if let ExprKind::Name(name) = &*element.kind { Some(&**name) } else { None })
            .collect();
        let all = names.len() == elements.len() && self.diagnostics.len() - reported == names.len();
        if names.len() > 1 && all {
            self.diagnostics.truncate(reported);
            let quoted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            self.diagnostics.push(
                Diagnostic::error(&names::UNKNOWN_NAME, "none of these names means anything here")
                    .label(list.span, "not defined, not imported")
                    .help(format!("write `[{quoted}]` if they are texts"))
                    .fix(list.span, format!("[{quoted}]")),
            );
        }
    }

    fn placed(&mut self, expr: &Expr, place: Place<'_>) {
        match &*expr.kind {
            ExprKind::Name(name) => self.name(name, expr.span, place),
            _ => self.expr(expr),
        }
    }

    fn name(&mut self, name: &Arc<str>, span: Span, place: Place<'_>) {
        match self.global(name, span, place) {
            Some(Target::Module(module)) => {
                let named = &self.linked.module(module).name;
                self.diagnostics.push(
                    Diagnostic::error(&names::MODULE_AS_VALUE, format!("`{name}` is a module, not a value"))
                        .label(span, format!("the module `{named}`"))
                        .help(format!("name one of its definitions: `{name}.…`")),
                );
            }
            Some(Target::Item { module, item }) if module == self.module => {
                self.used.insert(item);
            }
            _ => {}
        }
    }

    fn field(&mut self, base: &Expr, field: &Name) {
        let ExprKind::Name(name) = &*base.kind else { return self.expr(base) };
        if self.local(name, base.span) {
            return;
        }
        match self.linked.lookup(self.module, name) {
            Some(Target::Module(module)) => {
                let member = self.linked.member(module, &field.text);
                self.refer(base.span, Some(Target::Module(module)));
                self.refer(field.span, member.definition().map(|found| Target::Item { module, item: found.item }));
                if !matches!(member, Member::Public(_)) {
                    self.diagnostics.push(unknown::inaccessible(self.linked, module, field, member));
                }
            }
            _ => self.name(name, base.span, Place::Owner(field)),
        }
    }

    /// Finds a name outside the locals, or reports that there is none.
    fn global(&mut self, name: &Arc<str>, span: Span, place: Place<'_>) -> Option<Target> {
        if self.local(name, span) {
            return None;
        }
        let found = self.linked.lookup(self.module, name);
        self.refer(span, found);
        let excused = || self.linked.module(self.module).file.open && !library::providers(name).is_empty();
        if found.is_none() && !excused() && self.missing.insert(name.clone()) {
            let diagnostic = self.unknown(name, span, place);
            self.diagnostics.push(diagnostic);
        }
        found
    }

    /// Reports names that a pattern, a parameter list or a record gives twice.
    fn distinct(&mut self, names: &[Name]) {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for name in names {
            match first.get(&*name.text) {
                Some(&span) => self.diagnostics.push(twice(name, span)),
                None => {
                    first.insert(&name.text, name.span);
                }
            }
        }
    }

    /// Tables, plots and claims become files: each kind has names of its own.
    fn outputs(&mut self, items: &[tree::Item]) {
        let (mut tables, mut plots, mut claims) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match &item.kind {
                ItemKind::Table(output) => tables.push(output.name.clone()),
                ItemKind::Plot(output) => plots.push(output.name.clone()),
                ItemKind::Claim(claim) => claims.push(claim.name.clone()),
                _ => {}
            }
        }
        for names in [tables, plots, claims] {
            self.distinct(&names);
        }
    }
}

fn twice(name: &Name, first: Span) -> Diagnostic {
    Diagnostic::error(&names::DUPLICATE_NAME, format!("`{}` is given twice", name.text))
        .label(name.span, "the same name again")
        .label(first, "first given here")
        .help("give one of them another name")
}
