//! Pairs of the recogniser to the tree. Every pair that the grammar can produce is consumed in this folder.

mod expr;
mod literals;
mod operators;
mod types;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use pest::iterators::Pair;

use super::parse::Rule;
use super::report;
use super::scan::Token;
use super::tree::{
    Binding, Claim, Expr, ExprKind, Formal, Function, Import, ImportNames, ImportSource, ItemKind, Name, Output, Param,
    Test, TestItem,
};
use super::words;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// Expressions deeper than this are refused: whoever walks the tree recurses.
pub(super) const MAX_NESTING: usize = 256;

/// Builds the tree of one chunk.
pub(super) struct Builder<'a> {
    /// The file.
    pub(super) file: FileId,
    /// Where the recognised piece begins in the file.
    pub(super) base: usize,
    /// The tokens of the file: spans end with a token, never with blanks.
    pub(super) tokens: &'a [Token],
    /// Habits that the grammar lets through.
    pub(super) diagnostics: RefCell<Vec<Diagnostic>>,
    nesting: Cell<usize>,
}

/// The parts of a pair, without the keywords.
fn parts(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    pair.into_inner().filter(|part| {
        !matches!(
            part.as_rule(),
            Rule::kw_import
                | Rule::kw_as
                | Rule::kw_param
                | Rule::kw_where
                | Rule::kw_pub
                | Rule::kw_let
                | Rule::kw_fn
                | Rule::kw_table
                | Rule::kw_plot
                | Rule::kw_claim
                | Rule::kw_expect
                | Rule::kw_test
                | Rule::kw_if
                | Rule::kw_else
                | Rule::kw_for
                | Rule::kw_in
                | Rule::kw_sweep
                | Rule::kw_and
                | Rule::kw_or
                | Rule::kw_not
                | Rule::EOI
        )
    })
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: FileId, base: usize, tokens: &'a [Token]) -> Self {
        Self { file, base, tokens, diagnostics: RefCell::new(Vec::new()), nesting: Cell::new(0) }
    }

    fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// The place of a pair, without blanks and comments behind it.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let inner = pair.as_span();
        let (start, end) = (self.base + inner.start(), self.base + inner.end());
        let last = self.tokens.partition_point(|token| token.start < end);
        let end = match last.checked_sub(1).map(|at| &self.tokens[at]) {
            Some(token) if token.end > start => end.min(token.end),
            _ => end,
        };
        Span::new(self.file, start, end)
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name { text: Arc::from(pair.as_str()), span: self.span(pair) }
    }

    fn names(&self, pair: Pair<'_, Rule>) -> Vec<Name> {
        parts(pair).filter(|part| part.as_rule() == Rule::name).map(|part| self.name(&part)).collect()
    }

    fn error(span: Span) -> Expr {
        Expr { span, kind: Arc::new(ExprKind::Error) }
    }

    /// Builds a declaration and its span.
    pub(super) fn item(&self, declaration: Pair<'_, Rule>) -> Option<(ItemKind, Span)> {
        let item = parts(declaration).find(|part| part.as_rule() == Rule::item)?;
        let inner = parts(item).next()?;
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::import => ItemKind::Import(self.import(inner)?),
            Rule::param => ItemKind::Param(self.param(inner)?),
            Rule::function => ItemKind::Function(Arc::new(self.function(inner)?)),
            Rule::table => ItemKind::Table(self.output(inner)?),
            Rule::plot => ItemKind::Plot(self.output(inner)?),
            Rule::claim => ItemKind::Claim(self.claim(inner)?),
            Rule::expect => ItemKind::Expect(self.expr_in(inner)?),
            Rule::test => ItemKind::Test(self.test(inner)?),
            _ => ItemKind::Binding(self.binding(inner)?),
        };
        Some((kind, span))
    }

    fn import(&self, pair: Pair<'_, Rule>) -> Option<Import> {
        let (mut from, mut names) = (None, ImportNames::Whole);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::path => {
                    from = Some(ImportSource::Path(parts(part).map(|segment| self.name(&segment)).collect()));
                }
                Rule::string => {
                    from = Some(ImportSource::File { span: self.span(&part), path: self.string(part) });
                }
                Rule::names => names = ImportNames::Some(self.names(part)),
                Rule::alias => names = ImportNames::Alias(self.names(part).pop()?),
                _ => {}
            }
        }
        Some(Import { from: from?, names })
    }

    fn param(&self, pair: Pair<'_, Rule>) -> Option<Param> {
        let (mut name, mut ty, mut default, mut condition) = (None, None, None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::ty => ty = Some(self.ty(part)),
                Rule::default => default = self.default(part),
                Rule::condition => condition = self.expr_in(part),
                _ => {}
            }
        }
        Some(Param { name: name?, ty: ty?, default, condition })
    }

    /// The value after `=`; `:=` is refused.
    fn default(&self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let mut value = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::bad_walrus => self.report(report::foreign_operator(self.span(&part), ":=", "=")),
                _ => value = Some(self.expr(part)),
            }
        }
        value
    }

    fn expr_in(&self, pair: Pair<'_, Rule>) -> Option<Expr> {
        self.default(pair)
    }

    fn binding(&self, pair: Pair<'_, Rule>) -> Option<Binding> {
        let whole = self.span(&pair);
        let (mut public, mut pattern, mut ty, mut value) = (false, None, None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::public => public = true,
                Rule::bad_mut => self.report(report::mutable(self.span(&part))),
                Rule::pattern => pattern = self.pattern(part),
                Rule::annotation => ty = self.annotation(part),
                Rule::default => value = self.default(part),
                _ => {}
            }
        }
        let end = Span::new(self.file, whole.end as usize, whole.end as usize);
        let builtin = value.is_none();
        Some(Binding { public, pattern: pattern?, ty, value: value.unwrap_or_else(|| Self::error(end)), builtin })
    }

    fn annotation(&self, pair: Pair<'_, Rule>) -> Option<super::tree::Type> {
        parts(pair).next().map(|ty| self.ty(ty))
    }

    /// Builds the function inside `lone_signature`.
    pub(super) fn signature(&self, lone: Pair<'_, Rule>) -> Option<Function> {
        parts(lone).find(|part| part.as_rule() == Rule::function).and_then(|pair| self.function(pair))
    }

    /// Builds the expression inside `lone_expr`.
    pub(super) fn lone_expr(&self, lone: Pair<'_, Rule>) -> Option<Expr> {
        parts(lone).find(|part| part.as_rule() == Rule::expr).map(|pair| self.expr(pair))
    }

    fn function(&self, pair: Pair<'_, Rule>) -> Option<Function> {
        let (mut public, mut name, mut generics, mut formals, mut result, mut body) =
            (false, None, Vec::new(), Vec::new(), None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::public => public = true,
                Rule::name => name = Some(self.name(&part)),
                Rule::generics => generics = self.names(part),
                Rule::formals => {
                    formals = parts(part).filter_map(|formal| self.formal(formal)).collect::<Vec<Formal>>();
                }
                Rule::result => result = self.annotation(part),
                Rule::block => body = Some(self.block(part)),
                Rule::bad_equation => {
                    let span = self.span(&part);
                    let sign = Span::new(self.file, span.start as usize, span.start as usize + 1);
                    self.report(report::equation_body(sign, span, part.as_str()));
                    body = self.expr_in(part);
                }
                _ => {}
            }
        }
        if body.is_some() {
            // A label may be a word of the language, but a body could not refer to it.
            for formal in formals.iter().filter(|formal| words::is_keyword(&formal.name.text)) {
                self.report(report::keyword_as_name(formal.name.span, &formal.name.text));
            }
        }
        Some(Function { public, name: name?, generics, formals, result, body })
    }

    fn formal(&self, pair: Pair<'_, Rule>) -> Option<Formal> {
        let (mut name, mut ty, mut default) = (None, None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::label => name = Some(self.name(&part)),
                Rule::annotation => ty = self.annotation(part),
                Rule::default => default = self.default(part),
                _ => {}
            }
        }
        Some(Formal { name: name?, ty, default })
    }

    fn output(&self, pair: Pair<'_, Rule>) -> Option<Output> {
        let (mut name, mut value) = (None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::expr => value = Some(self.expr(part)),
                Rule::bad_walrus => self.report(report::foreign_operator(self.span(&part), ":=", "=")),
                _ => {}
            }
        }
        Some(Output { name: name?, value: value? })
    }

    fn claim(&self, pair: Pair<'_, Rule>) -> Option<Claim> {
        let (mut name, mut text, mut value) = (None, None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.name(&part)),
                Rule::string => text = Some((self.span(&part), self.string(part))),
                Rule::expr => value = Some(self.expr(part)),
                Rule::bad_walrus => self.report(report::foreign_operator(self.span(&part), ":=", "=")),
                _ => {}
            }
        }
        let (text_span, text) = text?;
        Some(Claim { name: name?, text, text_span, value: value? })
    }

    fn test(&self, pair: Pair<'_, Rule>) -> Option<Test> {
        let (mut name, mut body) = (None, Vec::new());
        for part in parts(pair) {
            match part.as_rule() {
                Rule::string => name = Some((self.span(&part), self.string(part))),
                Rule::local => body.extend(self.binding(part).map(TestItem::Binding)),
                Rule::expect => body.extend(self.expr_in(part).map(TestItem::Expect)),
                _ => {}
            }
        }
        let (name_span, name) = name?;
        Some(Test { name, name_span, body })
    }
}
