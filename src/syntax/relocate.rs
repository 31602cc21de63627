//! Moves a tree to another place: after an edit above it, or into another set of files.

use std::sync::Arc;

use super::tree::{
    Arg, Axis, Binding, Block, Claim, Entry, Expr, ExprKind, Formal, Function, Import, ImportNames, ImportSource, Item,
    ItemKind, Lambda, Name, Output, Param, Pattern, Test, TestItem, Type, TypeKind,
};
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// A move of everything in one text by the same distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The file that the tree is in afterwards.
    pub file: FileId,
    /// Bytes to the right; negative to the left.
    pub by: i64,
}

impl Move {
    /// Returns where a span lies afterwards.
    #[must_use]
    pub fn span(self, span: Span) -> Span {
        let moved = |at: u32| (i64::from(at) + self.by).max(0) as u32;
        Span { file: self.file, start: moved(span.start), end: moved(span.end) }
    }

    /// Returns an item as it is afterwards. Nothing is copied if nothing moves.
    #[must_use]
    pub fn item(self, item: &Item) -> Item {
        if self.by == 0 && self.file == item.span.file {
            return item.clone();
        }
        Item { docs: item.docs.clone(), span: self.span(item.span), kind: self.kind(&item.kind) }
    }

    /// Returns a message as it is afterwards; all its labels are in the text that moves.
    #[must_use]
    pub fn diagnostic(self, diagnostic: &Diagnostic) -> Diagnostic {
        let mut moved = diagnostic.clone();
        moved.labels.iter_mut().for_each(|label| label.span = self.span(label.span));
        moved.fixes.iter_mut().for_each(|fix| fix.span = self.span(fix.span));
        moved
    }

    fn kind(self, kind: &ItemKind) -> ItemKind {
        match kind {
            ItemKind::Import(import) => ItemKind::Import(self.import(import)),
            ItemKind::Param(param) => ItemKind::Param(Param {
                name: self.name(&param.name),
                ty: self.ty(&param.ty),
                default: self.maybe(param.default.as_ref()),
                condition: self.maybe(param.condition.as_ref()),
            }),
            ItemKind::Binding(binding) => ItemKind::Binding(self.binding(binding)),
            ItemKind::Function(function) => ItemKind::Function(Arc::new(self.function(function))),
            ItemKind::Table(output) => ItemKind::Table(self.output(output)),
            ItemKind::Plot(output) => ItemKind::Plot(self.output(output)),
            ItemKind::Claim(claim) => ItemKind::Claim(Claim {
                name: self.name(&claim.name),
                text: claim.text.clone(),
                text_span: self.span(claim.text_span),
                value: self.expr(&claim.value),
            }),
            ItemKind::Expect(condition) => ItemKind::Expect(self.expr(condition)),
            ItemKind::Test(test) => ItemKind::Test(self.test(test)),
        }
    }

    fn name(self, name: &Name) -> Name {
        Name { text: name.text.clone(), span: self.span(name.span) }
    }

    fn names(self, names: &[Name]) -> Vec<Name> {
        names.iter().map(|name| self.name(name)).collect()
    }

    fn import(self, import: &Import) -> Import {
        let from = match &import.from {
            ImportSource::Path(path) => ImportSource::Path(self.names(path)),
            ImportSource::File { path, span } => ImportSource::File { path: path.clone(), span: self.span(*span) },
        };
        let names = match &import.names {
            ImportNames::Some(names) => ImportNames::Some(self.names(names)),
            ImportNames::Alias(name) => ImportNames::Alias(self.name(name)),
            ImportNames::Whole => ImportNames::Whole,
        };
        Import { from, names }
    }

    fn binding(self, binding: &Binding) -> Binding {
        Binding {
            public: binding.public,
            pattern: self.pattern(&binding.pattern),
            ty: binding.ty.as_ref().map(|ty| self.ty(ty)),
            value: self.expr(&binding.value),
            builtin: binding.builtin,
        }
    }

    fn function(self, function: &Function) -> Function {
        let formal = |formal: &Formal| Formal {
            name: self.name(&formal.name),
            ty: formal.ty.as_ref().map(|ty| self.ty(ty)),
            default: self.maybe(formal.default.as_ref()),
        };
        Function {
            public: function.public,
            name: self.name(&function.name),
            generics: self.names(&function.generics),
            formals: function.formals.iter().map(formal).collect(),
            result: function.result.as_ref().map(|ty| self.ty(ty)),
            body: self.maybe(function.body.as_ref()),
        }
    }

    fn output(self, output: &Output) -> Output {
        Output { name: self.name(&output.name), value: self.expr(&output.value) }
    }

    fn test(self, test: &Test) -> Test {
        let item = |item: &TestItem| match item {
            TestItem::Binding(binding) => TestItem::Binding(self.binding(binding)),
            TestItem::Expect(condition) => TestItem::Expect(self.expr(condition)),
        };
        Test {
            name: test.name.clone(),
            name_span: self.span(test.name_span),
            body: test.body.iter().map(item).collect(),
        }
    }

    fn pattern(self, pattern: &Pattern) -> Pattern {
        match pattern {
            Pattern::Name(name) => Pattern::Name(self.name(name)),
            Pattern::Record(names, span) => Pattern::Record(self.names(names), self.span(*span)),
            Pattern::Tuple(names, span) => Pattern::Tuple(self.names(names), self.span(*span)),
        }
    }

    fn ty(self, ty: &Type) -> Type {
        let all = |types: &[Type]| types.iter().map(|ty| self.ty(ty)).collect();
        let kind = match &ty.kind {
            TypeKind::Named { name, args } => TypeKind::Named { name: self.name(name), args: all(args) },
            TypeKind::Word(name) => TypeKind::Word(self.name(name)),
            TypeKind::Record(fields) => {
                TypeKind::Record(fields.iter().map(|(name, ty)| (self.name(name), self.ty(ty))).collect())
            }
            TypeKind::Tuple(parts) => TypeKind::Tuple(all(parts)),
            TypeKind::Function { params, result } => {
                TypeKind::Function { params: all(params), result: Box::new(self.ty(result)) }
            }
            TypeKind::Error => TypeKind::Error,
        };
        Type { span: self.span(ty.span), kind }
    }

    fn maybe(self, expr: Option<&Expr>) -> Option<Expr> {
        expr.map(|expr| self.expr(expr))
    }

    fn all(self, exprs: &[Expr]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(self, expr: &Expr) -> Expr {
        Expr { span: self.span(expr.span), kind: Arc::new(self.expr_kind(&expr.kind)) }
    }

    fn expr_kind(self, kind: &ExprKind) -> ExprKind {
        match kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Quantity(..)
            | ExprKind::Str(_)
            | ExprKind::Name(_)
            | ExprKind::Error => kind.clone(),
            ExprKind::List(parts) => ExprKind::List(self.all(parts)),
            ExprKind::Tuple(parts) => ExprKind::Tuple(self.all(parts)),
            ExprKind::Record(entries) => ExprKind::Record(entries.iter().map(|entry| self.entry(entry)).collect()),
            ExprKind::Block(block) => ExprKind::Block(Block {
                bindings: block.bindings.iter().map(|binding| self.binding(binding)).collect(),
                value: self.expr(&block.value),
            }),
            ExprKind::Paren(inner) => ExprKind::Paren(self.expr(inner)),
            ExprKind::Accessor(name) => ExprKind::Accessor(self.name(name)),
            ExprKind::Field(base, name) => ExprKind::Field(self.expr(base), self.name(name)),
            ExprKind::Index(base, index) => ExprKind::Index(self.expr(base), self.expr(index)),
            ExprKind::Call(callee, args) => {
                ExprKind::Call(self.expr(callee), args.iter().map(|arg| self.arg(arg)).collect())
            }
            ExprKind::Pipe(left, right) => ExprKind::Pipe(self.expr(left), self.expr(right)),
            ExprKind::Unary(op, inner) => ExprKind::Unary(*op, self.expr(inner)),
            ExprKind::Binary { op, op_span, left, right } => ExprKind::Binary {
                op: *op,
                op_span: self.span(*op_span),
                left: self.expr(left),
                right: self.expr(right),
            },
            ExprKind::Range { start, end, inclusive } => {
                ExprKind::Range { start: self.expr(start), end: self.expr(end), inclusive: *inclusive }
            }
            ExprKind::Lambda(lambda) => {
                ExprKind::Lambda(Arc::new(Lambda { params: self.names(&lambda.params), body: self.expr(&lambda.body) }))
            }
            ExprKind::If { condition, then, otherwise } => {
                ExprKind::If { condition: self.expr(condition), then: self.expr(then), otherwise: self.expr(otherwise) }
            }
            ExprKind::For { pattern, over, condition, body } => ExprKind::For {
                pattern: self.pattern(pattern),
                over: self.expr(over),
                condition: self.maybe(condition.as_ref()),
                body: self.expr(body),
            },
            ExprKind::Sweep { axes, condition, body } => ExprKind::Sweep {
                axes: axes.iter().map(|axis| self.axis(axis)).collect(),
                condition: self.maybe(condition.as_ref()),
                body: self.expr(body),
            },
        }
    }

    fn entry(self, entry: &Entry) -> Entry {
        match entry {
            Entry::Field(name, value) => Entry::Field(self.name(name), self.expr(value)),
            Entry::Spread(base) => Entry::Spread(self.expr(base)),
        }
    }

    fn arg(self, arg: &Arg) -> Arg {
        Arg { label: arg.label.as_ref().map(|label| self.name(label)), value: self.expr(&arg.value) }
    }

    fn axis(self, axis: &Axis) -> Axis {
        Axis { pattern: self.pattern(&axis.pattern), over: self.expr(&axis.over) }
    }
}
