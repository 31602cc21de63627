//! Operators: their precedence, and the trees they make.
//!
//! Low to high: `or` · `and` · `not` · comparison · `|>` · range · `+ - ++` · `* /` · unary `-` · `^` (right).

use std::sync::{Arc, LazyLock};

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::{Builder, MAX_NESTING};
use crate::source::Span;
use crate::syntax::parse::Rule;
use crate::syntax::report;
use crate::syntax::tree::{BinaryOp, Expr, ExprKind, UnaryOp};

static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::or) | left(Rule::bad_or))
        .op(left(Rule::and) | left(Rule::bad_and))
        .op(Op::prefix(Rule::not) | Op::prefix(Rule::bad_not))
        .op(left(Rule::eq)
            | left(Rule::ne)
            | left(Rule::le)
            | left(Rule::ge)
            | left(Rule::lt)
            | left(Rule::gt)
            | left(Rule::bad_equal)
            | left(Rule::bad_unequal)
            | left(Rule::bad_walrus))
        .op(left(Rule::pipe))
        .op(left(Rule::range) | left(Rule::range_incl))
        .op(left(Rule::add) | left(Rule::sub) | left(Rule::concat))
        .op(left(Rule::mul) | left(Rule::div) | left(Rule::bad_modulo))
        .op(Op::prefix(Rule::neg))
        .op(Op::infix(Rule::pow, Assoc::Right) | Op::infix(Rule::bad_power, Assoc::Right))
});

impl Builder<'_> {
    /// A chain of terms and operators.
    pub(super) fn chain(&self, parts: Vec<Pair<'_, Rule>>) -> Option<Expr> {
        let (first, last) = (parts.first()?, parts.last()?);
        let span = self.span(first).to(self.span(last));
        if parts.len() == 1 {
            return parts.into_iter().next().map(|term| self.term(term));
        }
        if parts.len() > 2 * MAX_NESTING {
            self.report(report::too_long(span));
            return Some(Self::error(span));
        }
        let tree = PRECEDENCE
            .map_primary(|term| self.term(term))
            .map_prefix(|op, operand| self.prefix(&op, operand))
            .map_infix(|left, op, right| self.infix(left, &op, right))
            .parse(parts.into_iter());
        Some(tree)
    }

    fn prefix(&self, op: &Pair<'_, Rule>, operand: Expr) -> Expr {
        let at = self.span(op);
        let kind = match op.as_rule() {
            Rule::neg => UnaryOp::Negate,
            Rule::not => UnaryOp::Not,
            _ => {
                self.report(report::foreign_operator(at, "!", "not"));
                UnaryOp::Not
            }
        };
        Expr { span: at.to(operand.span), kind: Arc::new(ExprKind::Unary(kind, operand)) }
    }

    /// The text of an operand, or `…` if it is long.
    fn text<'p>(&self, pair: &Pair<'p, Rule>, span: Span) -> &'p str {
        let range = (span.start as usize).saturating_sub(self.base)..(span.end as usize).saturating_sub(self.base);
        let text = pair.as_span().get_input().get(range).unwrap_or_default().trim();
        if text.is_empty() || text.len() > 48 || text.contains(char::is_control) { "…" } else { text }
    }

    fn infix(&self, left: Expr, pair: &Pair<'_, Rule>, right: Expr) -> Expr {
        let (span, op_span) = (left.span.to(right.span), self.span(pair));
        let op = match pair.as_rule() {
            Rule::pipe => return Expr { span, kind: Arc::new(ExprKind::Pipe(left, right)) },
            Rule::range | Rule::range_incl => {
                let inclusive = pair.as_rule() == Rule::range_incl;
                return Expr { span, kind: Arc::new(ExprKind::Range { start: left, end: right, inclusive }) };
            }
            Rule::or => BinaryOp::Or,
            Rule::and => BinaryOp::And,
            Rule::eq => BinaryOp::Equal,
            Rule::ne => BinaryOp::NotEqual,
            Rule::le => BinaryOp::LessEqual,
            Rule::ge => BinaryOp::GreaterEqual,
            Rule::lt => BinaryOp::Less,
            Rule::gt => BinaryOp::Greater,
            Rule::add => BinaryOp::Add,
            Rule::sub => BinaryOp::Subtract,
            Rule::concat => BinaryOp::Concat,
            Rule::mul => BinaryOp::Multiply,
            Rule::div => BinaryOp::Divide,
            Rule::pow => BinaryOp::Power,
            Rule::bad_modulo => {
                let text = matches!(*left.kind, ExprKind::Str(_));
                let (a, b) = (self.text(pair, left.span), self.text(pair, right.span));
                self.report(if text { report::formatted(op_span) } else { report::modulo(op_span, span, a, b) });
                return Self::error(span);
            }
            Rule::bad_walrus => {
                self.report(report::walrus(op_span));
                return Self::error(span);
            }
            habit => {
                let right = match habit {
                    Rule::bad_and => BinaryOp::And,
                    Rule::bad_or => BinaryOp::Or,
                    Rule::bad_unequal => BinaryOp::NotEqual,
                    Rule::bad_power => BinaryOp::Power,
                    _ => BinaryOp::Equal,
                };
                self.report(report::foreign_operator(op_span, pair.as_str().trim(), right.symbol()));
                right
            }
        };
        if compares(op)
            && let ExprKind::Binary { op: earlier, op_span: first, .. } = &*left.kind
            && compares(*earlier)
        {
            let middle = match &*left.kind {
                ExprKind::Binary { right: middle, .. } => self.text(pair, middle.span),
                _ => "…",
            };
            let texts = [self.text(pair, left.span), middle, self.text(pair, right.span)];
            self.report(report::chained_comparison((*first, op_span), span, op, texts));
            return Self::error(span);
        }
        Expr { span, kind: Arc::new(ExprKind::Binary { op, op_span, left, right }) }
    }
}

fn compares(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
    )
}
